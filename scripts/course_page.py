"""Writes the table of docs/course/index.md from the course's pages; --check only compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tinyml_cli.learn.course import chapters

PAGE = Path(__file__).resolve().parent.parent / "docs" / "course" / "index.md"
_WRITTEN = re.compile(r"(?<=<!-- written by scripts/course_page.py -->\n).*?(?=<!-- end -->)", re.DOTALL)


def table() -> str:
    """A row for each lab."""
    lines = ["| chapter | lab | command | yours | shows |", "|---|---|---|---|---|"]
    for chapter in chapters():
        for lab in chapter.labs:
            commands = "<br>".join(f"`{command}`" for command in lab.commands) or "*not there yet*"
            name = f"{lab.title} ({lab.lab})" if lab.lab != chapter.number else lab.title
            yours = "<br>".join(f"`{file}`" for file in lab.yours)
            cells = (f"[{chapter.number}]({chapter.number}.md)", name, commands, yours, lab.shows)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n" + "\n".join(lines) + "\n\n"


def main() -> int:
    """Writes or compares."""
    text = PAGE.read_text(encoding="utf-8")
    wanted = _WRITTEN.sub(lambda _: table(), text)
    if "--check" in sys.argv:
        return int(wanted != text)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
