"""Tensors that are parts of others, whatever the plan; and tensors that are buffers of the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tinyml_cli.engines.aot.kernel import Kernel, OpContext, OutputPiece, State
from tinyml_cli.tflite.graph import Graph


@dataclass(frozen=True)
class Lowered:
    """One operator and its kernel."""

    context: OpContext
    kernel: Kernel


@dataclass(frozen=True)
class BufferPlace:
    """A tensor's bytes: those of tensor `root` from `offset` on."""

    root: int
    offset: int = 0


@dataclass(frozen=True)
class Bound:
    """A caller's buffer: number `index` of the inputs or of the outputs."""

    side: str
    index: int


@dataclass(frozen=True)
class Storage:
    """Where each computed tensor lies.

    Attributes:
        places: by tensor.
        sizes: bytes by root.
        states: what keeps its bytes between inferences, by root.
        bound: roots that are buffers of the caller.
        copies: (position of an output, its tensor) that must be copied to the caller's buffer at the end.
        made_in_place: by operator, the pieces of its output that need no copy.
    """

    places: dict[int, BufferPlace]
    sizes: dict[int, int]
    states: dict[int, State]
    bound: dict[int, Bound] = field(default_factory=dict)
    copies: tuple[tuple[int, int], ...] = ()
    made_in_place: dict[int, tuple[OutputPiece, ...]] = field(default_factory=dict)


def assign(graph: Graph, lowered: Sequence[Lowered], copied: frozenset[int], io: str) -> Storage:
    """Follows what the kernels offer.

    Args:
        copied: operators (indices) that copy although they could share.
        io: "arena", or "caller" when inputs and outputs are buffers of the caller.
    """
    shared, states = _shared(graph, lowered, copied)
    sizes = {
        index: states[index].bytes if index in states else graph.tensors[index].bytes
        for index, place in shared.items()
        if place.root == index
    }
    made = _join(graph, lowered, copied, shared, sizes, states)
    bound, copies = _bind(graph, shared, sizes, states) if io == "caller" else ({}, ())
    return Storage(shared, sizes, states, bound, copies, made)


def _shared(
    graph: Graph, lowered: Sequence[Lowered], copied: frozenset[int]
) -> tuple[dict[int, BufferPlace], dict[int, State]]:
    """Aliases and views, and the roots of states."""
    places = {index: BufferPlace(index) for index in graph.inputs}
    states: dict[int, State] = {}
    for each in lowered:
        kernel, operator = each.kernel, each.context.operator
        states |= kernel.states
        places |= {index: BufferPlace(index) for index in kernel.states if index in operator.inputs}
        for index in operator.inputs:
            if index >= 0 and index not in places and graph.tensors[index].data is None:
                each.context.refuse(
                    f"uses {graph.tensors[index].label} before it is computed", "Convert the model again."
                )
        views = {view.target: view for view in kernel.views} if operator.index not in copied else {}
        for index in operator.outputs:
            if index in places:
                each.context.refuse(
                    f"computes {graph.tensors[index].label} a second time", "Convert the model again."
                )
            if kernel.alias_of is not None:
                places[index] = _place_of(each, places, kernel.alias_of)
            elif index in views:
                source = _place_of(each, places, views[index].source)
                places[index] = BufferPlace(source.root, source.offset + views[index].offset)
            else:
                places[index] = BufferPlace(index)
    return places, states


def _place_of(lowered: Lowered, places: dict[int, BufferPlace], tensor: int) -> BufferPlace:
    if tensor not in places:
        label = lowered.context.graph.tensors[tensor].label
        lowered.context.refuse(f"only moves {label}, a constant", "Convert the model again.")
    return places[tensor]


def _join(
    graph: Graph,
    lowered: Sequence[Lowered],
    copied: frozenset[int],
    places: dict[int, BufferPlace],
    sizes: dict[int, int],
    states: dict[int, State],
) -> dict[int, tuple[OutputPiece, ...]]:
    """Lets inputs of joining operators be made inside the joined tensor; changes `places` and `sizes`."""
    fixed = {places[index].root for index in graph.inputs} | set(states)
    made = {}
    for each in lowered:
        operator = each.context.operator
        if not each.kernel.pieces or operator.index in copied:
            continue
        target = places[operator.outputs[0]]
        in_place = []
        for piece in each.kernel.pieces:
            source = places[piece.source]
            whole = source.offset == 0 and sizes[source.root] == graph.tensors[piece.source].bytes
            if not whole or source.root in fixed or source.root == target.root:
                continue
            # Whatever lies in the source now lies in the target.
            for index, place in places.items():
                if place.root == source.root:
                    places[index] = BufferPlace(target.root, target.offset + piece.offset + place.offset)
            del sizes[source.root]
            in_place.append(piece)
        made[operator.index] = tuple(in_place)
    return made


def _bind(
    graph: Graph, places: dict[int, BufferPlace], sizes: dict[int, int], states: dict[int, State]
) -> tuple[dict[int, Bound], tuple[tuple[int, int], ...]]:
    """Gives inputs, and outputs that are whole buffers of their own, to the caller."""
    bound = {index: Bound("inputs", position) for position, index in enumerate(graph.inputs)}
    copies = []
    for position, index in enumerate(graph.outputs):
        place = places[index]
        whole = place.offset == 0 and sizes[place.root] == graph.tensors[index].bytes
        if whole and place.root not in bound and place.root not in states:
            bound[place.root] = Bound("outputs", position)
        else:
            copies.append((position, index))
    return bound, tuple(copies)
