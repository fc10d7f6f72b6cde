"""The files of the page: its own, the house style, the senses of the one-file page, and uPlot."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from tinyml_cli.download import uplot
from tinyml_cli.files import cache_dir, firmware_dir
from tinyml_cli.pages import templates

_IMPORT = re.compile(r'import\s+(?:\{[^}]*\}\s+from\s+|\w+\s+from\s+)?"\./([\w.]+)"')
_LAZY = re.compile(r'import\("(?:\./|/web/)([\w.]+)"\)')
_FRAME = "studio.mjs"

_WEB = Path(__file__).resolve().parent / "web"
SHELL = _WEB / "index.html"

_MEDIA_TYPES = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}


@functools.cache
def files() -> dict[str, Path]:
    """Name below `/web/` -> file. uPlot is missing where it could not be fetched."""
    found = {path.name: path for path in sorted(_WEB.iterdir()) if path.suffix in _MEDIA_TYPES}
    found["page.css"] = templates.FOLDER / "page.css"
    found |= {name: firmware_dir() / "page" / name for name in ("senses.mjs", "sound.mjs")}
    for name in uplot.FILES:
        carried = _WEB / "vendor" / Path(name).name  # in a wheel
        fetched = cache_dir() / uplot.FOLDER / uplot.INSIDE / name
        found |= {path.name: path for path in (carried, fetched) if path.is_file()}
    return found


@functools.cache
def shell(page: str) -> str:
    """The HTML of a page. It names the modules that the page needs: they load at once, not in turns."""
    wanted: list[str] = []
    waiting = [_FRAME, f"{page}.mjs"]
    while waiting:
        name = waiting.pop(0)
        if name in wanted or name not in files():
            continue
        wanted.append(name)
        text = files()[name].read_text(encoding="utf-8")
        lazy = _LAZY.findall(text) if name != _FRAME else []  # the frame's are the other pages
        waiting += [*_IMPORT.findall(text), *lazy]
    links = "".join(f'<link rel="modulepreload" href="/web/{name}">\n' for name in wanted)
    return SHELL.read_text(encoding="utf-8").replace("</head>", f"{links}</head>")


def media_type(path: Path) -> str:
    """By the ending, the same on every system: Windows asks its registry."""
    return _MEDIA_TYPES[path.suffix]


def has_charts() -> bool:
    """Whether uPlot is there."""
    return all(Path(name).name in files() for name in uplot.FILES)
