"""tinyml pipeline images"""

from __future__ import annotations

from tinyml_cli.commands import image_options
from tinyml_cli.commands.task_commands import pipeline_command

command = pipeline_command(
    image_options.values,
    """A folder of images per class in, firmware out that shows the class; without data, of drawn shapes.

Stages already done for the same recipe are skipped, and an interrupted training is resumed.

\b
Examples:
  tinyml pipeline images --board sim
  tinyml pipeline images --data rps/ --classes rock,paper,scissors --board native
  tinyml pipeline images --data beans/ --backbone imagenet --board nano33ble
""",
    "image",
)
