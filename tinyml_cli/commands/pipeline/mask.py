"""tinyml pipeline mask"""

from __future__ import annotations

from tinyml_cli.commands.image_commands import pipeline_command

command = pipeline_command(
    "mask",
    """The transfer-learning lab in one go: folders of images in, firmware out, tried on images kept aside.

Stages that are already done for the same recipe are not done again, and a training that was stopped goes on.

\b
Examples:
  tinyml pipeline mask --data faces/ --board sim
  tinyml pipeline mask --data faces/ --classes no_mask,mask --backbone mine.keras --board native
""",
)
