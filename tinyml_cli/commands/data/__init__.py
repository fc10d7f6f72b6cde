"""Look after the recordings that training reads.

\b
Examples:
  tinyml data check recordings/
  tinyml data check recordings/ --json
  tinyml data download speech-commands
"""

from __future__ import annotations

COMMANDS = {
    "download": "download",
    "check": "check",
    "build-vww": "build_vww",
}
