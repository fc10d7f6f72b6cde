"""Runs the first layers of a network in stripes of rows, so that none of their tensors is ever whole.

The tensors between the first and the last operator of a stage hold the rows of one stripe. Rows that two
stripes need are computed twice, by the same kernels from the same bytes, so that no result changes. It is the
patch-based inference of Lin et al., "MCUNetV2: Memory-Efficient Patch-based Inference for Tiny Deep Learning"
(2021), with patches as wide as the image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tinyml_cli.engines.aot.kernel import tensor_name
from tinyml_cli.engines.aot.plan import Buffer, Sharing
from tinyml_cli.engines.aot.storage import Lowered, Storage
from tinyml_cli.tflite.graph import Graph, Operator, Tensor, macs

_MOST_OPERATORS = 8


@dataclass(frozen=True)
class Rows:
    """Rows of a tensor: the first one and their number."""

    first: int
    count: int

    @property
    def end(self) -> int:
        """The row after the last one."""
        return self.first + self.count


@dataclass(frozen=True)
class OperatorStripe:
    """One operator in one stripe.

    Attributes:
        padding: rows of padding above the first input row.
        reads, writes: rows of its input and of its output.
    """

    reads: Rows
    writes: Rows
    padding: int


@dataclass(frozen=True)
class Stage:
    """Consecutive operators that run in stripes.

    Attributes:
        operators: their indices, in order.
        rows: of the last one's output in a stripe; the last stripe may have fewer.
        stripes: by operator, in the order of `operators`, one for each stripe.
        tensors: what each operator reads, then what the last one writes.
        extra_macs: multiply-accumulates that are made more than once.
    """

    operators: tuple[int, ...]
    rows: int
    stripes: tuple[tuple[OperatorStripe, ...], ...]
    tensors: tuple[int, ...]
    extra_macs: int

    @property
    def count(self) -> int:
        """How many stripes."""
        return len(self.stripes[0])

    def of(self, operator: int) -> tuple[OperatorStripe, ...]:
        """An operator's stripes; () outside the stage."""
        return self.stripes[self.operators.index(operator)] if operator in self.operators else ()

    def bytes_of(self, graph: Graph) -> dict[int, int]:
        """The tensors inside the stage, and how many bytes the largest stripe of each has."""
        return {
            tensor: max(each.writes.count for each in stripes) * _row_bytes(graph.tensors[tensor])
            for tensor, stripes in zip(self.tensors[1:-1], self.stripes[:-1], strict=True)
        }


def candidates(graph: Graph, lowered: Sequence[Lowered], storage: Storage) -> list[Stage]:
    """Every stage of the graph, those that repeat least first."""
    found = [
        stage for chain in _chains(graph, lowered, storage) for stage in _stages_of(graph, lowered, chain)
    ]
    return sorted(found, key=lambda stage: (stage.extra_macs, stage.operators, -stage.rows))


def placed(
    graph: Graph, stage: Stage, buffers: dict[int, Buffer], storage: Storage
) -> tuple[dict[int, Buffer], tuple[Sharing, ...]]:
    """The tensors' buffers, by root, with those of a stage as long and as large as it needs them.

    The stage's input may be overwritten by its output where no later stripe reads it.
    """
    first, last = stage.operators[0], stage.operators[-1]
    source, target = (storage.places[index] for index in (stage.tensors[0], stage.tensors[-1]))
    changed = dict(buffers)
    for tensor, size in stage.bytes_of(graph).items():
        changed[tensor] = replace(buffers[tensor], bytes=size)
    if source.root in changed:
        changed[source.root] = replace(buffers[source.root], last=max(buffers[source.root].last, last))
    if target.root in changed:
        changed[target.root] = replace(buffers[target.root], first=min(buffers[target.root].first, first))
    ends = changed.get(source.root), changed.get(target.root)
    if ends[0] is None or ends[1] is None or ends[0].last != last or ends[1].first != first:
        return changed, ()
    lead = _lead(graph, stage) + target.offset - source.offset
    return changed, (Sharing(ends[0].name, ends[1].name, lead),)


def _lead(graph: Graph, stage: Stage) -> int:
    """How far before the input the output must start: overlap.py, with stripes read, then written."""
    row, written_row = (_row_bytes(graph.tensors[index]) for index in (stage.tensors[0], stage.tensors[-1]))
    ends = [each.writes.end * written_row for each in stage.stripes[-1]]
    starts = [each.reads.first * row for each in stage.stripes[0]]
    return max(end - start for end, start in zip(ends[:-1], starts[1:], strict=True))


def _row_bytes(tensor: Tensor) -> int:
    return tensor.bytes // tensor.shape[1]


def _chains(graph: Graph, lowered: Sequence[Lowered], storage: Storage) -> Iterator[list[int]]:
    """The longest runs of operators, as places in `lowered`: each alone reads what the one before wrote."""
    readers: dict[int, list[int]] = {}
    for each in lowered:
        for index in each.context.operator.inputs:
            readers.setdefault(index, []).append(each.context.operator.index)
    chain: list[int] = []
    for place, each in enumerate(lowered):
        operator = each.context.operator
        follows = (
            bool(chain)
            and each.kernel.rows is not None
            and lowered[chain[-1]].context.operator.outputs[0] == operator.inputs[0]
            and _is_inner(graph, storage, readers, operator.inputs[0])
        )
        if not follows:
            if len(chain) > 1:
                yield chain
            chain = []
        if each.kernel.rows is not None:
            chain.append(place)
    if len(chain) > 1:
        yield chain


def _is_inner(graph: Graph, storage: Storage, readers: dict[int, list[int]], tensor: int) -> bool:
    """Whether a tensor is needed by one operator alone and has bytes of its own."""
    shared = sum(place.root == tensor for place in storage.places.values()) > 1
    return (
        len(readers[tensor]) == 1
        and tensor not in graph.outputs
        and storage.places[tensor].root == tensor
        and not shared
        and tensor not in storage.states
        and tensor not in storage.bound
    )


def _stages_of(graph: Graph, lowered: Sequence[Lowered], chain: list[int]) -> Iterator[Stage]:
    for begin in range(len(chain)):
        for end in range(begin + 2, min(begin + _MOST_OPERATORS, len(chain)) + 1):
            steps = [lowered[place] for place in chain[begin:end]]
            height = graph.tensors[steps[-1].context.operator.outputs[0]].shape[1]
            counts = {-(-height // rows): rows for rows in range(height, 0, -1)}
            for rows in counts.values():
                if rows < height:
                    yield _stage(graph, steps, rows)


def _stage(graph: Graph, steps: Sequence[Lowered], rows: int) -> Stage:
    operators = [step.context.operator for step in steps]
    tensors = (operators[0].inputs[0], *(operator.outputs[0] for operator in operators))
    heights = [graph.tensors[tensor].shape[1] for tensor in tensors]
    needed = [Rows(first, min(rows, heights[-1] - first)) for first in range(0, heights[-1], rows)]
    stripes: list[tuple[OperatorStripe, ...]] = []
    extra = 0
    for step, operator, height, output_height in zip(
        reversed(steps), reversed(operators), reversed(heights[:-1]), reversed(heights[1:]), strict=True
    ):
        assert step.kernel.rows is not None
        ours = []
        for writes in needed:
            first = step.kernel.rows.first_row(writes.first)
            end = step.kernel.rows.end_row(writes.end - 1)
            reads = Rows(max(first, 0), min(end, height) - max(first, 0))
            ours.append(OperatorStripe(reads, writes, max(-first, 0)))
        repeated = sum(writes.count for writes in needed) - output_height
        extra += macs(graph, operator) * repeated // output_height
        stripes.insert(0, tuple(ours))
        needed = [each.reads for each in ours]
    return Stage(tuple(operator.index for operator in operators), rows, tuple(stripes), tensors, extra)


def striped(graph: Graph, stage: Stage, operator: Operator, body: str) -> str:
    """The statements `body` of an operator of the stage, for the stripe called `stripe`."""
    source, target = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
    rows = ", ".join(
        f"{{{each.reads.count}, {each.padding}, {each.writes.count}, "
        f"{each.reads.first * _row_bytes(source)}, {each.writes.first * _row_bytes(target)}}}"
        for each in stage.of(operator.index)
    )
    declared, whole, rest = body.partition("static const tinyml_nn_window window =")
    initialiser, _, statements = rest.partition(";\n")
    # Only the first tensor and the last one are whole.
    for tensor, is_whole, place in (
        (source, operator.index == stage.operators[0], 3),
        (target, operator.index == stage.operators[-1], 4),
    ):
        if is_whole:
            name = rf"\barena \+ {tensor_name(tensor)}\b"
            statements = re.sub(name, rf"\g<0> + rows[stripe][{place}]", statements)
    return f"""\
/* Of each stripe: input rows, rows of padding above them, output rows; where both begin, in bytes. */
static const int32_t rows[{stage.count}][5] = {{{rows}}};
{declared}{whole.replace("window =", "whole =")}{initialiser};
tinyml_nn_window window = whole;
window.input_height = rows[stripe][0];
window.padding_y = rows[stripe][1];
window.output_height = rows[stripe][2];
{statements}"""
