"""Makes the pictures of the README from the tool's actual output.

script -qec "tinyml pipeline kws --words yes,no --board sim" typescript
python scripts/pictures.py terminal typescript docs/terminal.svg --at "Heard yes" --lines 18

tinyml train wand --labels 0,1,2,3,4 && tinyml quantize && tinyml convert && tinyml evaluate
python scripts/pictures.py report runs/latest/report/report.html docs/report.png

Both were short trainings: 20 epochs of --model tiny_conv, and 8 epochs. Strokes and speech are synthetic.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

_CONTROL = re.compile(r"(\x1b\[\??[0-9;]*[A-Za-z]|\r|\n)")
_REDRAW = "\x1b[2K\x1b[1A"
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_TITLE = "$ tinyml pipeline kws --words yes,no --board sim"


def screen(typed: str) -> list[str]:
    """The lines that a terminal shows in the end; colours stay in them as escape sequences.

    Knows what rich sends: colours, a step up, an erased line, carriage return.
    """
    rows, row, column = [""], 0, 0
    for part in _CONTROL.split(typed):
        if part == "\n":
            row += 1
            rows += [""] * (row + 1 - len(rows))
        elif part == "\r":
            column = 0
        elif up := re.fullmatch(r"\x1b\[(\d+)A", part):
            row = max(0, row - int(up[1]))
        elif part == "\x1b[2K":
            rows[row] = ""
        elif part.startswith("\x1b[?"):
            pass
        elif part:
            rows[row] = part if column == 0 and not part.startswith("\x1b") else rows[row] + part
            column = 1
    return rows


def terminal(typescript: Path, out: Path, at: str, lines: int, width: int) -> None:
    """Draws the last lines of a terminal session, as it looked once `at` had been printed, as SVG."""
    from rich.console import Console
    from rich.terminal_theme import MONOKAI
    from rich.text import Text

    typed = typescript.read_bytes().decode()  # as it is: \r is no end of a line here
    typed = typed.partition("\n")[2].rpartition("\nScript done")[0]
    found = typed.rfind(at)
    if found < 0:
        raise SystemExit(f"`{at}` is not in {typescript}")
    shown = screen(typed[: typed.find(_REDRAW, found)])[-lines:]
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    for line in shown:
        console.print(Text.from_ansi(line), overflow="crop", no_wrap=True)
    # Nothing is fetched when the picture is looked at.
    svg = _FONT_FACE.sub("", console.export_svg(title=_TITLE, theme=MONOKAI))
    out.write_text(svg, encoding="utf-8")


def report(page: Path, out: Path, height: int) -> None:
    """Photographs the top of a report with Chromium, in 64 colours."""
    from PIL import Image

    browser = shutil.which("chromium") or shutil.which("google-chrome") or sys.exit("needs chromium")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--force-device-scale-factor=1.5",
    ]
    subprocess.run(
        [
            browser,
            *options,
            f"--window-size=900,{height}",
            f"--screenshot={out.resolve()}",
            page.resolve().as_uri(),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    Image.open(out).convert("RGB").quantize(64).save(out, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    one = kinds.add_parser("terminal")
    one.add_argument("--at", required=True, help="the last text that the picture shall show")
    one.add_argument("--lines", type=int, default=24)
    one.add_argument("--width", type=int, default=92)
    two = kinds.add_parser("report")
    two.add_argument("--height", type=int, default=1270)
    for kind in (one, two):
        kind.add_argument("source", type=Path)
        kind.add_argument("out", type=Path)
    options = parser.parse_args()
    if options.kind == "terminal":
        terminal(options.source, options.out, options.at, options.lines, options.width)
    else:
        report(options.source, options.out, options.height)


if __name__ == "__main__":
    main()
