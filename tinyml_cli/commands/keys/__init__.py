"""Keys that sign updates of the model on a board.

Firmware built with --update-key takes updates that this key has signed, and no others. Whoever has the key
can change what the boards hear and see: keep it apart from runs, and keep a copy, for no other key will do.

\b
Examples:
  tinyml keys new ~/keys/doorbell.pem --json
  tinyml keys public ~/keys/doorbell.pem --out doorbell.pub.pem
  tinyml keys sign runs/kws-yes-no --key ~/keys/doorbell.pem --out doorbell-12.update --release 12
"""

from __future__ import annotations

COMMANDS = {"new": "new", "public": "public", "sign": "sign"}
