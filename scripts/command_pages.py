"""Writes docs/commands/*.md from the help texts, and their places in mkdocs.yml; --check only compares."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from importlib import metadata
from pathlib import Path

from tinyml_cli.command_group import summary, walk
from tinyml_cli.main import SECTIONS
from tinyml_cli.main import main as tinyml

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "commands"
SITE = ROOT / "mkdocs.yml"
_PLACES = re.compile(r"(?<=# written by scripts/command_pages.py\n)( {10}- .*\n)+")


def page(name: str) -> str:
    """One command's page: its help as the terminal shows it."""
    sys.argv = ["tinyml", *name.split(), "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as text, contextlib.suppress(SystemExit):
        tinyml()
    lines = "\n".join(line.rstrip() for line in text.getvalue().strip().splitlines())
    return f"# tinyml {name}\n\n```text\n{lines}\n```\n"


def commands() -> dict[str, dict[str, str]]:
    """Heading of the help -> command as it is typed -> what it does."""
    return {
        heading: {path: summary(place) for path, place in walk("tinyml_cli.commands", section)}
        for heading, section in SECTIONS.items()
    }


def file_name(command: str) -> str:
    """Of the command's page."""
    return f"{command.replace(' ', '-')}.md"


def index(found: dict[str, dict[str, str]]) -> str:
    """The page that lists all commands."""
    parts = ["# Commands", "What `tinyml COMMAND --help` prints, a page for each command."]
    for heading, section in found.items():
        rows = (f"| [`{name}`]({file_name(name)}) | {what} |" for name, what in section.items())
        parts.append("\n".join([f"## {heading}", "", "| command | what it does |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def with_places(site: str, names: list[str]) -> str:
    """mkdocs.yml with these commands in its navigation."""
    places = "".join(f"{10 * ' '}- {name}: commands/{file_name(name)}\n" for name in names)
    return _PLACES.sub(lambda _: places, site)


def main() -> int:
    os.environ |= {"COLUMNS": "100", "NO_COLOR": "1"}
    # Tasks of packages that happen to be installed are no part of these pages.
    metadata.entry_points = lambda **chosen: metadata.EntryPoints()  # type: ignore[assignment,misc]
    found = commands()
    names = [name for section in found.values() for name in section]
    wanted = {PAGES / file_name(name): page(name) for name in names}
    wanted[PAGES / "index.md"] = index(found)
    wanted[SITE] = with_places(SITE.read_text(encoding="utf-8"), names)
    stale = [path for path, text in wanted.items() if not _holds(path, text)]
    gone = [path for path in PAGES.glob("*.md") if path not in wanted]
    if "--check" not in sys.argv:
        PAGES.mkdir(parents=True, exist_ok=True)
        for path in stale:
            path.write_text(wanted[path], encoding="utf-8")
        for path in gone:
            path.unlink()
    elif stale or gone:
        print(f"stale: {', '.join(path.name for path in stale + gone)}", file=sys.stderr)
        print("run: python scripts/command_pages.py", file=sys.stderr)
        return 1
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
