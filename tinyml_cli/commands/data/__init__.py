"""Look after the recordings that training reads.

\b
Examples:
  tinyml data check recordings/
  tinyml data check recordings/ --json
"""

from __future__ import annotations

COMMANDS = {
    "check": "check",
}
