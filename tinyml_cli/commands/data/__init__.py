"""Look after the recordings that training reads.

\b
Examples:
  tinyml data check recordings/
  tinyml data check recordings/ --json
  tinyml data synth --words yes,no --out synthetic/
  tinyml data download speech-commands
"""

from __future__ import annotations

COMMANDS = {
    "download": "download",
    "synth": "synth",
    "check": "check",
    "build-vww": "build_vww",
}
