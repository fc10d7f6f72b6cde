"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

import numpy as np

from tinyml_cli.engines.aot.kernel import (
    Kernel,
    OpContext,
    Overlap,
    read,
    scale_of,
    write,
    zero_point_of,
)
from tinyml_cli.engines.aot.ops.window import declaration, sweep_of, window_of
from tinyml_cli.engines.aot.overlap import raster_lead
from tinyml_cli.wording import counted

# What TensorFlow Lite Micro takes for the same scale.
_SCALE_TOLERANCE = 1e-6


def average_pool_2d(context: OpContext) -> Kernel:
    """AVERAGE_POOL_2D; sums are divided by the number of values inside the image."""
    return _pool(context, "average")


def max_pool_2d(context: OpContext) -> Kernel:
    """MAX_POOL_2D."""
    return _pool(context, "max")


def _pool(context: OpContext, kind: str) -> Kernel:
    is_wide = context.input().dtype == "int16"
    source = context.wide() if is_wide else context.activation()
    target = context.wide_output() if is_wide else context.output()
    channels = context.image(source)[3]
    if context.image(target)[3] != channels:
        context.refuse(
            f"produces {counted(target.shape[3], 'channel')} from {channels}", "Convert the model again."
        )
    difference = abs(np.float32(scale_of(source)) - np.float32(scale_of(target)))
    if difference > _SCALE_TOLERANCE or zero_point_of(source) != zero_point_of(target):
        context.refuse("makes values of another scale than its input's", "Quantise the model again.")
    window = window_of(context, (context.option("filter_height"), context.option("filter_width")))
    body = f"""\
{declaration(context, window)}
tinyml_nn_{kind}_pool_{"s16" if is_wide else "s8"}(&window, {read(source)}, {write(target)});
return 0;"""
    if is_wide:
        return Kernel(body)
    # Each channel's window is read before its output is written: whole pixels keep channels apart.
    return Kernel(
        body, overlaps=(Overlap(0, raster_lead(sweep_of(context, window)), step=channels),), rows=window.rows
    )
