"""Operators that move values: each output is a box of the input's bytes with its own strides."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinyml_cli.engines.aot import layout
from tinyml_cli.engines.aot.kernel import COPIED, Kernel, OpContext, TensorView, read, write
from tinyml_cli.tflite.graph import Tensor
from tinyml_cli.wording import counted

_LARGEST_RANK = 8
_AGAIN = "Convert the model again."


def transpose(context: OpContext) -> Kernel:
    """TRANSPOSE; free where it only moves dimensions of size 1."""
    source, target = _source(context), context.result()
    order = _integers(context, 1)
    if sorted(order) != list(range(len(source.shape))):
        context.refuse(f"reorders {counted(len(source.shape), 'dimension')} by {order}", _AGAIN)
    if target.shape != tuple(source.shape[axis] for axis in order):
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)} by {order}", _AGAIN)
    dense = layout.strides(source.shape)
    return one_box(context, source, target, 0, target.shape, [dense[axis] for axis in order])


def strided_slice(context: OpContext) -> Kernel:
    """STRIDED_SLICE with constant bounds; free where it is one run of bytes."""
    source, target = _source(context), context.result()
    rank = len(source.shape)
    bounds = [_integers(context, position) for position in (1, 2, 3)]
    if {len(values) for values in bounds} != {rank}:
        context.refuse("has bounds for other dimensions than its input's", _AGAIN)
    masks = {name: context.option(name) for name in _MASKS}
    if masks["ellipsis_mask"] or masks["new_axis_mask"]:
        context.refuse("uses an ellipsis or a new axis", "Write the slice out in full.")
    begins, steps, size = [], [], []
    for axis, (begin, end, step) in enumerate(zip(*bounds, strict=True)):
        bit = 1 << axis
        if step == 0:
            context.refuse("has a step of 0", _AGAIN)
        if masks["shrink_axis_mask"] & bit:
            first = 0 if masks["begin_mask"] & bit else begin
            picked = slice(first, first + 1 or None)
        else:
            picked = slice(
                None if masks["begin_mask"] & bit else begin,
                None if masks["end_mask"] & bit else end,
                step,
            )
        indices = range(source.shape[axis])[picked]
        begins.append(indices.start)
        steps.append(indices.step)
        size.append(len(indices))
    return _cut(context, source, target, begins, steps, size)


def slice_(context: OpContext) -> Kernel:
    """SLICE with constant bounds."""
    source, target = _source(context), context.result()
    begins, sizes = (_integers(context, position) for position in (1, 2))
    if not len(begins) == len(sizes) == len(source.shape):
        context.refuse("has bounds for other dimensions than its input's", _AGAIN)
    size = [
        whole - begin if count == -1 else count
        for whole, begin, count in zip(source.shape, begins, sizes, strict=True)
    ]
    for whole, begin, count in zip(source.shape, begins, size, strict=True):
        if begin < 0 or count < 0 or begin + count > whole:
            context.refuse(f"takes {counted(count, 'value')} from {begin} of {whole}", _AGAIN)
    return _cut(context, source, target, begins, [1] * len(size), size)


def reverse(context: OpContext) -> Kernel:
    """REVERSE_V2 along neighbouring dimensions."""
    source, target = _source(context), context.result()
    axes, rank = sorted(_integers(context, 1)), len(source.shape)
    if not axes or axes != list(range(axes[0], axes[0] + len(axes))) or axes[0] < 0 or axes[-1] >= rank:
        context.refuse(f"reverses the dimensions {axes} of {list(source.shape)}", "Use adjacent ones.")
    if target.shape != source.shape:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", _AGAIN)
    steps = list(layout.strides(source.shape))
    start = 0
    for axis in axes:
        start += (source.shape[axis] - 1) * steps[axis]
        steps[axis] = -steps[axis]
    return one_box(context, source, target, start, source.shape, steps)


def depth_to_space(context: OpContext) -> Kernel:
    """DEPTH_TO_SPACE: channels [block, block, depth] become a block of pixels."""
    source, target, block = _blocks(context)
    batch, height, width, channels = source.shape
    depth = channels // block**2
    if target.shape != (batch, height * block, width * block, depth) or depth * block**2 != channels:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", _AGAIN)
    size = (batch, height, block, width, block, depth)
    row = width * channels
    steps = (height * row, row, block * depth, channels, depth, 1)
    return one_box(context, source, target, 0, size, steps)


def space_to_depth(context: OpContext) -> Kernel:
    """SPACE_TO_DEPTH: a block of pixels becomes channels [block, block, depth]."""
    source, target, block = _blocks(context)
    batch, height, width, channels = source.shape
    size = (batch, height // block, width // block, block, block, channels)
    row = width * channels
    if target.shape != (*size[:3], channels * block**2) or (height % block, width % block) != (0, 0):
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", _AGAIN)
    steps = (height * row, block * row, block * channels, row, channels, 1)
    return one_box(context, source, target, 0, size, steps)


def split(context: OpContext) -> Kernel:
    """SPLIT into equal parts; the axis is the first input."""
    return _parts(context, _source(context, 1), one_axis(context, 0, context.input(1)))


def split_v(context: OpContext) -> Kernel:
    """SPLIT_V into parts of given sizes; the axis is the third input."""
    return _parts(context, _source(context), one_axis(context, 2, context.input()))


def unpack(context: OpContext) -> Kernel:
    """UNPACK into the slices along an axis."""
    source = _source(context)
    axis = context.option("axis")
    rank = len(source.shape)
    if not -rank <= axis < rank:
        context.refuse(f"unpacks axis {axis} of {list(source.shape)}", _AGAIN)
    if (count := context.option("num")) != len(context.operator.outputs):
        context.refuse(f"unpacks {counted(len(context.operator.outputs), 'value')}, not {count}", _AGAIN)
    return _parts(context, source, axis % rank)


def one_box(
    context: OpContext, source: Tensor, target: Tensor, start: int, size: Sequence[int], steps: Sequence[int]
) -> Kernel:
    """`target`, of `size`, read from element `start` of `source` on with `steps` along each dimension."""
    if target.elements != math.prod(size) or not target.elements:
        context.refuse(f"produces {list(target.shape)} where {list(size)} were expected", _AGAIN)
    shape = layout.box(size, steps, layout.strides(tuple(size)))
    if len(shape.size) >= _LARGEST_RANK:
        context.refuse(f"moves {counted(len(shape.size), 'dimension')}", "Use fewer dimensions.")
    width = source.bytes // source.elements
    body = move(shape, width, f"{read(source)} + {start}", write(target)) + COPIED
    if not shape.contiguous:
        return Kernel(body)
    if source.elements == target.elements:
        return Kernel(alias_of=source.index)
    return Kernel(body, views=(TensorView(target.index, source.index, start * width),))


def move(shape: layout.Box, width: int, source: str, target: str, name: str = "box") -> str:
    """C statements that copy a box of elements of `width` bytes."""
    if shape.contiguous or shape.size == (1,):
        return f"memcpy({target}, {source}, {shape.size[0] * width});\n"
    if width > 1:
        shape = layout.Box(
            *layout.merged(
                (*shape.size, width),
                (*(step * width for step in shape.source), 1),
                (*(step * width for step in shape.target), 1),
            )
        )
    size, from_, to = (layout.initialiser(values) for values in (shape.size, shape.source, shape.target))
    return f"""\
static const tinyml_nn_box {name} = {{
    .rank = {len(shape.size)}, .size = {size}, .from = {from_}, .to = {to}}};
tinyml_nn_move(&{name}, {source}, {target});
"""


def _blocks(context: OpContext) -> tuple[Tensor, Tensor, int]:
    source, target, block = _source(context), context.result(), context.option("block_size")
    if len(source.shape) != 4 or block < 1:
        context.refuse(f"cuts {list(source.shape)} into blocks of {block}", _AGAIN)
    return source, target, block


def one_axis(context: OpContext, position: int, source: Tensor) -> int:
    """The only axis that a constant input names, from 0 on."""
    axes, rank = _integers(context, position), len(source.shape)
    if len(axes) != 1 or not -rank <= axes[0] < rank:
        context.refuse(f"works along {axes} of {counted(rank, 'dimension')}", _AGAIN)
    return axes[0] % rank


def _cut(
    context: OpContext,
    source: Tensor,
    target: Tensor,
    begins: Sequence[int],
    steps: Sequence[int],
    size: Sequence[int],
) -> Kernel:
    dense = layout.strides(source.shape)
    start = sum(begin * step for begin, step in zip(begins, dense, strict=True))
    return one_box(
        context, source, target, start, size, [step * own for step, own in zip(steps, dense, strict=True)]
    )


def _parts(context: OpContext, source: Tensor, axis: int) -> Kernel:
    """Copies of consecutive ranges along an axis, one for each output."""
    targets = [context.graph.tensors[index] for index in context.operator.outputs]
    if sum(target.elements for target in targets) != source.elements:
        context.refuse(
            f"produces {counted(sum(t.elements for t in targets), 'value')} from {source.elements}", _AGAIN
        )
    after = math.prod(source.shape[axis + 1 :])
    before = source.elements // max(1, after * source.shape[axis])
    width = source.bytes // max(1, source.elements)
    body, views, start = "", [], 0
    for number, target in enumerate(targets):
        run = target.elements // before
        if target.dtype != source.dtype or run * before != target.elements or not run:
            context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", _AGAIN)
        shape = layout.box((before, run), (source.shape[axis] * after, 1), (run, 1))
        body += move(shape, width, f"{read(source)} + {start}", write(target), f"box_{number}")
        views.append(TensorView(target.index, source.index, start * width))
        start += run
    return Kernel(body + COPIED, views=tuple(views) if before == 1 else ())


def _source(context: OpContext, position: int = 0) -> Tensor:
    source = context.input(position)
    for target in (context.graph.tensors[index] for index in context.operator.outputs):
        if source.dtype != target.dtype:
            context.refuse(f"produces {target.dtype} from {source.dtype}", _AGAIN)
    if source.data is not None or not source.bytes:
        context.refuse(f"moves {source.label}, a constant or nothing", _AGAIN)
    return source


def _integers(context: OpContext, position: int) -> list[int]:
    tensor = context.constant(position)
    if tensor.dtype not in ("int32", "int64") or tensor.data is None:
        context.refuse(f"takes numbers from {tensor.label} of type {tensor.dtype}", _AGAIN)
    return [int(value) for value in tensor.data.reshape(-1)]


_MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
