"""tinyml train anomaly"""

from __future__ import annotations

from tinyml_cli.commands import anomaly_options
from tinyml_cli.commands.task_commands import train_command

command = train_command(
    anomaly_options.values,
    """Learn normal running from time series, motion or machine sound; without data, a machine is simulated.

Only normal running is used for training. Anomalies in the data are kept for `tinyml evaluate`.

\b
Examples:
  tinyml train anomaly
  tinyml train anomaly --method kmeans --data vibration/ --normal normal,idle --fpr 0.01
  tinyml train anomaly --data toycar/ --false-alarms-per-hour 2
  tinyml train anomaly --data pump.csv --normal pump --set autoencoder.network=mlperf_fc
""",
)
