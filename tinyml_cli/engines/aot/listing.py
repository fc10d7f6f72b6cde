"""The memory plan as rows for people: position and lifetime of each buffer."""

from __future__ import annotations

from tinyml_cli.engines.aot.compiler import Network
from tinyml_cli.engines.aot.plan import Buffer, lower_bound
from tinyml_cli.outcomes.stages import (
    BufferRole,
    MemoryPlan,
    PlannedBuffer,
    PlannedOperator,
    PlannedStripes,
)
from tinyml_cli.tflite.graph import total_macs
from tinyml_cli.wording import counted


def rows(network: Network) -> list[PlannedBuffer]:
    """By time, then by offset."""
    offsets = network.plan.offsets
    ordered = sorted(network.buffers, key=lambda buffer: (buffer.first, offsets[buffer.name]))
    return [_row(network, buffer) for buffer in ordered]


def document(network: Network) -> MemoryPlan:
    """The plan, with operators by index."""
    return MemoryPlan(
        arena_bytes=network.arena_bytes,
        lower_bound_bytes=lower_bound(network.buffers, network.sharings),
        sum_of_buffers_bytes=sum(buffer.bytes for buffer in network.buffers),
        io=network.io,
        operators=[
            PlannedOperator(index=operator.index, name=operator.name) for operator in network.graph.operators
        ],
        buffers=rows(network),
        stripes=_stripes(network),
    )


def _stripes(network: Network) -> PlannedStripes | None:
    stage = network.stage
    if stage is None:
        return None
    return PlannedStripes(
        first=stage.operators[0],
        last=stage.operators[-1],
        stripes=stage.count,
        rows=stage.rows,
        extra_macs=stage.extra_macs,
        extra_share=round(stage.extra_macs / max(1, total_macs(network.graph)), 6),
    )


def table(plan: MemoryPlan) -> tuple[str, list[str], list[list[object]]]:
    """Title, columns and rows of a plan (what `document` gives) for a terminal."""
    share = plan.arena_bytes / max(1, plan.sum_of_buffers_bytes)
    where = "outside it, in the caller's buffers" if plan.io == "caller" else "inside it"
    last = max((operator.index for operator in plan.operators), default=-1)
    title = (
        f"Arena of {plan.arena_bytes:,} bytes for {plan.sum_of_buffers_bytes:,} bytes of buffers "
        f"({share:.0%}); inputs and outputs are {where}.\n"
        f"With these kernels, the minimum is {plan.lower_bound_bytes:,} bytes."
    )
    if plan.stripes is not None:
        title += "\n" + stripes_sentence(plan.stripes)
    lines: list[list[object]] = [
        [
            _short(row.name),
            "×".join(str(size) for size in row.shape) or "-",
            row.bytes,
            row.offset,
            _operator(plan, row),
            "end" if row.last > last else row.last,
            ", ".join(map(_short, row.in_place_of)) or "-",
        ]
        for row in plan.buffers
    ]
    return title, ["Tensor", "Shape", "Bytes", "Offset", "Written by", "Until", "Over"], lines


def stripes_sentence(stripes: PlannedStripes) -> str:
    """What runs in stripes, and what that costs."""
    return (
        f"Operators {stripes.first} to {stripes.last} run in {counted(stripes.stripes, 'stripe')} of "
        f"{counted(stripes.rows, 'row')}, whose tensors hold one stripe: {stripes.extra_share:.1%} more "
        "multiply-accumulates."
    )


def _short(name: str) -> str:
    """A buffer's name as people say it: the tensor's number, or what else it is."""
    kind, _, number = name.partition("_")
    return number if kind == "TENSOR" else kind.lower()


def _operator(plan: MemoryPlan, row: PlannedBuffer) -> str:
    """Who fills a buffer."""
    if row.role in ("input", "state"):
        return row.role
    name = next(each.name for each in plan.operators if each.index == row.first)
    return f"{row.first} {name}"


def _row(network: Network, buffer: Buffer) -> PlannedBuffer:
    root = _root(network, buffer)
    role: BufferRole = "scratch" if root is None else _role(network, root)
    over = tuple(
        sharing.source
        for sharing in network.sharings
        if sharing.target == buffer.name and _meet(network, buffer, sharing.source)
    )
    return PlannedBuffer(
        name=buffer.name,
        role=role,
        tensor="" if root is None else network.graph.tensors[root].name,
        shape=[] if root is None else list(network.graph.tensors[root].shape),
        bytes=buffer.bytes,
        offset=network.plan.offsets[buffer.name],
        first=buffer.first,
        last=buffer.last,
        life=_life(network, buffer, role),
        in_place_of=list(over),
    )


def _root(network: Network, buffer: Buffer) -> int | None:
    prefix, number = buffer.name.split("_")
    return int(number) if prefix == "TENSOR" else None


def _role(network: Network, root: int) -> BufferRole:
    places = network.storage.places
    if root in network.storage.states:
        return "state"
    if root in {places[index].root for index in network.graph.inputs}:
        return "input"
    if root in {places[index].root for index in network.graph.outputs}:
        return "output"
    return "tensor"


def _meet(network: Network, buffer: Buffer, other: str) -> bool:
    """Whether two buffers have a byte in common."""
    size = next(each.bytes for each in network.buffers if each.name == other)
    start, apart = network.plan.offsets[buffer.name], network.plan.offsets[other]
    return start < apart + size and apart < start + buffer.bytes


def _life(network: Network, buffer: Buffer, role: str) -> str:
    end = network.graph.operators[-1].index + 1 if network.graph.operators else 0
    if role == "state":
        return "state, kept between inferences"
    if buffer.first < 0 and buffer.last == end:
        return "input and output"
    if buffer.first < 0:
        return f"input, until operator {buffer.last}" if buffer.last >= 0 else "unused input"
    if buffer.last == end:
        return f"output, from operator {buffer.first}"
    return f"operator {buffer.first}" + ("" if buffer.first == buffer.last else f" to {buffer.last}")
