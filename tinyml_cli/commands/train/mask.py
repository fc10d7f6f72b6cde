"""tinyml train mask"""

from __future__ import annotations

from tinyml_cli.commands import image_options
from tinyml_cli.commands.task_commands import train_command

command = train_command(
    image_options.values,
    """Train by transfer learning on two folders of images, such as faces with and without a mask.

\b
Examples:
  tinyml train mask --data faces/
  tinyml train mask --data faces/ --classes no_mask,mask --backbone imagenet
  tinyml train mask --data bottles/ --classes empty,full --backbone mine.keras --set image.low=0
""",
)
