"""tinyml federate kws"""

from __future__ import annotations

from tinyml_cli.commands import kws_options
from tinyml_cli.commands.federate_options import federate_command

command = federate_command(
    kws_options.values,
    """Learn words from speakers who keep their recordings: clients train, a server averages.

Beside it, the same network is trained centrally and by each client alone. The run is one as any other: go on
with quantize, convert and evaluate. See docs/federate.md.

\b
Examples:
  tinyml federate kws --words yes,no --data speech_commands/ --clients 20 --rounds 30
  tinyml federate kws --words yes,no --data speech_commands/ --non-iid 0.5 --prox-mu 0.1
  tinyml federate kws --data speech_commands/ --poisoned 4 --aggregate trimmed-mean
  tinyml federate kws --data speech_commands/ --clip 1 --dp-noise 0.5
  tinyml federate kws --data speech_commands/ --average-all --participation 0.2
""",
)
