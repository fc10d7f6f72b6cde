"""Images of any format that Pillow reads, as they would be looked at: upright, in grey or RGB."""

from __future__ import annotations

import warnings
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

# Below this nothing can be recognised, and it is a placeholder or a tracking pixel rather than a photograph.
MIN_SIDE = 8
# Larger photographs are halved, as often as needed, before the exact arithmetic: it would gain nothing.
_WORKING_SIDE = 2048


class UnreadableImageError(Exception):
    """A file that holds no usable image; the text says why."""


def decode_image(data: bytes) -> NDArray[np.uint8]:
    """The first picture in a file's bytes: uint8 [rows, columns, 1 or 3].

    EXIF rotation is carried out, CMYK, palettes and 16-bit grey are converted, transparency is ignored.

    Raises:
        UnreadableImageError: damaged, cut off, no image, or smaller than MIN_SIDE on a side.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", category=UserWarning)
            with Image.open(BytesIO(data)) as opened:
                opened.draft("RGB", (_WORKING_SIDE // 2, _WORKING_SIDE // 2))
                upright = ImageOps.exif_transpose(opened)
                return _pixels(_reduced(upright))
    except UnreadableImageError:
        raise
    # Pillow's readers raise whatever their format's parser trips over.
    except Exception as error:
        raise UnreadableImageError(_reason(error)) from error


@cache
def suffixes() -> frozenset[str]:
    """File name endings that Pillow knows how to read, such as ".jpg"."""
    from PIL import Image

    Image.init()
    return frozenset(ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN)


def _reduced(image: Image.Image) -> Image.Image:
    if min(image.size) < MIN_SIDE:
        raise UnreadableImageError(f"{image.width} x {image.height} pixels; {MIN_SIDE} a side are the least")
    factor = max(1, max(image.size) // _WORKING_SIDE)
    return image.reduce(factor) if factor > 1 and image.mode in ("L", "RGB", "CMYK") else image


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _from_deep_grey(np.asarray(image))
    converted = image.convert("L" if image.mode in ("1", "L", "LA", "La") else "RGB")
    array = np.asarray(converted, np.uint8)
    return array[..., None] if array.ndim == 2 else array


def _from_deep_grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey of more than eight bits a pixel: 16-bit files use the whole range of their type."""
    scaled = values.astype(np.float64)
    if not np.isfinite(scaled).all():
        raise UnreadableImageError("it holds values that are not numbers")
    top = 255.0 if scaled.max() <= 255 else 65535.0
    return np.clip(np.rint(scaled * (255.0 / top)), 0, 255).astype(np.uint8)[..., None]


def _reason(error: Exception) -> str:
    text = str(error).split("<_io")[0].strip().rstrip(".")
    return text or type(error).__name__
