"""tinyml train wand"""

from __future__ import annotations

from tinyml_cli.commands import wand_options
from tinyml_cli.commands.task_commands import train_command

command = train_command(
    wand_options.values,
    """Train a magic wand on your gestures, from recordings or from simulated hand strokes.

\b
Examples:
  tinyml train wand --labels 0,1,2
  tinyml train wand --labels wing,ring --data strokes/
  tinyml train wand --input imu --labels wave,snake --data motion/
  tinyml train wand --labels 0,1,2 --resume
""",
)
