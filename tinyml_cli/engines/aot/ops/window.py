"""A window that slides over an image: its geometry, and how the kernels of firmware/lib/tinyml_nn take it."""

from __future__ import annotations

from typing import NamedTuple

from tinyml_cli.engines.aot.kernel import OpContext, RowWindow, same_padding, zero_point_of
from tinyml_cli.engines.aot.overlap import Sweep


class Window(NamedTuple):
    """Geometry, (height, width) each."""

    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int]

    @property
    def rows(self) -> RowWindow:
        """Its vertical part."""
        return RowWindow(self.size[0], self.stride[0], self.dilation[0], self.padding[0])

    @property
    def values(self) -> int:
        """Pixels under it."""
        return self.size[0] * self.size[1]


def window_of(context: OpContext, size: tuple[int, ...], dilation: tuple[int, int] = (1, 1)) -> Window:
    """The window of an operator of this size, with its strides and padding."""
    source, target = context.input(), context.result()
    stride = (context.option("stride_h"), context.option("stride_w"))
    vertical, horizontal = (
        same_padding(
            context, source.shape[axis + 1], size[axis], stride[axis], dilation[axis], target.shape[axis + 1]
        )
        for axis in (0, 1)
    )
    return Window((size[0], size[1]), stride, dilation, (vertical, horizontal))


def dilation_of(context: OpContext) -> tuple[int, int]:
    """How far the pixels of a convolution's window lie apart."""
    return context.option("dilation_h_factor"), context.option("dilation_w_factor")


def declaration(context: OpContext, window: Window) -> str:
    """C: a static tinyml_nn_window called `window`."""
    return f"static const tinyml_nn_window window = {initialiser(context, window)};"


def initialiser(context: OpContext, window: Window) -> str:
    """C: what a tinyml_nn_window holds."""
    source, target = context.input(), context.result()
    return f"""\
{{
    .input_height = {source.shape[1]}, .input_width = {source.shape[2]}, .input_channels = {source.shape[3]},
    .window_height = {window.size[0]}, .window_width = {window.size[1]},
    .stride_y = {window.stride[0]}, .stride_x = {window.stride[1]},
    .dilation_y = {window.dilation[0]}, .dilation_x = {window.dilation[1]},
    .padding_y = {window.padding[0]}, .padding_x = {window.padding[1]},
    .output_height = {target.shape[1]}, .output_width = {target.shape[2]},
    .output_channels = {target.shape[3]},
    .input_zero_point = {zero_point_of(source)}, .output_zero_point = {zero_point_of(target)},
    .activation = {context.clamp(target)}}}"""


def sweep_of(context: OpContext, window: Window) -> Sweep:
    """How it passes over input and output."""
    (_, height, width, channels), (_, output_height, output_width, outputs) = (
        context.input().shape,
        context.result().shape,
    )
    return Sweep(
        (height, width), channels, (output_height, output_width), outputs, window.stride, window.padding
    )
