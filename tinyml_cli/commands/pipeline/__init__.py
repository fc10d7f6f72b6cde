"""Every stage in one go, from data to a board that has been tried.

\b
Examples:
  tinyml pipeline kws --words yes,no --board sim
  tinyml pipeline kws --help
  tinyml pipeline kws --words yes,no --json
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
