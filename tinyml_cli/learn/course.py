"""The course, lab by lab, and the command for each: read from the pages of docs/course, which say it once."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_cli.errors import TinymlError, did_you_mean
from tinyml_cli.files import course_dir
from tinyml_cli.outcomes.lessons import CourseLab

COLUMNS = ("lab", "what", "command", "yours")
_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHOWS = re.compile(r"^(?:Picture|Result): (.*?[.:;])(?= Next:|$)", re.MULTILINE)
_MISSING = re.compile(r"[^.?]*\bnot there yet\b[^.]*", re.IGNORECASE)
_YOURS = re.compile(r"^Yours: (.*)$", re.MULTILINE)
_FILE = re.compile(r"`([\w-]+(?:/|\.\w+))`")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


@dataclass(frozen=True)
class Chapter:
    """One page.

    Attributes:
        number: "3.5".
        title: without the number.
        text: the page, Markdown.
        labs: in the order of the page.
    """

    number: str
    title: str
    text: str
    labs: Sequence[CourseLab]


def chapters() -> list[Chapter]:
    """All pages, in the order of the course."""
    pages = sorted(
        course_dir().glob("[0-9]*.md"), key=lambda path: [int(part) for part in path.stem.split(".")]
    )
    return [_chapter(path.stem, path.read_text(encoding="utf-8")) for path in pages]


def chosen(asked: str | None) -> list[Chapter]:
    """The chapters of a number: "3" is all of 3.1 to 3.9, "3.5.13" the chapter with this lab; None is all.

    Raises:
        TinymlError: there is none.
    """
    known = chapters()
    if asked is None:
        return known
    parts = asked.strip().split(".")
    found = [each for each in known if each.number.split(".")[: len(parts)] == parts[:2]]
    if not found or (len(parts) > 2 and asked not in {lab.lab for lab in found[0].labs}):
        names = [each.number for each in known] + [lab.lab for each in known for lab in each.labs]
        raise TinymlError(
            f"The course has no chapter or lab `{asked}` with something to do",
            "CHAPTER",
            f"{did_you_mean(asked, names)}Chapters: {', '.join(each.number for each in known)}.",
        )
    return found


def row(lab: CourseLab) -> list[str]:
    """A line of the table, see COLUMNS."""
    return [lab.lab, lab.title, "\n".join(lab.commands) or "not there yet", "\n".join(lab.yours)]


def page_text(chapter: Chapter, width: int) -> str:
    """A page for a terminal of so many columns: links are their words, and commands stay on one line."""
    lines = []
    for index, part in enumerate(re.split(r"^```(?:sh)?\n", chapter.text, flags=re.MULTILINE)):
        is_code = index % 2 == 1
        lines += [line if is_code else _wrapped(_plain(line), width) for line in part.splitlines()]
    return "\n".join(lines).strip()


def _wrapped(line: str, width: int) -> str:
    return textwrap.fill(line, width, subsequent_indent="   " if line[:1].isdigit() else "")


def _plain(text: str) -> str:
    return _LINK.sub(r"\1", text).strip()


def _chapter(number: str, text: str) -> Chapter:
    title, *sections = re.split(r"^##? ", text, flags=re.MULTILINE)[1:]
    yours = [name for line in _YOURS.findall(text) for name in _FILE.findall(line)]
    labs = [_lab(number, section, yours) for section in sections if not section.startswith("Questions")]
    return Chapter(number, title.partition("\n")[0].removeprefix(f"{number} "), text, labs)


def _lab(chapter: str, section: str, yours: Sequence[str]) -> CourseLab:
    heading, _, body = section.partition("\n")
    lab, _, title = heading.partition(" ")
    shows, missing = _SHOWS.search(body), _MISSING.search(body)
    commands = [line for block in _COMMANDS.findall(body) for line in block.splitlines()]
    return CourseLab(
        chapter=chapter,
        lab=lab,
        title=title,
        commands=commands,
        yours=[name for name in yours if any(f" {name}" in line for line in commands)],
        shows=_plain(shows[1]) if shows else "",
        missing=_plain(missing[0]) if missing else None,
    )
