"""tinyml pipeline anomaly"""

from __future__ import annotations

from tinyml_cli.commands import anomaly_options
from tinyml_cli.commands.task_commands import pipeline_command

command = pipeline_command(
    anomaly_options.values,
    """Normal running in, firmware out; then the board is fed recordings not used for training.

Stages already done for the same recipe are skipped, and an interrupted training is resumed.

\b
Examples:
  tinyml pipeline anomaly --board sim
  tinyml pipeline anomaly --method gmm --board native
  tinyml pipeline anomaly --data vibration/ --normal normal,idle --board native
""",
    "recording",
    evaluates_data=False,
)
