"""tinyml pipeline wand"""

from __future__ import annotations

from tinyml_cli.commands import wand_options
from tinyml_cli.commands.task_commands import pipeline_command

command = pipeline_command(
    wand_options.values,
    """Gestures in, firmware out; then the board is fed held-out motion.

Stages already done for the same recipe are skipped, and an interrupted training is resumed.

\b
Examples:
  tinyml pipeline wand --labels 0,1,2 --board sim
  tinyml pipeline wand --labels wing,ring --data strokes/ --board native
""",
    "motion",
    evaluates_data=False,
)
