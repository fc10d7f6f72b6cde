"""tinyml train kws"""

from __future__ import annotations

from tinyml_cli.commands import kws_options
from tinyml_cli.commands.task_commands import train_command

command = train_command(
    kws_options.training,
    """Train keyword spotting for your words, from recordings or from synthesised speech.

\b
Examples:
  tinyml train kws --words yes,no
  tinyml train kws --words yes,no --data speech_commands/ --seed 7
  tinyml train kws --words marvin --add-recordings recordings/
  tinyml train kws --words marvin --set training.epochs=40 --run runs/marvin
  tinyml train kws --words yes,no --resume
  tinyml train kws --words yes,no --model bc_resnet
  tinyml train kws --data speech_commands/ --config kws_teacher --run runs/teacher
  tinyml train kws --data speech_commands/ --teacher runs/teacher
""",
)
