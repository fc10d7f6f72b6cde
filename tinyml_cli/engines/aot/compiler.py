"""From a flatbuffer to a Network: lowered operators and a memory plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_cli.engines.aot import stripes
from tinyml_cli.engines.aot.constant_channels import without_constant_channels
from tinyml_cli.engines.aot.fold import fold
from tinyml_cli.engines.aot.kernel import BOUNDARY_TYPES, COPIED, OpContext, tensor_name
from tinyml_cli.engines.aot.ops import LOWERINGS
from tinyml_cli.engines.aot.plan import (
    ALIGNMENT_BYTES,
    ArenaPlan,
    Buffer,
    Sharing,
    least_bytes,
    lower_bound,
    plan,
)
from tinyml_cli.engines.aot.storage import Lowered, Storage, assign
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite.graph import Graph, Tensor
from tinyml_cli.wording import counted

IO_MODES = ("arena", "caller")
"""Where inputs and outputs lie: in the arena, or in buffers of the caller."""

_LARGEST_ARENA_BYTES = (1 << 31) - 1
# Stages that are planned to the end; each of them might have fitted.
_MOST_STAGES = 24
# Operators that may share or copy are decided one by one; each costs a plan.
_MOST_TRIALS = 12


@dataclass(frozen=True)
class CompiledOperator(Lowered):
    """One operator and the C that computes it.

    Attributes:
        body: the kernel's statements that are left; empty where the operator costs nothing.
    """

    body: str


@dataclass(frozen=True)
class Network:
    """A compiled model.

    Attributes:
        steps: in order of execution, operators that move no data included.
        buffers: what lies in the arena; step numbers are operator indices, -1 is before the first.
        sharings: which buffers may lie over which others.
        storage: where each tensor lies.
        io: one of IO_MODES.
        stage: the operators that run in stripes, if any do.
    """

    graph: Graph
    steps: tuple[CompiledOperator, ...]
    buffers: tuple[Buffer, ...]
    sharings: tuple[Sharing, ...]
    storage: Storage
    plan: ArenaPlan
    io: str
    stage: stripes.Stage | None = None

    @property
    def arena_bytes(self) -> int:
        """Bytes of the arena; at least one word, since C has no empty arrays."""
        return max(self.plan.arena_bytes, ALIGNMENT_BYTES)

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The model's inputs, in its order."""
        return tuple(self.graph.tensors[index] for index in self.graph.inputs)

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The model's outputs, in its order."""
        return tuple(self.graph.tensors[index] for index in self.graph.outputs)

    @property
    def input(self) -> Tensor:
        """The model's first input."""
        return self.inputs[0]

    @property
    def output(self) -> Tensor:
        """The model's first output."""
        return self.outputs[0]

    def offset(self, tensor: int) -> int:
        """Where a tensor's bytes start in the arena."""
        place = self.storage.places[tensor]
        return self.plan.offsets[tensor_name(self.graph.tensors[place.root])] + place.offset


def compile_graph(
    graph: Graph,
    where: str = "model",
    io: str = "arena",
    ram_limit: int | None = None,
    *,
    retrainable: bool = False,
) -> Network:
    """Lowers every operator and plans the arena.

    Args:
        io: one of IO_MODES.
        ram_limit: the most bytes that the arena may have; operators run in stripes where it would have more.
        retrainable: the C shall be the same, tables apart, for other weights and scales of these shapes.

    Raises:
        TinymlError: an operator, type or shape that the engine cannot compile, by name; or a limit that the
            arena cannot keep.
    """
    if io not in IO_MODES:
        raise TinymlError(f"Unknown place `{io}` for inputs and outputs", "--io", "Use arena or caller.")
    graph = without_constant_channels(fold(graph))
    _check_signature(graph, where)
    lowered = tuple(_lower(OpContext(graph, operator, where, retrainable)) for operator in graph.operators)
    network = planned(graph, lowered, frozenset(), io)
    copied: frozenset[int] = frozenset()
    choices = [each.context.operator.index for each in lowered if each.kernel.views or each.kernel.pieces]
    for index in choices[:_MOST_TRIALS]:
        other = planned(graph, lowered, copied | {index}, io)
        if other.plan.arena_bytes < network.plan.arena_bytes:
            network, copied = other, copied | {index}
    if network.plan.arena_bytes > _LARGEST_ARENA_BYTES:
        raise TinymlError(
            f"The model needs an arena of {network.plan.arena_bytes} bytes, more than 32-bit addresses "
            "can reach",
            where,
            "Make the model smaller.",
        )
    if ram_limit is not None and network.arena_bytes > ram_limit:
        return _in_stripes(network, lowered, copied, ram_limit)
    return network


def _in_stripes(
    network: Network, lowered: Sequence[Lowered], copied: frozenset[int], ram_limit: int
) -> Network:
    """The network with the stage that repeats least of those that keep the limit."""
    graph, io = network.graph, network.io
    needs = least_bytes(network.buffers, network.sharings)
    peak = max(needs, key=lambda step: needs[step])
    least: tuple[int, stripes.Stage] | None = None
    trials = 0
    for stage in stripes.candidates(graph, lowered, network.storage):
        first, last = stage.operators[0], stage.operators[-1]
        if not first <= peak <= last:
            continue
        bound = lower_bound(*_memory(graph, network.steps, network.storage, stage))
        if least is None or bound < least[0]:
            least = bound, stage
        if bound <= ram_limit and trials < _MOST_STAGES:
            trials += 1
            other = planned(graph, lowered, copied, io, stage)
            if other.arena_bytes <= ram_limit:
                return other
    smallest = network.arena_bytes
    if least is not None:
        smallest = min(smallest, planned(graph, lowered, copied, io, least[1]).arena_bytes)
    inputs = sum(tensor.bytes for tensor in network.inputs)
    outside = (
        f", or --io caller, which takes the {inputs:,} bytes of inputs out of it" if io == "arena" else ""
    )
    raise TinymlError(
        f"The arena needs at least {smallest:,} bytes, even with its first layers in stripes; "
        f"{ram_limit:,} were allowed",
        "--ram-limit",
        f"Give --ram-limit {smallest}{outside}.",
    )


def planned(
    graph: Graph,
    lowered: Sequence[Lowered],
    copied: frozenset[int],
    io: str,
    stage: stripes.Stage | None = None,
) -> Network:
    """The network with its arena planned.

    Args:
        copied: operators (indices) that copy although they could share.
        stage: the operators that run in stripes.
    """
    storage = assign(graph, lowered, copied, io)
    steps = tuple(
        CompiledOperator(each.context, each.kernel, _body(each, storage, copied)) for each in lowered
    )
    buffers, sharings = _memory(graph, steps, storage, stage)
    return Network(graph, steps, buffers, sharings, storage, plan(buffers, sharings), io, stage)


def _memory(
    graph: Graph, steps: Sequence[CompiledOperator], storage: Storage, stage: stripes.Stage | None
) -> tuple[tuple[Buffer, ...], tuple[Sharing, ...]]:
    """What lies in the arena, and which buffers may lie over which others."""
    buffers = _tensor_buffers(graph, storage)
    across: tuple[Sharing, ...] = ()
    if stage is not None:
        buffers, across = stripes.placed(graph, stage, buffers, storage)
    outside = [step for step in steps if stage is None or not stage.of(step.context.operator.index)]
    every = (*buffers.values(), *_scratch_buffers(steps))
    return every, (*_sharings(outside, storage, buffers), *across)


def _check_signature(graph: Graph, where: str) -> None:
    if not graph.inputs or not graph.outputs or len(set(graph.inputs)) < len(graph.inputs):
        raise TinymlError(
            f"The model has {counted(len(set(graph.inputs)), 'different input')} of {len(graph.inputs)} "
            f"and {counted(len(graph.outputs), 'output')}",
            where,
            "Convert a model with at least one input and one output.",
        )
    for index in graph.outputs:
        if index not in graph.computed and index not in graph.inputs:
            label = graph.tensors[index].label
            raise TinymlError(
                f"No operator computes the model's output {label}", where, "Convert the model again."
            )
    for index in (*graph.inputs, *graph.outputs):
        tensor = graph.tensors[index]
        if tensor.dtype not in BOUNDARY_TYPES or not tensor.bytes:
            raise TinymlError(
                f"The model's {tensor.label} is {tensor.dtype} {list(tensor.shape)}, which engine aot "
                f"does not support; it supports {', '.join(BOUNDARY_TYPES)}",
                where,
                "Quantise the whole model to int8: tinyml quantize, then tinyml convert.",
            )


def _lower(context: OpContext) -> Lowered:
    lowering = LOWERINGS.get(context.operator.name)
    if lowering is None:
        tensor = context.graph.output(context.operator)
        raise TinymlError(
            f"The aot engine has no {context.operator.name} (operator {context.operator.index}"
            + (f", which produces {tensor.label})" if tensor else ")"),
            context.where,
            f"Export the model with --engine tflm, or build it from: {', '.join(LOWERINGS)}.",
        )
    try:
        return Lowered(context, lowering(context))
    except ValueError as error:
        context.refuse(
            f"has scales that cannot be expressed ({error})", "Train and quantise the model again."
        )


def _body(lowered: Lowered, storage: Storage, copied: frozenset[int]) -> str:
    """The kernel's statements without those that sharing memory makes needless."""
    kernel, index = lowered.kernel, lowered.context.operator.index
    if kernel.views and index not in copied:
        return ""
    body = kernel.body
    for piece in storage.made_in_place.get(index, ()):
        body = body.replace(piece.body, "", 1)
    return "" if body.strip() == COPIED else body


def _tensor_buffers(graph: Graph, storage: Storage) -> dict[int, Buffer]:
    """By root, what lies in the arena and how long it is needed."""
    end = graph.operators[-1].index + 1 if graph.operators else 0
    places = storage.places
    first = {places[index].root: -1 for index in graph.inputs} | dict.fromkeys(storage.states, -1)
    last = {places[index].root: -1 for index in graph.inputs} | dict.fromkeys(storage.states, end)
    for operator in graph.operators:
        for index in (*operator.inputs, *operator.outputs):
            if index in places:
                root = places[index].root
                first.setdefault(root, operator.index)
                last[root] = max(last.get(root, -1), operator.index)
    for index in graph.outputs:
        last[places[index].root] = end
    return {
        root: Buffer(tensor_name(graph.tensors[root]), storage.sizes[root], first[root], last[root])
        for root in sorted(first)
        if root not in storage.bound
    }


def _sharings(
    steps: Sequence[CompiledOperator], storage: Storage, buffers: dict[int, Buffer]
) -> tuple[Sharing, ...]:
    """Which outputs may lie over which inputs, by what the kernels permit."""
    found = []
    for step in steps:
        operator = step.context.operator
        if not step.body or len(operator.outputs) != 1:
            continue
        target = storage.places[operator.outputs[0]].root
        if target not in buffers or buffers[target].first != operator.index:
            continue
        sources = {storage.places[index].root for index in operator.inputs if index in storage.places}
        for source in sorted(sources - {target}):
            if source in buffers and buffers[source].last == operator.index:
                permitted = _permitted(step, storage, source)
                if permitted is not None:
                    lowest, highest, multiple = permitted
                    found.append(
                        Sharing(buffers[source].name, buffers[target].name, lowest, highest, multiple)
                    )
    return tuple(found)


def _permitted(step: CompiledOperator, storage: Storage, source: int) -> tuple[int, int | None, int] | None:
    """How far before the buffer `source` the output's buffer may start: (lowest, highest, step).

    None unless every use of that buffer by the operator permits the same.
    """
    operator, kernel = step.context.operator, step.kernel
    output = storage.places[operator.outputs[0]]
    ranges: set[tuple[int, int | None, int]] = set()
    for position, index in enumerate(operator.inputs):
        place = storage.places.get(index)
        if place is None or place.root != source:
            continue
        shift = output.offset - place.offset
        if overlap := next((each for each in kernel.overlaps if each.position == position), None):
            ranges.add((overlap.lead + shift, None, overlap.step))
        elif position in kernel.may_overwrite:
            ranges.add((shift, shift, 1))
        else:
            return None
    return ranges.pop() if len(ranges) == 1 else None


def _scratch_buffers(steps: Sequence[CompiledOperator]) -> list[Buffer]:
    return [
        Buffer(
            step.context.scratch_name,
            step.kernel.scratch_bytes,
            step.context.operator.index,
            step.context.operator.index,
        )
        for step in steps
        if step.kernel.scratch_bytes and step.body
    ]
