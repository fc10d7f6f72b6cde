"""tinyml pipeline kws"""

from __future__ import annotations

from tinyml_cli.commands import kws_options
from tinyml_cli.commands.task_commands import pipeline_command

command = pipeline_command(
    kws_options.values,
    """Words in, firmware out; then the board listens to held-out clips.

Stages already done for the same recipe are skipped, and an interrupted training is resumed.

\b
Examples:
  tinyml pipeline kws --words yes,no --board sim
  tinyml pipeline kws --words left,right --data speech_commands/ --board native
""",
    "clip",
)
