"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR: tables of where lines come from, over our own kernels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot.kernel import Constant, Kernel, OpContext, read, scale_of, write, zero_point_of

_LONGEST_SIDE = int(np.iinfo(np.int16).max)
_UNIT = 1 << 10

Lines = npt.NDArray[np.int16]
Rule = Callable[[OpContext, int, int], Lines]


def resize_nearest_neighbor(context: OpContext) -> Kernel:
    """RESIZE_NEAREST_NEIGHBOR; input and output have one scale."""
    return _resize(context, "tinyml_nn_resize_nearest_s8", _nearest)


def resize_bilinear(context: OpContext) -> Kernel:
    """RESIZE_BILINEAR; input and output have one scale."""
    if context.option("align_corners") and context.option("half_pixel_centers"):
        context.refuse("asks for aligned corners and for half pixel centers", "Use one of them.")
    return _resize(context, "tinyml_nn_resize_bilinear_s8", _between)


def _resize(context: OpContext, function: str, rule: Rule) -> Kernel:
    source, target = context.activation(), context.output()
    _, height, width, channels = context.image(source)
    _, output_height, output_width, output_channels = context.image(target)
    size = context.constant(1)
    if (
        size.data is None
        or size.data.tolist() != [output_height, output_width]
        or output_channels != channels
    ):
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", "Convert the model again.")
    if (scale_of(source), zero_point_of(source)) != (scale_of(target), zero_point_of(target)):
        context.refuse("makes values of another scale than its input's", "Quantise the model again.")
    if max(height, width, output_height, output_width) > _LONGEST_SIDE:
        context.refuse(f"works on an image longer than {_LONGEST_SIDE} pixels", "Use a smaller image.")
    body = f"""\
static const tinyml_nn_resize resize = {{
    .input_width = {width}, .output_height = {output_height}, .output_width = {output_width},
    .channels = {channels}}};
{function}(&resize, {context.array("rows")}, {context.array("columns")}, {read(source)}, {write(target)});
return 0;"""
    rows, columns = rule(context, height, output_height), rule(context, width, output_width)
    return Kernel(body, (Constant("rows", rows), Constant("columns", columns)))


def _nearest(context: OpContext, size: int, resized: int) -> Lines:
    """For each line of the output the line of the input, in single precision."""
    aligned = context.option("align_corners")
    lines, size_of, resized_of = np.arange(resized, dtype=np.float32), np.float32(size), np.float32(resized)
    if aligned and resized > 1:
        size_of, resized_of = np.float32(size - 1), np.float32(resized - 1)
    offset = np.float32(0.5 if context.option("half_pixel_centers") else 0)
    exact = (lines + offset) * (size_of / resized_of)
    rounded = np.floor(exact.astype(np.float64) + 0.5) if aligned else np.floor(exact)
    return np.minimum(rounded, size - 1).astype(np.int16)


def _between(context: OpContext, size: int, resized: int) -> Lines:
    """[resized, 3]: the two lines of the input around each of the output, and the second one's weight."""
    last, steps = (
        (size - 1, resized - 1) if context.option("align_corners") and resized > 1 else (size, resized)
    )
    scale = (_UNIT * last + steps // 2) // steps
    shift = scale // 2 - _UNIT // 2 if context.option("half_pixel_centers") else 0
    places = np.arange(resized, dtype=np.int64) * scale + shift
    first = np.maximum(places // _UNIT, 0)
    if first.max() >= size:
        # The scale is rounded; TensorFlow Lite Micro reads beyond the image here.
        context.refuse(
            f"stretches {size} to {resized} pixels, whose last lies outside the image",
            "Use half_pixel_centers or align_corners.",
        )
    second = np.minimum((places + _UNIT - 1) // _UNIT, size - 1)
    return np.stack([first, second, places - first * _UNIT], axis=1).astype(np.int16)
