"""tinyml train hello"""

from __future__ import annotations

from tinyml_cli.commands.task_commands import train_command
from tinyml_cli.commands.training_options import no_options

command = train_command(
    no_options,
    """Train a first model, a sine: no data, a few seconds, 1.6 kB in int8.

\b
Examples:
  tinyml train hello
  tinyml train hello --set model.hidden=[8,8] --set training.epochs=80
""",
)
