"""tinyml train vww"""

from __future__ import annotations

from tinyml_cli.commands import image_options
from tinyml_cli.commands.task_commands import train_command

command = train_command(
    image_options.values,
    """Train a visual wake word model, which tells whether the camera sees something, from a folder per class.

\b
Examples:
  tinyml train vww --data vww/
  tinyml train vww --data photos/ --classes cat,none --model micro --size 48
  tinyml train vww --data vww/ --rgb --backbone vww_96.h5 --set training.epochs=5
  tinyml train vww --data vww/ --resume
""",
)
