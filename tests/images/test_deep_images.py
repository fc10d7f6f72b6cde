"""Greys of more than eight bits by their real range, phones' formats, and photographs of 108 megapixels."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tinyml_cli.images import image_file
from tinyml_cli.images.image_file import UnreadableImageError, decode

RAMP = np.repeat(np.linspace(0, 1, 64)[None], 32, axis=0)


def encoded(values: np.ndarray, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, form, **options)
    return stream.getvalue()


def with_sbit(png: bytes, bits: int) -> bytes:
    chunk = b"sBIT" + bytes([bits])
    return png[:33] + (1).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + png[33:]


def assert_ramp(data: bytes) -> str:
    """The picture goes from black to white; returns what was understood."""
    pixels, note = decode(data)
    assert pixels.shape == (32, 64, 1)
    assert np.abs(pixels[..., 0].astype(float) - RAMP * 255).max() <= 1
    return note


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_low_bits_of_sixteen_fill_the_range(bits: int, form: str) -> None:
    data = encoded(np.rint(RAMP * (2**bits - 1)).astype(np.uint16), form)
    note = assert_ramp(data)
    assert note == ("" if bits == 16 else f"greys of {bits} bits, by its largest value {2**bits - 1}")


@pytest.mark.parametrize("bits", [9, 10, 12, 13])
def test_declared_bits_need_no_guess(bits: int) -> None:
    data = with_sbit(encoded(np.rint(RAMP * (2**bits - 1)).astype(np.uint16), "PNG"), bits)
    assert assert_ramp(data) == ""
    dark = with_sbit(encoded(np.full((32, 64), 2 ** (bits - 2), np.uint16), "PNG"), bits)
    assert decode(dark).pixels.max() == pytest.approx(64, abs=1)


def test_samples_that_follow_the_standard_fill_sixteen_bits_though_fewer_are_declared() -> None:
    assert assert_ramp(with_sbit(encoded(np.rint(RAMP * 65535).astype(np.uint16), "PNG"), 10)) == ""


@pytest.mark.parametrize("top", [1.0, 255.0, 1023.0, 4095.0, 65535.0])
def test_floats_are_scaled_by_what_they_hold(top: float) -> None:
    note = assert_ramp(encoded((RAMP * top).astype(np.float32), "TIFF"))
    assert bool(note) == (top != 1.0)


def test_floats_below_zero_take_their_own_range_and_say_so() -> None:
    assert assert_ramp(encoded((RAMP * 2 - 1).astype(np.float32), "TIFF")) == "greys from -1 to 1"
    assert "from -20 to 60" in assert_ramp(encoded((RAMP * 80 - 20).astype(np.float32), "TIFF"))


def test_a_declared_largest_value_is_white() -> None:
    values = (RAMP * 5000).astype(np.float32)
    assert assert_ramp(encoded(values, "TIFF", tiffinfo={341: 5000.0, 340: 0.0})) == ""


def test_sixteen_bit_pgm_is_scaled_by_its_header() -> None:
    values = np.rint(RAMP * 1023).astype(">u2")
    assert assert_ramp(b"P5\n64 32\n1023\n" + values.tobytes()) == ""


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(UnreadableImageError, match="not numbers"):
        decode(encoded(np.full((32, 64), np.nan, np.float32), "TIFF"))


def test_a_photograph_of_108_megapixels_is_read_at_an_eighth() -> None:
    photograph = np.zeros((9000, 12000), np.uint8)
    photograph[:, 6000:] = 255
    data = encoded(photograph, "JPEG")
    pixels = decode(data).pixels
    assert pixels.shape == (1125, 1500, 1)
    assert (pixels[:, :700].max(), pixels[:, 800:].min()) == (0, 255)


@pytest.mark.parametrize("form", ["AVIF", "HEIF"])
def test_phones_formats_are_read(form: str) -> None:
    if form == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    data = encoded(np.repeat(np.rint(RAMP * 255).astype(np.uint8)[..., None], 3, axis=2), form, quality=95)
    pixels = decode(data).pixels
    assert np.abs(pixels.mean(axis=2) - RAMP * 255).max() < 12
    assert ".heic" in image_file.suffixes() and ".avif" in image_file.suffixes()


def test_without_the_extra_the_line_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    data = encoded(np.zeros((32, 64, 3), np.uint8), "HEIF")
    monkeypatch.setattr(image_file, "open_heif", lambda: False)
    monkeypatch.delitem(Image.OPEN, "HEIF")
    with pytest.raises(UnreadableImageError, match=r'pip install "tinyml-cli\[phone\]"'):
        decode(data)


def test_postscript_starts_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
    with pytest.raises(UnreadableImageError):
        decode(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n showpage\n%%EOF\n")
    assert ".eps" not in image_file.suffixes()


def tiff(values: np.ndarray, white_is_zero: bool = False) -> bytes:
    """A TIFF of one strip that says what its samples are: Pillow writes no signed or unsigned 32 bits."""
    (rows, columns), kind = values.shape, "uif".index(values.dtype.kind) + 1
    content = values.astype(values.dtype.newbyteorder("<")).tobytes()
    tags = [
        (256, columns), (257, rows), (258, 8 * values.dtype.itemsize), (259, 1),
        (262, int(not white_is_zero)), (273, 8), (277, 1), (278, rows), (279, len(content)), (339, kind),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(content)) + content + directory


@pytest.mark.parametrize("kind", ["u2", "u4", "i2", "i4"])
def test_whole_numbers_that_fill_their_type_are_as_bright_as_they_are(kind: str) -> None:
    most = np.iinfo(kind).max
    assert assert_ramp(tiff(np.rint(RAMP * most).astype(kind))) == ""
    assert (
        assert_ramp(tiff(np.rint(RAMP * 4095).astype(kind))) == "greys of 12 bits, by its largest value 4095"
    )


@pytest.mark.parametrize("kind", ["i1", "i2", "i4"])
def test_negative_greys_are_the_dark_ones(kind: str) -> None:
    most = np.iinfo(kind).max
    assert "its own range" in assert_ramp(tiff(np.rint((2 * RAMP - 1) * most).astype(kind)))


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_white_may_be_zero(kind: str) -> None:
    assert_ramp(tiff(np.rint((1 - RAMP) * np.iinfo(kind).max).astype(kind), white_is_zero=True))


@pytest.mark.parametrize(
    ("kind", "says"),
    [("f8", "floating-point of 64 bits"), ("f2", "floating-point of 16 bits"), ("c8", "complex of 64 bits")],
)
@pytest.mark.parametrize("order", "<>")
def test_samples_that_are_not_read_are_named(kind: str, says: str, order: str) -> None:
    values = np.zeros((32, 64), order + kind)
    tags = {
        256: 64,
        257: 32,
        258: 8 * values.itemsize,
        259: 1,
        262: 1,
        273: 8,
        277: 1,
        278: 32,
        279: values.nbytes,
    }
    tags[339] = {"f": 3, "c": 6}[kind[0]]
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in tags.items())
    header = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8 + values.nbytes)
    data = header + values.tobytes() + struct.pack(order + "H", len(tags)) + entries + bytes(4)
    with pytest.raises(UnreadableImageError, match=f"{says}, which is not read; save it"):
        decode(data)
