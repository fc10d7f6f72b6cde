"""tinyml pipeline vww"""

from __future__ import annotations

from tinyml_cli.commands.image_commands import pipeline_command

command = pipeline_command(
    "vww",
    """Images in, firmware out, and the board looks at images that it was not trained on.

Stages that are already done for the same recipe are not done again, and a training that was stopped goes on.

\b
Examples:
  tinyml pipeline vww --data vww/ --board sim
  tinyml pipeline vww --data photos/ --classes cat,none --model micro --board native
""",
)
