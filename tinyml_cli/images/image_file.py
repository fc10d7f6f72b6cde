"""Images in photographers' and phones' formats, as a viewer shows them: upright, in grey or RGB."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.phone import HEIF_SUFFIXES, INSTALL_PHONE, open_heif
from tinyml_cli.errors import TinymlError
from tinyml_cli.images import deep_grey
from tinyml_cli.limits import over_limit

if TYPE_CHECKING:
    from PIL import Image

# Below this nothing can be recognised, and it is a placeholder or a tracking pixel rather than a photograph.
MIN_SIDE = 8
# Larger photographs are halved, as often as needed, before the exact arithmetic: it would gain nothing.
_WORKING_SIDE = 2048
# Pillow's readers of single pictures. Left out: EPS, which starts Ghostscript; icons, PDF and films.
_FORMATS = (
    "JPEG", "MPO", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "AVIF", "HEIF", "JPEG2000", "PPM", "TGA",
    "PCX", "SGI", "SUN", "QOI",
)  # fmt: skip
# Bytes a pixel in Pillow's memory, and what each decoder holds besides, both as measured or from its source.
_MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
_DECODER_BYTES = {"JPEG2000": 12, "AVIF": 6, "HEIF": 6, "WEBP": 4}
_TILE_WIDTH, _TILE_LENGTH, _ROWS_PER_STRIP = 322, 323, 278
_ORIENTATION = 0x0112
# Large files are decoded one at a time, however many threads read a folder.
_LARGE_BYTES = 64 << 20
_one_large_file = threading.Lock()


class UnreadableImageError(Exception):
    """A file that holds no usable image; the text says why."""


class Decoded(NamedTuple):
    """A picture.

    Attributes:
        pixels: uint8 [rows, columns, 1 or 3].
        note: what was understood where a file leaves it open, such as the range of deep greys; else empty.
    """

    pixels: NDArray[np.uint8]
    note: str


def read_bytes(path: Path) -> bytes:
    """A file's bytes.

    Raises:
        UnreadableImageError: it cannot be opened, or is larger than the limit for one file.
    """
    try:
        if reason := over_limit(path.stat().st_size):
            raise UnreadableImageError(reason)
        return path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(error.strerror or str(error)) from error


def decode_image(data: bytes) -> NDArray[np.uint8]:
    """The pixels of `decode`: uint8 [rows, columns, 1 or 3]."""
    return decode(data).pixels


def decode(data: bytes, min_side: int = MIN_SIDE) -> Decoded:
    """The first picture in a file's bytes.

    EXIF rotation is carried out, CMYK and palettes are converted, deep greys are scaled, transparency is
    ignored, JPEG is decoded at an eighth of its size where that suffices.

    Raises:
        UnreadableImageError: damaged, cut off, no image, smaller than `min_side`, or over the limit of memory
            for one file.
    """
    with (
        _judged(data, min_side) as (opened, needed_bytes),
        _one_large_file if needed_bytes > _LARGE_BYTES else contextlib.nullcontext(),
    ):
        return _decoded(opened, data)


def check_size(data: bytes) -> None:
    """Judges a picture by its header alone.

    Raises:
        UnreadableImageError: no image, or over the limit of memory for one file.
    """
    with _judged(data, 1):
        return


@contextlib.contextmanager
def _judged(data: bytes, min_side: int) -> Iterator[tuple[Image.Image, int]]:
    """An open picture, ready to be decoded, and the memory that this takes."""
    try:
        with _quiet_pillow(), _opened(data) as opened:
            if min(opened.size) < min_side:
                raise UnreadableImageError(
                    f"{opened.width} x {opened.height} pixels; the minimum is {min_side} per side"
                )
            declared_pixels = opened.width * opened.height
            opened.draft("RGB", (_WORKING_SIDE // 2, _WORKING_SIDE // 2))
            needed_bytes = max(declared_pixels, _decoded_bytes(opened, declared_pixels))
            if reason := over_limit(needed_bytes):
                raise UnreadableImageError(reason)
            yield opened, needed_bytes
    except (UnreadableImageError, TinymlError):
        raise
    # Pillow's readers raise whatever their format's parser trips over.
    except Exception as error:
        raise UnreadableImageError(_reason(error, data)) from error


@cache
def suffixes() -> frozenset[str]:
    """File name endings of images that are read, perhaps with the extra `phone`, such as ".jpg"."""
    from PIL import Image

    Image.init()
    known = {ending for ending, kind in Image.registered_extensions().items() if kind in _FORMATS}
    return frozenset(known | set(HEIF_SUFFIXES))


@contextlib.contextmanager
def _quiet_pillow() -> Iterator[None]:
    from PIL import Image

    # Pillow would refuse the photographs of today's phones; the limit here counts bytes, not pixels.
    Image.MAX_IMAGE_PIXELS = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _opened(data: bytes) -> Image.Image:
    from PIL import Image

    Image.init()
    open_heif()
    return Image.open(BytesIO(data), formats=[name for name in _FORMATS if name in Image.OPEN])


def _decoded_bytes(image: Image.Image, declared_pixels: int) -> int:
    """The memory that decoding takes: the picture, a converted copy of it, and the decoder's own."""
    pixels = image.width * image.height
    held = _MODE_BYTES.get(image.mode, 4)
    converted = 0 if image.mode in ("L", "RGB") else 1 if image.mode == "1" else 4
    own = _DECODER_BYTES.get(image.format or "", 0) * pixels
    if image.format in ("JPEG", "MPO") and image.info.get("progressive"):
        own = 2 * len(image.getbands()) * declared_pixels  # libjpeg keeps every coefficient, in two bytes
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        tile = int(tags.get(_TILE_WIDTH, 0)) * int(tags.get(_TILE_LENGTH, 0))
        own = 4 * max(tile, image.width * min(image.height, int(tags.get(_ROWS_PER_STRIP, image.height))))
    return (held + converted) * pixels + own


def _decoded(opened: Image.Image, data: bytes) -> Decoded:
    from PIL import Image

    opened.load()
    orientation = opened.getexif().get(_ORIENTATION, 1)
    note = ""
    image: Image.Image = opened
    if (values := deep_grey.values_of(image)) is not None:
        declared = deep_grey.declared_range(opened, data, float(values.max()))
        grey, note = deep_grey.to_uint8(values, declared)
        image = Image.fromarray(deep_grey.inverted(grey, opened))
    else:
        deep_grey.refuse_shallow_colour(opened, data)
        image = _converted(image)
    factor = max(1, max(image.size) // _WORKING_SIDE)
    array = np.asarray(image.reduce(factor) if factor > 1 else image, np.uint8)
    return Decoded(_upright(array if array.ndim == 3 else array[..., None], orientation), note)


def _converted(image: Image.Image) -> Image.Image:
    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Carries out EXIF's orientation 1 to 8."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _reason(error: Exception, data: bytes) -> str:
    if type(error).__name__ == "UnidentifiedImageError":
        if data[4:8] == b"ftyp":
            return f"HEIC and AVIF need an extra: {INSTALL_PHONE}"
        return deep_grey.unread_tiff(data) or "its content is no known image format"
    text = str(error).split("<_io")[0].strip().rstrip(".")
    return text or type(error).__name__
