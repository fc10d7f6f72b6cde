"""Matplotlib for all pictures: text is drawn literally, in a font that has its letters.

Imports matplotlib, so import this module only to draw.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager, ft2font
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter

from tinyml_cli import checks
from tinyml_cli.files import write_atomic
from tinyml_cli.pages.svg_chart import shortened
from tinyml_cli.user_text import visible

_BASE = "DejaVu Sans"  # comes with matplotlib
# Asked first where the base lacks a letter: what systems and distributions bring, by the letters they have.
_PREFERRED = (
    *("Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Yu Gothic", "Meiryo", "IPAexGothic"),
    *("Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Zen Hei", "Droid Sans Fallback"),
    *("Noto Sans CJK KR", "Apple SD Gothic Neo", "Malgun Gothic", "Arial Unicode MS", "Noto Sans"),
)
_PLACEHOLDERS = ("Last Resort",)  # has a box for every letter
_LONGEST_NAME = 28  # beside an axis: more would leave no room for it
_LETTER_WIDTH = 0.55  # of the font's size, on average
_SPELLED = ("HIRAGANA LETTER ", "KATAKANA LETTER ", "HANGUL SYLLABLE ")


def new(width: float, height: float) -> Figure:
    """An empty figure; sizes in inches. It needs no window system and leaves no global state."""
    return Figure(figsize=(width, height), layout="constrained")


def png(figure: Figure, dpi: int) -> bytes:
    """The figure as a PNG; equal figures give equal bytes. A `$` is a `$`, not the start of mathematics."""
    axes = [axis for each in figure.axes for axis in (each.xaxis, each.yaxis)]
    ticks = [label for axis in axes for label in (*axis.get_ticklabels(which="both"), axis.offsetText)]
    texts = [artist for artist in figure.findobj(Text) if isinstance(artist, Text)]
    families, missing = _chosen(frozenset("".join(visible(text.get_text()) for text in texts)))
    for text in texts:
        text.set_fontfamily(list(families))
        if text not in ticks:  # those are made anew by their formatters when they are drawn
            text.set_parse_math(False)
            points = text.get_fontproperties().get_size_in_points()
            text.set_text(_fitting(_drawable(text.get_text(), missing), figure.get_figwidth(), points))
    for axis in axes:
        formatter: Any = axis.get_major_formatter()
        if isinstance(formatter, FuncFormatter):  # names; numbers are matplotlib's own mathematics
            vars(formatter)["format_ticks"] = functools.partial(_ticks, formatter.format_ticks, missing)
    stream = BytesIO()
    figure.set_dpi(dpi)
    with mpl.rc_context({"font.family": list(families)}):
        # `savefig` would lay out and draw everything twice, which takes seconds for many panels.
        canvas: Any = FigureCanvasAgg(figure)
        canvas.print_png(stream, metadata={"Software": checks.DRAWN_BY})
    return stream.getvalue()


def write(path: Path, figure: Figure, dpi: int) -> None:
    """Writes the figure as a PNG.

    Raises:
        TinymlError: the file cannot be written.
    """
    write_atomic(path, png(figure, dpi))


def font_for(text: str) -> tuple[Path, str]:
    """A font's file and the text in letters that it has, for libraries that take a single font."""
    files = dict(_fonts())
    families, _ = _chosen(frozenset(visible(text)))
    file = files[families[-1]]
    return file, _drawable(text, frozenset(visible(text)) - _glyphs(file))


def _fitting(text: str, width_inches: float, points: float) -> str:
    """Lines no longer than the figure is wide: the title of a long name would lose its figures."""
    letters = int(width_inches * 72 / (_LETTER_WIDTH * points))
    return "\n".join(shortened(line, letters) for line in text.split("\n"))


def _ticks(inner: Callable[[Any], list[str]], missing: frozenset[str], values: Sequence[float]) -> list[str]:
    names = (shortened(_drawable(label, missing), _LONGEST_NAME) for label in inner(values))
    return [name.replace("$", r"\$") for name in names]


@functools.cache
def _chosen(letters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Families that have the letters, the base first, and the letters that none has."""
    missing = letters - {"\n", "\t"} - _glyphs(dict(_fonts())[_BASE])
    families = [_BASE]
    for family, file in _fonts():
        if not missing:
            break
        if gained := missing & _glyphs(file):
            families.append(family)
            missing -= gained
    return tuple(families), missing


@functools.cache
def _fonts() -> tuple[tuple[str, Path], ...]:
    """(family, file) of every font that is installed, each family once, the preferred ones first."""
    files: dict[str, Path] = {}
    for font in font_manager.fontManager.ttflist:
        if not font.name.startswith(_PLACEHOLDERS) and (font.style, font.weight) == ("normal", 400):
            files.setdefault(font.name, Path(font.fname))
    order = {name: rank for rank, name in enumerate((_BASE, *_PREFERRED))}
    return tuple(sorted(files.items(), key=lambda entry: (order.get(entry[0], len(order)), entry[0])))


@functools.cache
def _glyphs(file: Path) -> frozenset[str]:
    try:
        return frozenset(map(chr, ft2font.FT2Font(str(file)).get_charmap()))
    except (OSError, RuntimeError):  # a font that FreeType cannot read has no letters
        return frozenset()


def _drawable(text: str, missing: frozenset[str]) -> str:
    """Text without the letters that no font has: spelled in Latin where Unicode's names do, else escaped."""
    shown = visible(text).replace("\t", " ")
    if not missing & frozenset(shown):
        return shown
    return "".join(_spelled(letter, missing) if letter in missing else letter for letter in shown)


def _spelled(letter: str, missing: frozenset[str]) -> str:
    name = unicodedata.name(letter, "")
    for prefix in _SPELLED:
        if name.startswith(prefix):
            return name.removeprefix(prefix).split()[-1].lower()
    plain = unicodedata.normalize("NFKD", letter)
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    if plain and plain != letter and not frozenset(plain) & missing:
        return plain
    return letter.encode("unicode_escape").decode("ascii")
