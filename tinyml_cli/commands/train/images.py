"""tinyml train images"""

from __future__ import annotations

from tinyml_cli.commands import image_options
from tinyml_cli.commands.task_commands import train_command

command = train_command(
    image_options.values,
    """Train a model that tells any number of classes of images apart, from a folder per class.

Without --classes, all folders of the data are classes; without --data, it learns drawn shapes.

\b
Examples:
  tinyml train images
  tinyml train images --data beans/ --classes healthy,rust,spot
  tinyml train images --data rps/ --backbone imagenet --set training.epochs=15
""",
)
