"""Grey values of more than eight bits as eight: by the range that a file declares, else by its values."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.wording import counted

if TYPE_CHECKING:
    from PIL import Image

# Depths of cameras; without a declaration the least that holds the largest value is taken.
_DEPTHS = (8, 10, 12, 14, 16, 24, 32)
_BITS, _PHOTOMETRIC, _MIN_SAMPLE, _MAX_SAMPLE, _SAMPLE_FORMAT, _S_MIN, _S_MAX = (
    258,
    262,
    280,
    281,
    339,
    340,
    341,
)
_UNSIGNED, _SIGNED, _FLOAT, _WHITE_IS_ZERO = 1, 2, 3, 0
_CHANNELS = 277
_PNG = b"\x89PNG\r\n\x1a\n"
_ROWS_BYTES = 8 << 20


def values_of(image: Image.Image) -> NDArray[Any] | None:
    """Greys [rows, columns] in the type that the file declares; None for what is no deep grey.

    Pillow keeps all whole numbers of TIFF as int32, and signed bytes as unsigned ones.
    """
    tags = getattr(image, "tag_v2", None) or {}
    kind, bits = _first(tags.get(_SAMPLE_FORMAT, _UNSIGNED)), _first(tags.get(_BITS, 1))
    if image.mode == "L" and kind == _SIGNED:
        return np.asarray(image).view(np.int8)
    if image.mode != "F" and not image.mode.startswith("I"):
        return None
    values = np.asarray(image)
    if tags and image.mode == "I" and bits == 32 and kind == _UNSIGNED:
        return values.view(np.uint32)
    return values.astype(np.int16) if image.mode == "I" and bits == 16 and kind == _SIGNED else values


def inverted(grey: NDArray[np.uint8], image: Image.Image) -> NDArray[np.uint8]:
    """Greys of a TIFF in which 0 is white, with black as 0, as Pillow gives those of 8 bits."""
    tags = getattr(image, "tag_v2", None) or {}
    return ~grey if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else grey


def declared_range(image: Image.Image, data: bytes, most: float) -> tuple[float, float] | None:
    """(black, white) as TIFF's tags, PNG's sBIT chunk or PGM declare them; None where nothing does.

    Args:
        image: as opened.
        data: its file.
        most: its largest value.
    """
    if image.format == "PNG" and (bits := significant_bits(data)):
        # Files that keep to the standard fill 16 bits all the same; what cameras' drivers write does not.
        return 0.0, float(2**bits - 1) if most < 2**bits else 65535.0
    if image.format == "PPM":
        return 0.0, 1.0 if image.mode == "F" else 65535.0
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        return None
    low, high = tags.get(_S_MIN, tags.get(_MIN_SAMPLE)), tags.get(_S_MAX, tags.get(_MAX_SAMPLE))
    if high is not None:
        black, white = _first(low or 0), _first(high)
        if white > black:
            return black, white
    bits = _first(tags.get(_BITS, 1))
    # 16 and 32 are sizes of containers, which say nothing of what the camera filled.
    if _first(tags.get(_SAMPLE_FORMAT, _UNSIGNED)) == _UNSIGNED and bits not in (16, 32):
        return 0.0, float(2**bits - 1)
    return None


def significant_bits(data: bytes) -> int | None:
    """PNG's sBIT: bits of a sample that the camera gave, the least of its channels; None where unsaid.

    PNG specification (ISO/IEC 15948), 11.3.2.5: samples are scaled to the whole depth of the file.
    """
    position = len(_PNG)
    while position + 8 <= len(data):
        (size,), kind = struct.unpack_from(">I", data, position), data[position + 4 : position + 8]
        payload = data[position + 8 : position + 8 + min(size, 4)]
        if kind == b"sBIT" and payload and 0 < min(payload) <= 16:
            return min(payload)
        if kind == b"IDAT":
            break
        position += 12 + size
    return None


def to_uint8(values: NDArray[Any], declared: tuple[float, float] | None) -> tuple[NDArray[np.uint8], str]:
    """Scales greys [rows, columns] to 0 … 255.

    Args:
        values: integers or floats.
        declared: black and white; None leaves them to the values.

    Returns:
        (uint8 [rows, columns], what was understood; empty where it was declared or fills its type).

    Raises:
        ValueError: a value that is not finite.
    """
    least, most = float(values.min()), float(values.max())
    if not np.isfinite([least, most]).all():
        raise ValueError("it contains values that are not numbers")
    black, white, note = (*declared, "") if declared else _understood(least, most, values.dtype)
    scaled = np.empty(values.shape, np.uint8)
    rows = max(1, _ROWS_BYTES // (8 * max(1, values.shape[1])))
    for start in range(0, len(values), rows):
        part = (values[start : start + rows].astype(np.float64) - black) * (255.0 / (white - black))
        scaled[start : start + rows] = np.clip(np.rint(part), 0, 255)
    return scaled, note


def _understood(least: float, most: float, dtype: np.dtype[Any]) -> tuple[float, float, str]:
    if least < 0:
        if least >= -1 and most <= 1 and dtype.kind == "f":
            return -1.0, 1.0, "greys from -1 to 1"
        return least, max(most, least + 1), f"greys from {least:g} to {most:g}, its own range"
    if dtype.kind == "f" and most <= 1:
        return 0.0, 1.0, ""
    whole = 8 * dtype.itemsize - (dtype.kind == "i")
    depths = sorted({*_DEPTHS, whole}) if dtype.kind == "i" else _DEPTHS
    bits = next((depth for depth in depths if most < 2**depth), None)
    if bits is None:
        return least, most if most > least else least + 1, f"greys from {least:g} to {most:g}, its own range"
    full = dtype.kind != "f" and bits == whole
    return 0.0, float(2**bits - 1), "" if full else f"greys of {bits} bits, by its largest value {most:g}"


def unread_tiff(data: bytes) -> str:
    """Why Pillow does not know a TIFF, by what its samples are; empty for any other file."""
    from PIL import TiffImagePlugin

    if data[:4] not in (b"II*\0", b"MM\0*"):
        return ""
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(data[:8])
        stream = io.BytesIO(data)
        stream.seek(tags.next)
        tags.load(stream)
        kind, bits = _first(tags.get(_SAMPLE_FORMAT, _UNSIGNED)), _first(tags.get(_BITS, 1))
        channels = int(_first(tags.get(_CHANNELS, 1)))
    except Exception:  # whatever a damaged directory makes of it, as for Pillow's other readers
        return ""
    name = {_UNSIGNED: "unsigned", _SIGNED: "signed", _FLOAT: "floating-point"}.get(kind, "complex")
    of = "" if channels == 1 else f" in {counted(channels, 'channel')}"
    what = f"its samples are {name} of {bits} bits{of}, which is not read"
    return f"{what}; save it with 8 or 16 bits or as float32"


def refuse_shallow_colour(image: Image.Image, data: bytes) -> None:
    """Pillow keeps the upper half of a 16-bit colour channel: a camera's 10 or 12 low bits would be lost.

    Raises:
        ValueError: such a file.
    """
    if image.format != "PNG" or data[24:25] != b"\x10":
        return
    if max(high for _, high in np.atleast_2d(image.getextrema())) < 64:
        raise ValueError("its colours use at most 14 of 16 bits; save it with 8 bits")


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) else value
