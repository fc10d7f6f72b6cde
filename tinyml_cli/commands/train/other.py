"""tinyml train TASK, for a task that another package brings"""

from __future__ import annotations

from tinyml_cli.commands.task_commands import any_task, train_command

command = train_command(
    any_task,
    "Train a task from another package; --set sets its own options.",
)
