"""Writes docs/commands/*.md from the help texts; --check only compares."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path

from tinyml_cli.main import command_paths
from tinyml_cli.main import main as tinyml

PAGES = Path(__file__).resolve().parent.parent / "docs" / "commands"


def page(name: str) -> str:
    """One command's page: its help as the terminal shows it."""
    sys.argv = ["tinyml", *name.split(), "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as text, contextlib.suppress(SystemExit):
        tinyml()
    lines = "\n".join(line.rstrip() for line in text.getvalue().strip().splitlines())
    return f"# tinyml {name}\n\n```text\n{lines}\n```\n"


def main() -> int:
    check = "--check" in sys.argv
    os.environ |= {"COLUMNS": "100", "NO_COLOR": "1"}
    stale = []
    PAGES.mkdir(parents=True, exist_ok=True)
    for name in command_paths():
        path = PAGES / f"{name.replace(' ', '-')}.md"
        text = page(name)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    if stale and check:
        print(f"stale: {', '.join(stale)}; run: python scripts/command_pages.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
