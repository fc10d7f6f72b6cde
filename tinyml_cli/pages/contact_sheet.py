"""The worst mistakes on one sheet, each with its true label and the given answer."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tinyml_cli.outcomes.evaluations import Mistake
from tinyml_cli.pages.svg_chart import shortened
from tinyml_cli.user_text import one_line

_COLUMNS = 4
_TILE = 144
_CAPTION = 30
_MARGIN = 8
_FONT = 11


def draw(mistakes: Sequence[Mistake], pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file.

    Args:
        mistakes: from `mistakes.worst`.
        pixels: uint8 [n, size, size, channels], indexed by their `index`.
    """
    rows = max(1, -(-len(mistakes) // _COLUMNS))
    width = _COLUMNS * (_TILE + _MARGIN) + _MARGIN
    sheet = Image.new("RGB", (width, rows * (_TILE + _CAPTION + _MARGIN) + _MARGIN), "white")
    pen = ImageDraw.Draw(sheet)
    if not mistakes:
        pen.text((_MARGIN, _MARGIN), "no mistakes", "black")
    for place, entry in enumerate(mistakes):
        left = _MARGIN + place % _COLUMNS * (_TILE + _MARGIN)
        top = _MARGIN + place // _COLUMNS * (_TILE + _CAPTION + _MARGIN)
        tile = picture(pixels[entry.index]).convert("RGB").resize((_TILE, _TILE), Image.Resampling.NEAREST)
        sheet.paste(tile, (left, top))
        _write(pen, (left, top + _TILE + 1), shortened(one_line(entry.label), 20), "black")
        given = f"classified as {shortened(one_line(entry.answer), 10)} {entry.score:.0%}"
        _write(pen, (left, top + _TILE + 15), given, "#b3261e")
    return _png(sheet)


def _write(pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, colour: str) -> None:
    from tinyml_cli.pages import pictures

    file, drawable = pictures.font_for(text)
    pen.text(place, drawable, colour, ImageFont.truetype(str(file), _FONT))


def picture(pixels: NDArray[np.uint8]) -> Image.Image:
    """An image of uint8 [size, size, channels]."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def pixels_uri(pixels: NDArray[np.uint8]) -> str:
    """A data URI of a PNG, so that a report is one file."""
    return f"data:image/png;base64,{base64.b64encode(_png(picture(pixels))).decode('ascii')}"


def _png(image: Image.Image) -> bytes:
    stream = BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
