"""Train keyword spotting, visual wake words, a magic wand or anomaly detection.

\b
Examples:
  tinyml train kws --words yes,no
  tinyml train kws --help
  tinyml train kws --words yes,no --json
"""

from __future__ import annotations

COMMANDS = {
    "kws": "kws",
    "anomaly": "anomaly",
    "vww": "vww",
    "mask": "mask",
    "wand": "wand",
}

# Takes the tasks that other packages bring.
OTHER = "other"
