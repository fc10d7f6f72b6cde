"""What tracked commands could not send to MLflow yet: list it, send it, give it up.

A command with --track keeps what it tells in runs/.tracking first. What no server took stays there; the next
command with --track sends it, too.

\b
Examples:
  tinyml tracking
  tinyml tracking send --json
  tinyml tracking drop --yes
"""

from __future__ import annotations

COMMANDS = {"list": "list_", "send": "send", "drop": "drop"}

# Runs where no command of the group is named.
DEFAULT = "list"
