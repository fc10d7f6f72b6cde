"""Record, import, download, synthesise and check what training reads.

\b
Examples:
  tinyml data check recordings/
  tinyml data check recordings/ --json
  tinyml data preview recordings/
  tinyml data snapshot recordings/ --out data-snapshot.json
  tinyml data synth --words yes,no --out synthetic/
  tinyml data record words --words marvin,sheila --speaker anna
  tinyml data import downloads/ --speaker anna --out recordings/
  tinyml data download speech-commands
"""

from __future__ import annotations

COMMANDS = {
    "download": "download",
    "synth": "synth",
    "record": "record",
    "import": "import_",
    "check": "check",
    "preview": "preview",
    "snapshot": "snapshot",
    "build-vww": "build_vww",
}
