"""Bring a release to the devices in stages; a gate that fails brings all of them back.

\b
Examples:
  tinyml fleet rollout start lamp@3
  tinyml fleet rollout status --json
  tinyml fleet rollout abort
"""

from __future__ import annotations

COMMANDS = {
    "start": "start",
    "status": "status",
    "pause": "pause",
    "resume": "resume",
    "abort": "abort",
    "history": "history",
}

# Runs where no command of the group is named.
DEFAULT = "status"
