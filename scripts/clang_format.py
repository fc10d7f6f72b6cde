"""Formats every tracked C and C++ file with the pinned clang-format; --check only reports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SUFFIXES = {".c", ".cc", ".cpp", ".h"}


def main() -> int:
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    sources = [name for name in listed.split("\0") if Path(name).suffix in SUFFIXES and Path(name).exists()]
    mode = ["--dry-run", "--Werror"] if "--check" in sys.argv else ["-i"]
    formatter = Path(sys.executable).with_name("clang-format")
    return subprocess.run([formatter, *mode, *sources], check=False).returncode if sources else 0


if __name__ == "__main__":
    sys.exit(main())
