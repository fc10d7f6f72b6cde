"""Train by clients that keep their data: keyword spotting by speakers, anomaly detection by machines.

\b
Examples:
  tinyml federate kws --words yes,no --data speech_commands/
  tinyml federate anomaly --data machines/ --clients 5 --json
  tinyml federate kws --help
"""

from __future__ import annotations

# Tasks whose data come from several people or machines have a command.
OTHER = ""
