"""Writes notebooks/*.ipynb from the pages of docs/course; --check only compares.

A notebook has the text of its pages, and a cell for each command. What a command draws is shown below it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tinyml_cli.learn.course import Chapter, chapters

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
# Name of a notebook -> its title and its chapters.
NOTEBOOKS = {
    "fundamentals": ("Fundamentals", ("2.1", "2.2", "2.3", "2.4", "2.5")),
    "keyword-spotting": ("Keyword spotting", ("3.5", "3.6", "3.9", "4.5", "4.6")),
    "visual-wake-words": ("Visual wake words", ("3.7", "4.2", "4.7")),
    "magic-wand": ("The magic wand", ("4.8",)),
    "anomaly-detection": ("Anomaly detection", ("3.8", "4.9")),
    "compression": ("Quantization and compression", ("3.3", "3.4", "5.6")),
    "deployment": ("Deployment without a board", ("4.4", "5.7", "5.8")),
    "mlops": ("MLOps", ("5.2", "5.5", "5.9", "5.10", "5.11")),
}
_ABOUT = """\
From the pages of docs/course; `tinyml course` lists them all. Files and folders such as `photos/` are yours:
upload them first. Cells with `nano33ble` need a board at your computer, those with `sim` the packages that
docs/installation.md names; `--board native` needs neither."""
_START = """\
# In Colab, or wherever tinyml is not installed yet:
import shutil

if shutil.which("tinyml") is None:
    %pip install --quiet "tinyml-cli[train,speech]"

from pathlib import Path

from IPython.display import Image, display

shown = set(Path(".").rglob("*.png"))


def show():
    \"\"\"The pictures that the last command drew.\"\"\"
    for picture in sorted(set(Path(".").rglob("*.png")) - shown):
        display(Image(str(picture)))
        shown.add(picture)"""
_BLOCK = re.compile(r"^```sh\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]+\)")


def notebook(title: str, pages: list[Chapter]) -> str:
    """The file's text."""
    cells = [_text(f"# {title}\n\n{_ABOUT}"), _code(_START)]
    for page in pages:
        text = re.sub(r"^#", "##", page.text, flags=re.MULTILINE)
        for index, part in enumerate(_BLOCK.split(text)):
            if index % 2:
                cells += [_code(f"!{command}\nshow()") for command in part.splitlines()]
            elif part.strip():
                cells.append(_text(_LINK.sub(r"\1", part).strip()))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(source: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "metadata": {}, "source": source.splitlines(keepends=True), **empty}


def main() -> int:
    """Writes or compares."""
    pages = {chapter.number: chapter for chapter in chapters()}
    stale = []
    for name, (title, numbers) in NOTEBOOKS.items():
        path = FOLDER / f"{name}.ipynb"
        text = notebook(title, [pages[number] for number in numbers])
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(f"run scripts/notebooks.py: {', '.join(stale)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
