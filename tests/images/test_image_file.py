"""Images as people have them: turned, in CMYK, with palettes, cut off, or no images at all."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tinyml_cli.images.image_file import UnreadableImageError, decode_image, suffixes

ORIENTATION = 0x0112


def gradient(width: int = 40, height: int = 20) -> Image.Image:
    """Dark at the left, bright at the right."""
    row = np.linspace(0, 255, width).astype(np.uint8)
    return Image.fromarray(np.repeat(row[None], height, axis=0))


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def test_exif_rotation_is_carried_out() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # the camera was held upright: turn clockwise to look at it
    pixels = decode_image(encoded(gradient(), "JPEG", exif=exif))
    assert pixels.shape == (40, 20, 1)
    assert pixels[0].mean() < 20
    assert pixels[-1].mean() > 230


@pytest.mark.parametrize(
    ("mode", "form", "channels"),
    [
        ("L", "PNG", 1), ("1", "PNG", 1), ("LA", "PNG", 1), ("RGB", "JPEG", 3), ("RGBA", "PNG", 3),
        ("P", "GIF", 3), ("CMYK", "JPEG", 3), ("RGB", "WEBP", 3), ("RGB", "BMP", 3), ("RGB", "TIFF", 3),
        ("YCbCr", "JPEG", 3),
    ],
)  # fmt: skip
def test_every_kind_of_image_becomes_grey_or_rgb(mode: str, form: str, channels: int) -> None:
    pixels = decode_image(encoded(gradient().convert(mode), form))
    assert pixels.dtype == np.uint8
    assert pixels.shape == (20, 40, channels)
    assert pixels[:, -4:].mean() > pixels[:, :4].mean() + 100


def test_sixteen_bits_keep_their_range() -> None:
    values = np.linspace(0, 65535, 40).astype(np.uint16)
    pixels = decode_image(encoded(Image.fromarray(np.repeat(values[None], 20, axis=0)), "PNG"))
    assert pixels.shape == (20, 40, 1)
    assert (pixels.min(), pixels.max()) == (0, 255)


def test_a_large_photograph_is_reduced_but_keeps_its_shape() -> None:
    pixels = decode_image(encoded(gradient(6000, 3000), "PNG"))
    assert pixels.shape[1] == 2 * pixels.shape[0]
    assert 1024 <= pixels.shape[1] <= 4096


def test_a_truncated_jpeg_is_no_image() -> None:
    data = encoded(gradient(200, 200), "JPEG")
    with pytest.raises(UnreadableImageError, match="truncated"):
        decode_image(data[: len(data) // 2])


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (100, 7)])
def test_a_pixel_is_no_image(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadableImageError, match="the minimum is 8 per side"):
        decode_image(encoded(gradient(*size), "PNG"))


@settings(max_examples=80, deadline=None)
@given(data=st.binary(max_size=200), position=st.integers(0, 400), head=st.booleans())
def test_any_bytes_are_an_image_or_refused(data: bytes, position: int, head: bool) -> None:
    whole = encoded(gradient(), "JPEG")
    mixed = whole[:position] + data + whole[position + len(data) :] if head else data
    try:
        assert decode_image(mixed).ndim == 3
    except UnreadableImageError as error:
        assert str(error)


def test_the_usual_suffixes_are_known() -> None:
    assert {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif"} <= suffixes()
    assert ".txt" not in suffixes()
