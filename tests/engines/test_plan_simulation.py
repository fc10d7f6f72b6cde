"""Plans of whole graphs, followed byte by byte: whatever an operator reads is still what was meant for it.

Every byte of every computed tensor gets a number of its own. Operators are then run on a memory of such
numbers: they move them where the kernel says that bytes are moved, and write new ones elsewhere. This knows
nothing of the planner but the offsets it chose.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.engines import random_graphs
from tests.engines.test_memory import MODELS
from tinyml_cli.engines.aot import compiler
from tinyml_cli.engines.aot.compiler import CompiledOperator, Network
from tinyml_cli.tflite import graph as tflite_graph

RANDOM = range(2000, 2060)
Numbers = np.ndarray


class Memory:
    """An arena, and buffers of the caller, of numbers instead of bytes."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._next = 1
        self.kept: dict[int, Numbers] = {}
        self._spaces: dict[object, Numbers] = {"arena": np.zeros(network.arena_bytes, np.int64)}
        for root, bound in network.storage.bound.items():
            self._spaces[bound] = np.zeros(network.storage.sizes[root], np.int64)

    def fresh(self, size: int) -> Numbers:
        """Numbers that were never used."""
        self._next += size
        return np.arange(self._next - size, self._next)

    def at(self, tensor: int, size: int) -> Numbers:
        """Where a tensor lies; a view to read or write."""
        place = self._network.storage.places[tensor]
        bound = self._network.storage.bound.get(place.root)
        start = place.offset if bound is not None else self._network.offset(tensor)
        space = self._spaces["arena" if bound is None else bound]
        assert start + size <= len(space)
        return space[start : start + size]

    def scratch(self, step: CompiledOperator) -> Numbers:
        """An operator's working memory."""
        start = self._network.plan.offsets[step.context.scratch_name]
        return self._spaces["arena"][start : start + step.kernel.scratch_bytes]


def bytes_of(network: Network, tensor: int) -> int:
    states = network.storage.states
    return states[tensor].bytes if tensor in states else network.graph.tensors[tensor].bytes


def follow(network: Network, inferences: int = 2) -> None:
    """Runs inferences one after another; states keep their numbers."""
    memory = Memory(network)
    for root, state in network.storage.states.items():
        memory.at(root, state.bytes)[:] = memory.kept[root] = memory.fresh(state.bytes)
    for _ in range(inferences):
        values: dict[int, Numbers] = {}
        for index in network.graph.inputs:
            values[index] = memory.fresh(bytes_of(network, index))
            memory.at(index, len(values[index]))[:] = values[index]
        for step in network.steps:
            run(network, memory, values, step)
        for index in network.graph.outputs:
            np.testing.assert_array_equal(memory.at(index, len(values[index])), values[index])


def run(network: Network, memory: Memory, values: dict[int, Numbers], step: CompiledOperator) -> None:
    operator, kernel = step.context.operator, step.kernel
    where = f"operator {operator.index} {operator.name}"
    if operator.name == "VAR_HANDLE":
        return
    if step.body and kernel.scratch_bytes:
        memory.scratch(step)[:] = working = memory.fresh(kernel.scratch_bytes)
    if operator.name in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
        access_state(network, memory, values, step)
        return
    for index in set(operator.inputs) & set(values):
        found = memory.at(index, len(values[index]))
        np.testing.assert_array_equal(found, values[index], err_msg=f"{where} reads something else")
    for index, state in kernel.states.items():
        remembered = memory.at(index, state.bytes)
        np.testing.assert_array_equal(remembered, memory.kept[index], f"{where} finds another state")
        remembered[:] = memory.kept[index] = memory.fresh(state.bytes)
    for index in operator.outputs:
        values[index] = computed(network, memory, values, step, index)
        check_permitted(memory, values, step, index)
        if step.body:
            memory.at(index, len(values[index]))[:] = values[index]
        else:
            # Operators that cost nothing must find their output where it is.
            np.testing.assert_array_equal(memory.at(index, len(values[index])), values[index], where)
    if step.body and kernel.scratch_bytes:
        np.testing.assert_array_equal(memory.scratch(step), working, f"{where} writes over its scratch")


def computed(
    network: Network, memory: Memory, values: dict[int, Numbers], step: CompiledOperator, index: int
) -> Numbers:
    """The numbers of an output: those of an input where bytes are moved, else new ones."""
    kernel = step.kernel
    if kernel.alias_of is not None:
        return values[kernel.alias_of]
    for view in kernel.views:
        if view.target == index:
            return values[view.source][view.offset : view.offset + bytes_of(network, index)]
    made = memory.fresh(bytes_of(network, index))
    for piece in kernel.pieces:
        made[piece.offset : piece.offset + len(values[piece.source])] = values[piece.source]
    return made


def access_state(
    network: Network, memory: Memory, values: dict[int, Numbers], step: CompiledOperator
) -> None:
    operator = step.context.operator
    state = operator.inputs[0]
    size = network.storage.states[network.storage.places[state].root].bytes
    if operator.name == "READ_VARIABLE":
        values[operator.outputs[0]] = memory.at(state, size).copy()
        memory.at(operator.outputs[0], size)[:] = values[operator.outputs[0]]
        return
    value = values[operator.inputs[1]]
    np.testing.assert_array_equal(memory.at(operator.inputs[1], size), value)
    memory.at(state, size)[:] = value


def check_permitted(memory: Memory, values: dict[int, Numbers], step: CompiledOperator, target: int) -> None:
    """An output lies over an input only as the kernel says, or where it repeats what lies there."""
    operator, kernel = step.context.operator, step.kernel
    written = memory.at(target, len(values[target]))
    for position, source in enumerate(operator.inputs):
        if not step.body or source not in values:
            continue
        read = memory.at(source, len(values[source]))
        if not np.shares_memory(written, read):
            continue
        distance = (read.ctypes.data - written.ctypes.data) // read.itemsize
        common = slice(max(distance, 0), min(len(written), distance + len(read)))
        if np.array_equal(written[common], values[target][common]):
            continue
        ways = [way for way in kernel.overlaps if way.position == position]
        assert (position in kernel.may_overwrite and distance == 0) or any(
            distance >= way.lead and (distance - way.lead) % way.step == 0 for way in ways
        ), (operator, distance, kernel.may_overwrite, kernel.overlaps)


@pytest.mark.parametrize("io", compiler.IO_MODES)
@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_overwritten_too_early(name: str, io: str) -> None:
    follow(compiler.compile_graph(tflite_graph.parse(MODELS[name]()), io=io))


@pytest.mark.parametrize("io", compiler.IO_MODES)
def test_nothing_is_overwritten_too_early_in_random_graphs(io: str) -> None:
    shared = 0
    for seed in RANDOM:
        network = compiler.compile_graph(tflite_graph.parse(random_graphs.model(seed)), io=io)
        follow(network)
        shared += bool(network.sharings)
    assert shared > len(RANDOM) // 3


def test_the_simulation_notices_a_wrong_plan() -> None:
    """Each buffer in turn is moved onto byte 0; nearly all such plans are wrong."""
    network = compiler.compile_graph(tflite_graph.parse(MODELS["residual"]()))
    caught = 0
    for name, offset in network.plan.offsets.items():
        network.plan.offsets[name] = 0
        caught += fails(lambda: follow(network))
        network.plan.offsets[name] = offset
    follow(network)
    assert caught >= 2


def fails(function: Callable[[], None]) -> bool:
    try:
        function()
    except AssertionError:
        return True
    return False
