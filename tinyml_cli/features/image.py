"""Images to the model's int8 input, the host side of `firmware/lib/image`: the same integers.

The sums of the area average are whole numbers below 2^53, so float64 matrix products compute them exactly.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image_settings import FrameFormat, PixelTransform
from tinyml_cli.next_step import on_this_run

Pixels = NDArray[np.uint8]

# IMAGE_MAX_SIDE of the firmware; the host reads larger photographs with the same arithmetic.
MAX_FRAME_SIDE = 1024
_SHIFT = 16
_LARGEST_MULTIPLIER = 1 << 22
_LARGEST_OFFSET = 1 << 30


def luma(pixels: Pixels) -> Pixels:
    """Grey [..., 1] of red, green, blue [..., 3]: ITU-R BT.601, weights in 256ths."""
    red, green, blue = (pixels[..., i].astype(np.uint32) for i in range(3))
    grey: Pixels = ((77 * red + 150 * green + 29 * blue + 128) >> 8).astype(np.uint8)[..., None]
    return grey


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """uint8 [..., 1 or 3] as [..., channels]: grey of colours, or grey three times."""
    if pixels.shape[-1] == channels:
        return pixels
    return luma(pixels) if channels == 1 else np.repeat(pixels, 3, axis=-1)


def area_average(pixels: Pixels, height: int, width: int) -> Pixels:
    """Scales uint8 [rows, columns, channels] to [height, width, channels]; means are rounded to nearest."""
    rows, columns, channels = pixels.shape
    flat = _weights(rows, height) @ pixels.reshape(rows, columns * channels).astype(np.float64)
    turned = flat.reshape(height, columns, channels).transpose(0, 2, 1)
    sums = turned @ _weights(columns, width).T
    area = rows * columns
    means = (sums.astype(np.int64) + area // 2) // area
    return np.ascontiguousarray(means.transpose(0, 2, 1).astype(np.uint8))


def centred(pixels: Pixels, height: int, width: int) -> Pixels:
    """The largest centred part of [rows, columns, channels] with the shape of height x width."""
    rows, columns = pixels.shape[:2]
    wanted_columns = max(1, min(columns, rows * width // height))
    wanted_rows = max(1, min(rows, columns * height // width))
    top, left = (rows - wanted_rows) // 2, (columns - wanted_columns) // 2
    return pixels[top : top + wanted_rows, left : left + wanted_columns]


def to_input_size(pixels: Pixels, size: int, channels: int) -> Pixels:
    """What the firmware makes of a frame uint8 [rows, columns, 1 or 3]: uint8 [size, size, channels]."""
    return area_average(with_channels(centred(pixels, 1, 1), channels), size, size)


def pack_frame(pixels: Pixels, width: int, height: int, frame_format: FrameFormat) -> bytes:
    """An image uint8 [rows, columns, 1 or 3] as the camera would send it.

    The image's centred square becomes the frame's, which is all that a model sees, so a board judges what the
    host judges. Around it lies what the image has there, else its edge again.
    """
    fitted = _fit(with_channels(pixels, 1 if frame_format == "grey" else 3), width, height)
    if frame_format == "grey":
        return fitted.tobytes()
    scaled = fitted.astype(np.uint16)
    words = (scaled[..., 0] >> 3 << 11) | (scaled[..., 1] >> 2 << 5) | (scaled[..., 2] >> 3)
    return words.astype(">u2").tobytes()


def _fit(pixels: Pixels, width: int, height: int) -> Pixels:
    short, side = min(pixels.shape[:2]), min(width, height)
    needed = [
        min(have, -(-short * want // side)) for have, want in zip(pixels.shape, (height, width), strict=False)
    ]
    cut = pixels
    for axis, count in enumerate(needed):
        start = (pixels.shape[axis] - count) // 2
        cut = cut.take(np.arange(start, start + count), axis=axis)
    rows, columns = (max(1, round(count * side / short)) for count in needed)
    scaled = area_average(cut, rows, columns)
    for axis, want in enumerate((height, width)):
        # Indices beyond an edge take the edge.
        indices = np.arange(want) + (scaled.shape[axis] - want) // 2
        scaled = scaled.take(np.clip(indices, 0, scaled.shape[axis] - 1), axis=axis)
    return np.ascontiguousarray(scaled)


def unpack_frame(frame: bytes, width: int, height: int, frame_format: FrameFormat) -> Pixels:
    """A camera's frame as uint8 [height, width, 1 or 3].

    Raises:
        TinymlError: not as many bytes as such a frame has.
    """
    per_pixel = 1 if frame_format == "grey" else 2
    if len(frame) != width * height * per_pixel:
        raise TinymlError(
            f"{len(frame)} bytes are not a {frame_format} frame of {width} x {height}",
            "frame",
            f"It needs {width * height * per_pixel} bytes.",
        )
    if frame_format == "grey":
        return np.frombuffer(frame, np.uint8).reshape(height, width, 1)
    words = np.frombuffer(frame, ">u2").reshape(height, width).astype(np.uint16)
    red, green, blue = words >> 11, words >> 5 & 0x3F, words & 0x1F
    channels = (red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2)
    return np.stack(channels, axis=-1).astype(np.uint8)


def pixel_transform(scale: float, zero_point: int, low: float, high: float) -> PixelTransform:
    """The integers that turn a pixel into int8, for a model to which 0 means `low` and 255 means `high`.

    Args:
        scale, zero_point: of the model's int8 input.
        low, high: what the float model sees for black and white.

    Raises:
        TinymlError: no such integers within the firmware's 32 bits.
    """
    factor = (high - low) / 255 / scale if scale > 0 else -1.0
    multiplier = round(factor * 2**_SHIFT)
    offset = round((low / scale + zero_point) * 2**_SHIFT) + (1 << (_SHIFT - 1)) if scale > 0 else 0
    if not 0 < multiplier < _LARGEST_MULTIPLIER or abs(offset) >= _LARGEST_OFFSET:
        raise TinymlError(
            f"an input scale of {scale:g} cannot be applied to pixels in integers",
            "model_int8.tflite",
            f"Quantize again with images of the same kind: {on_this_run('quantize')}",
        )
    return PixelTransform(multiplier, offset, _SHIFT)


def quantize_pixels(pixels: Pixels, transform: PixelTransform) -> NDArray[np.int8]:
    """The int8 model input of uint8 pixels of any shape, by the integers that the device uses."""
    every = np.arange(256, dtype=np.int64) * transform.multiplier + transform.offset
    table = np.clip(every >> transform.shift, -128, 127).astype(np.int8)
    quantized: NDArray[np.int8] = table[pixels]
    return quantized


@lru_cache(maxsize=32)
def _weights(length: int, parts: int) -> NDArray[np.float64]:
    """[parts, length]: how much of each source pixel lies below each output pixel, in units of 1/parts."""
    edges = np.arange(parts + 1, dtype=np.int64) * length
    cells = np.arange(length + 1, dtype=np.int64) * parts
    low = np.maximum(edges[:-1, None], cells[None, :-1])
    high = np.minimum(edges[1:, None], cells[None, 1:])
    weights: NDArray[np.float64] = np.maximum(high - low, 0).astype(np.float64)
    return weights
