"""tinyml pipeline vww"""

from __future__ import annotations

from tinyml_cli.commands import image_options
from tinyml_cli.commands.task_commands import pipeline_command

command = pipeline_command(
    image_options.values,
    """Images in, firmware out; then the board looks at images it was not trained on.

Stages already done for the same recipe are skipped, and an interrupted training is resumed.

\b
Examples:
  tinyml pipeline vww --data vww/ --board sim
  tinyml pipeline vww --data photos/ --classes cat,none --model micro --board native
""",
    "image",
)
