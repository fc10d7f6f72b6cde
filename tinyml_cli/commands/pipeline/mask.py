"""tinyml pipeline mask"""

from __future__ import annotations

from tinyml_cli.commands import image_options
from tinyml_cli.commands.task_commands import pipeline_command

command = pipeline_command(
    image_options.values,
    """Transfer learning in one go: folders of images in, firmware out, tested on held-out images.

Stages already done for the same recipe are skipped, and an interrupted training is resumed.

\b
Examples:
  tinyml pipeline mask --data faces/ --board sim
  tinyml pipeline mask --data faces/ --classes no_mask,mask --backbone mine.keras --board native
""",
    "image",
)
