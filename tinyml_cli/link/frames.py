"""The board's model input as images: back to pixels, as half blocks in a terminal, as PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.style import Style
from rich.text import Text

from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image import area_average, with_channels
from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.files import atomic_path
from tinyml_cli.link.protocol import Event, Input
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import TensorQuantization

UPPER_HALF = "▀"


def pixels_of(
    data: bytes, image: ImageInput, quantization: TensorQuantization | None
) -> NDArray[np.uint8] | None:
    """The int8 input of a model as uint8 [size, size, channels]; None where the bytes do not fit."""
    if quantization is None or len(data) != image.size**2 * image.channels:
        return None
    steps = np.frombuffer(data, np.int8).astype(np.float64) - quantization.zero_point
    shares = (steps * quantization.scale - image.low) / (image.high - image.low)
    pixels = np.clip(np.rint(shares * 255), 0, 255).astype(np.uint8)
    return pixels.reshape(image.size, image.size, image.channels)


def half_blocks(pixels: NDArray[np.uint8], side: int) -> Text:
    """A picture of `side` columns and half as many lines: each character shows two pixels."""
    side = max(2, min(side, pixels.shape[0])) // 2 * 2
    small = with_channels(area_average(pixels, side, side), 3)
    picture = Text()
    for row in range(0, side, 2):
        for upper, lower in zip(small[row], small[row + 1], strict=True):
            picture.append(UPPER_HALF, Style(color=_color(upper), bgcolor=_color(lower)))
        picture.append("\n")
    return picture


class FrameFiles:
    """A filter that passes everything on, and writes each frame as `DIR/frame_N.png`.

    Args:
        folder: where to write; created if missing.
        manifest: gives size and quantisation.

    Raises:
        TinymlError: it is a file, or cannot be made.
    """

    NAME: ClassVar[str] = "png"

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TinymlError(
                f"Cannot create the folder: {error.strerror}", str(folder), "Choose another with --png."
            ) from error
        self._folder = folder
        self._image = manifest.image
        self._input = manifest.quantization.input if manifest.quantization else None
        self._count = len(list(folder.glob("frame_*.png")))

    def rx(self, event: Event) -> Event | None:
        """Takes one event."""
        if isinstance(event, Input) and self._image is not None:
            pixels = pixels_of(event.data, self._image, self._input)
            if pixels is not None:
                self._write(pixels)
        return event

    def _write(self, pixels: NDArray[np.uint8]) -> None:
        from PIL import Image

        self._count += 1
        with atomic_path(self._folder / f"frame_{self._count:05d}.png") as temporary:
            Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(temporary)


def _color(pixel: NDArray[np.uint8]) -> Color:
    red, green, blue = map(int, pixel)
    return Color.from_rgb(red, green, blue)
