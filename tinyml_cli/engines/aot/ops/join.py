"""Operators that join tensors and constants: CONCATENATION, PACK, PAD."""

from __future__ import annotations

import math

from tinyml_cli.engines.aot import layout
from tinyml_cli.engines.aot.kernel import (
    COPIED,
    Constant,
    Kernel,
    OpContext,
    OutputPiece,
    read,
    scale_of,
    write,
    zero_point_of,
)
from tinyml_cli.engines.aot.ops.move import move
from tinyml_cli.tflite.graph import Tensor
from tinyml_cli.wording import counted

_AGAIN = "Convert the model again."


def concatenation(context: OpContext) -> Kernel:
    """CONCATENATION of tensors of one scale."""
    if context.option("fused_activation_function") != "NONE":
        context.refuse("has a fused activation", "Apply it before.")
    target = context.result()
    rank, axis = len(target.shape), context.option("axis")
    if not -rank <= axis < rank:
        context.refuse(f"joins along axis {axis} of {counted(rank, 'dimension')}", _AGAIN)
    if target.dtype == "int8":
        grids = {
            (scale_of(tensor), zero_point_of(tensor))
            for tensor in (context.output(), *map(context.operand, range(len(context.operator.inputs))))
        }
        if len(grids) != 1:
            context.refuse("joins tensors of different scales", "Convert the model again.")
    return _join(context, target, axis % rank)


def pack(context: OpContext) -> Kernel:
    """PACK: concatenation along a new axis."""
    target = context.result()
    rank, axis = len(target.shape), context.option("axis")
    if not -rank <= axis < rank:
        context.refuse(f"joins along axis {axis} of {counted(rank, 'dimension')}", _AGAIN)
    if (count := context.option("values_count")) != len(context.operator.inputs):
        context.refuse(f"packs {counted(len(context.operator.inputs), 'value')}, not {count}", _AGAIN)
    return _join(context, target, axis % rank)


def pad(context: OpContext) -> Kernel:
    """PAD with the zero point, and PADV2 with a constant."""
    is_wide = context.input().dtype == "int16"
    source = context.wide() if is_wide else context.activation()
    target = context.wide_output() if is_wide else context.output()
    margins = context.constant(1)
    if (
        margins.data is None
        or margins.dtype not in ("int32", "int64")
        or margins.shape != (len(source.shape), 2)
    ):
        context.refuse(f"takes its margins from {margins.label}", _AGAIN)
    before = [int(pair[0]) for pair in margins.data]
    expected = tuple(
        size + int(pair[0]) + int(pair[1]) for size, pair in zip(source.shape, margins.data, strict=True)
    )
    if margins.data.min(initial=0) < 0 or expected != target.shape or not source.elements:
        context.refuse(f"produces {list(target.shape)} where {list(expected)} were expected", _AGAIN)
    dense = layout.strides(target.shape)
    shape = layout.box(source.shape, layout.strides(source.shape), dense)
    start = sum(margin * step for margin, step in zip(before, dense, strict=True))
    width = source.bytes // source.elements
    copy = move(shape, width, read(source), f"{write(target)} + {start}")
    if source.elements == target.elements:
        return Kernel(alias_of=source.index)
    fill = f"memset({write(target)}, {_padding(context, target)}, {target.bytes});\n"
    return Kernel(fill + copy + COPIED)


def _padding(context: OpContext, target: Tensor) -> int:
    if context.graph.input(context.operator, 2) is None:
        return zero_point_of(target)
    value = context.constant(2)
    if value.dtype != "int8" or target.dtype != "int8" or value.data is None or value.elements != 1:
        context.refuse(f"pads with {value.label}, not one int8", _AGAIN)
    return int(value.data.reshape(-1)[0])


def _join(context: OpContext, target: Tensor, axis: int) -> Kernel:
    """Every input is a run of bytes in each of the rows that `axis` and what follows it make."""
    rows = math.prod(target.shape[:axis])
    width = target.bytes // max(1, target.elements)
    row = target.bytes // max(1, rows)
    body, start, pieces, constants = "", 0, [], []
    for number, index in enumerate(context.operator.inputs):
        source = context.input(number)
        run = source.bytes // max(1, rows)
        if source.dtype != target.dtype or not run or start + run > row or run * rows != source.bytes:
            context.refuse(f"joins {list(source.shape)} into {list(target.shape)}", _AGAIN)
        values = read(source)
        if source.data is not None:
            if source.dtype not in ("int8", "int16", "int32", "float32"):
                context.refuse(f"joins {source.label}, a constant of type {source.dtype}", _AGAIN)
            constants.append(Constant(f"input_{number}", source.data))
            values = context.array(f"input_{number}")
        shape = layout.box((rows, run // width), (run // width, 1), (row // width, 1))
        copy = move(shape, width, values, f"{write(target)} + {start // width}", f"box_{number}")
        if rows == 1 and source.data is None:
            pieces.append(OutputPiece(index, start, copy))
        body += copy
        start += run
    if start != row:
        context.refuse(f"produces {list(target.shape)} from {start * rows} bytes", _AGAIN)
    return Kernel(body + COPIED, tuple(constants), pieces=tuple(pieces))
