"""Writes notebooks/*.ipynb from the pages of docs/course; --check only compares.

A notebook has the text of its pages, and a cell for each command. What a command draws is shown below it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import jupytext

from tinyml_cli.learn.course import Chapter, chapters

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
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
From the pages of docs/course; `tinyml course` lists them all. Upload first what a page calls *yours*. Cells
with `nano33ble` need a board at your computer, those with `sim` the packages that docs/installation.md names;
`--board native` needs neither."""
_UPLOAD = "In Colab, open this file by *File*, *Upload notebook*."
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
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]+\)")


def notebook(name: str, title: str, pages: list[Chapter]) -> str:
    """The file's text."""
    parts = [f"# {title}\n\n{_ABOUT}\n\n{_in_colab(name)}", _code(_START)]
    for page in pages:
        text = _LINK.sub(r"\1", re.sub(r"^#", "##", page.text, flags=re.MULTILINE))
        parts.append(_BLOCK.sub(lambda block: _cells(block[1]), text).strip())
    document = jupytext.reads("\n\n".join(parts), fmt="md")
    for number, cell in enumerate(document.cells):
        cell["id"] = f"cell-{number}"
    document.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    text: str = jupytext.writes(document, fmt="ipynb")
    return text.rstrip("\n") + "\n"


def _in_colab(name: str) -> str:
    """A badge that opens the notebook; it needs the public address of the repository."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    repository = re.fullmatch(r"https://github\.com/(.+?)/?", project.get("urls", {}).get("Repository", ""))
    if repository is None:
        return _UPLOAD
    colab, page = "https://colab.research.google.com", f"blob/main/notebooks/{name}.ipynb"
    return f"[![Open In Colab]({colab}/assets/colab-badge.svg)]({colab}/github/{repository[1]}/{page})"


def _cells(commands: str) -> str:
    return "\n\n".join(_code(f"!{command}\nshow()") for command in commands.splitlines())


def _code(source: str) -> str:
    return f"```python\n{source}\n```"


def main() -> int:
    """Writes or compares."""
    pages = {chapter.number: chapter for chapter in chapters()}
    stale = []
    for name, (title, numbers) in NOTEBOOKS.items():
        path = FOLDER / f"{name}.ipynb"
        text = notebook(name, title, [pages[number] for number in numbers])
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
