"""tinyml pipeline hello"""

from __future__ import annotations

from tinyml_cli.commands.task_commands import pipeline_command
from tinyml_cli.commands.training_options import no_options

command = pipeline_command(
    no_options,
    """A sine in, firmware out that breathes a light: the shortest test of tools and board.

Stages already done for the same recipe are skipped, and an interrupted training is resumed.

\b
Examples:
  tinyml pipeline hello --board sim
  tinyml pipeline hello --board nano33ble
""",
    "period",
    evaluates_data=False,
)
