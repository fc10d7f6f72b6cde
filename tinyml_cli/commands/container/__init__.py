"""Container images with tinyml[train], a compiler and QEMU, written without a daemon and without root.

\b
Examples:
  tinyml container base
  tinyml container build --base base.tar
  tinyml container build --base rootfs.tar --out image.tar --json
  tinyml container build --base base.tar --serve --out serve.tar
"""

from __future__ import annotations

COMMANDS = {"base": "base", "build": "build"}
