"""tinyml federate anomaly"""

from __future__ import annotations

from tinyml_cli.commands import anomaly_options
from tinyml_cli.commands.federate_options import federate_command

command = federate_command(
    anomaly_options.values,
    """Learn normal running from machines that keep their recordings: clients train, a server averages.

Beside it, the same network is trained centrally and by each client alone. The run is one as any other: go on
with quantize, convert and evaluate. See docs/federate.md.

\b
Examples:
  tinyml federate anomaly --clients 10
  tinyml federate anomaly --data machines/ --clients 5 --rounds 20
  tinyml federate anomaly --data machines/ --clients 5 --prox-mu 0.1 --json
""",
)
