"""tinyml pipeline TASK, for a task that another package brings"""

from __future__ import annotations

from tinyml_cli.commands.task_commands import any_task, pipeline_command

command = pipeline_command(
    any_task,
    "Run every stage of a task from another package; --set sets its own options.",
)
