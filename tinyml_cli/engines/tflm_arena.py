"""The arena of TensorFlow Lite Micro, computed from the flatbuffer without its runtime.

An arena is filled from two ends. The tail holds what persists: its own structs, and what kernels keep. The
head holds activations and scratch buffers, placed by TFLM's greedy planner. Both follow the sources of
August 2026 (micro_allocator.cc, micro_allocation_info.cc, greedy_memory_planner.cc) for 64-bit pointers, as
its Python runtime measures; a Cortex-M needs less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import tflite

from tinyml_cli.engines import tflm_kernels
from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import model_again
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.graph import ABSENT, Graph, Operator
from tinyml_cli.tflite.opset import TFLM_INT8_OPS

_ALIGNMENT = 16
_POINTER = 8
# The allocator, the greedy planner and the micro allocator of a recording runtime.
_FIXED_BYTES = 448
_BUILTIN_DATA_ALLOCATOR = 16
_SUBGRAPH = 24
_EVAL_TENSOR = 24
_NODE = 64
_TENSOR, _QUANTIZATION = 64, 24
_RESOURCES, _RESOURCE = 16, 40

# Of the planning itself, which happens in the memory that is still free.
_PLANNED_BUFFER, _ALLOCATION_INFO, _SCRATCH_REQUEST = 40, 32, 16
_REQUESTS_PER_OPERATOR = 12

_MOST_STEPS = 100_000  # of an inference, functions that operators call included

_ONLINE = -1
_OFFLINE_PLAN = b"OfflineMemoryAllocation"


@dataclass(frozen=True)
class ArenaBytes:
    """What a model needs of an arena.

    Attributes:
        head: activations and scratch buffers of an inference; more where the planning itself needs more.
        tail: what persists from one inference to the next.
    """

    head: int
    tail: int


@dataclass
class PlacedBuffer:
    """Something to place in the head.

    Attributes:
        bytes: its size, a multiple of the alignment.
        first: the step in which it is made.
        last: the last step that uses it.
        offset: where an offline plan puts it; -1 where the planner may choose.
    """

    bytes: int
    first: int = -1
    last: int = -1
    offset: int = _ONLINE

    def use(self, step: int) -> None:
        """Notes that a step makes or uses it."""
        self.first = step if self.first == -1 else self.first
        self.last = step


def compute(model: bytes) -> ArenaBytes:
    """What TensorFlow Lite Micro needs of an arena for a model.

    Raises:
        TinymlError: not a model, or an operator whose needs are not known.
    """
    graph = tflite_graph.parse(model)
    functions = (graph, *graph.functions)
    _check_known(functions)
    try:
        return _computed(model, functions)
    except IndexError as error:
        raise TinymlError(
            "Cannot compute the arena: an operator has tensors of a rank that it does not take",
            "model_int8.tflite",
            model_again(),
        ) from error


def _computed(model: bytes, functions: Sequence[Graph]) -> ArenaBytes:
    plan = _Plan(functions, _offline_offsets(model, sum(len(each.tensors) for each in functions)))
    tail = _Tail()
    tail.start(functions)
    most = max(_preparation(functions, tail), _planning(functions, plan, tail))
    tail.finish(functions, plan)
    return ArenaBytes(max(placed(plan.buffers), most - tail.bytes), tail.bytes)


def placed(buffers: Sequence[PlacedBuffer]) -> int:
    """Bytes of the memory in which TFLM's greedy planner places buffers, largest first."""
    fixed = [each for each in buffers if each.offset != _ONLINE]
    # It sorts from the last one on, and keeps that order among equal sizes.
    chosen = [each for each in reversed(buffers) if each.offset == _ONLINE]
    free = sorted(chosen, key=lambda each: -each.bytes)
    done: list[tuple[int, PlacedBuffer]] = []
    for buffer in (*fixed, *free):
        offset = buffer.offset if buffer.offset != _ONLINE else _gap(buffer, done)
        at = next((i for i, (other, _) in enumerate(done) if other > offset), len(done))
        done.insert(at, (offset, buffer))
    return max((offset + buffer.bytes for offset, buffer in done), default=0)


def _gap(buffer: PlacedBuffer, done: Iterable[tuple[int, PlacedBuffer]]) -> int:
    """The lowest offset at which a buffer fits between those that live at the same time."""
    lowest = 0
    for offset, other in done:
        if other.first <= buffer.last and buffer.first <= other.last:
            if offset - lowest >= buffer.bytes:
                break
            lowest = max(lowest, offset + other.bytes)
    return lowest


def _check_known(functions: Sequence[Graph]) -> None:
    for operator in (each for function in functions for each in function.operators):
        if operator.name not in TFLM_INT8_OPS:
            raise TinymlError(
                f"Cannot compute the arena: the needs of {operator.name} (operator {operator.index}) are not "
                "known, and TensorFlow Lite Micro's Python runtime is not installed",
                "tflite-micro",
                "Export on Linux x86-64, where `pip install tflite-micro` measures it, or use --engine aot.",
            )


def _offline_offsets(model: bytes, tensors: int) -> list[int]:
    """Where the model's own plan puts each tensor, as `OfflineMemoryAllocation` in its metadata says."""
    root = tflite.Model.GetRootAs(model, 0)
    for entry in map(root.Metadata, range(root.MetadataLength())):
        if entry is not None and entry.Name() == _OFFLINE_PLAN:
            buffer = root.Buffers(entry.Buffer())
            values = np.frombuffer(buffer.DataAsNumpy().tobytes(), "<i4") if buffer else np.zeros(0, "<i4")
            if len(values) >= 3 + tensors:
                return [int(value) for value in values[3 : 3 + tensors]]
    return [_ONLINE] * tensors


def _up(size: int, alignment: int = _ALIGNMENT) -> int:
    return -(-size // alignment) * alignment


@dataclass
class _Plan:
    """The lifetimes of all tensors and scratch buffers, functions that an operator calls included."""

    functions: Sequence[Graph]
    offsets: list[int]
    buffers: list[PlacedBuffer] = field(default_factory=list)
    scratch: int = 0
    online_variables: set[tuple[int, int]] = field(default_factory=set)
    _of_tensor: dict[tuple[int, int], PlacedBuffer] = field(default_factory=dict)
    _scratch: list[PlacedBuffer] = field(default_factory=list)
    _step: int = 0

    def __post_init__(self) -> None:
        numbers = iter(self.offsets)
        for number, function in enumerate(self.functions):
            for tensor in function.tensors:
                offset = next(numbers)
                if tensor.variable and offset == _ONLINE:
                    self.online_variables.add((number, tensor.index))
                elif tensor.data is None and tensor.bytes:
                    self._of_tensor[number, tensor.index] = PlacedBuffer(_up(tensor.bytes), offset=offset)
        self._mark(0, 1)
        self.scratch = len(self._scratch)
        self.buffers = [*self._of_tensor.values(), *self._scratch]

    def _mark(self, number: int, depth: int) -> None:
        if depth > len(self.functions) or self._step > _MOST_STEPS:
            raise TinymlError(
                "Cannot compute the arena: the model's functions call each other without an end",
                "model_int8.tflite",
                "Check where the file is from.",
            )
        function = self.functions[number]
        self._use(number, function.inputs)
        for operator in function.operators:
            self._step += 1
            self._use(number, operator.outputs)
            scratch = [PlacedBuffer(_up(size)) for size in tflm_kernels.scratch_bytes(function, operator)]
            for buffer in scratch:
                buffer.use(self._step)
            for called in _called(operator):
                if 0 < called < len(self.functions):
                    self._step += 1
                    self._mark(called, depth + 1)
            self._use(number, [index for index in operator.inputs if index != ABSENT], made=False)
            self._use(number, operator.outputs)
            for buffer in scratch:
                buffer.use(self._step)
            self._scratch += scratch
        self._use(number, function.outputs)

    def _use(self, number: int, tensors: Iterable[int], made: bool = True) -> None:
        for index in tensors:
            buffer = self._of_tensor.get((number, index))
            if buffer and made:
                buffer.use(self._step)
            elif buffer:
                buffer.last = self._step


def _called(operator: Operator) -> list[int]:
    """The subgraphs that an operator runs, in the order in which TFLM plans them."""
    names = {
        "IF": ("then_subgraph_index", "else_subgraph_index"),
        "CALL_ONCE": ("init_subgraph_index",),
        "WHILE": ("cond_subgraph_index", "body_subgraph_index"),
    }
    return [int(operator.options.get(name, -1)) for name in names.get(operator.name, ())]


class _Tail:
    """The arena's end, which grows downwards from one allocation to the next."""

    def __init__(self) -> None:
        self.bytes = 0
        self._assigned: set[object] = set()

    def take(self, size: int, alignment: int = _ALIGNMENT) -> None:
        """Allocates bytes that persist."""
        self.bytes = _up(self.bytes + size, alignment)

    def start(self, functions: Sequence[Graph]) -> None:
        """What is there before a kernel is asked to prepare."""
        operators = [each for function in functions for each in function.operators]
        self.take(_FIXED_BYTES, _POINTER)
        handles = [each for each in operators if each.name == "VAR_HANDLE"]
        in_main = sum(each.name == "VAR_HANDLE" for each in functions[0].operators)
        if variables := max(len({_variable(each) for each in handles}), in_main):
            self.take(_RESOURCES)
            self.take(_RESOURCE * variables)
        self.take(_BUILTIN_DATA_ALLOCATOR, _POINTER)
        self.take(_SUBGRAPH * len(functions), _POINTER)
        for function in functions:
            self.take(_EVAL_TENSOR * len(function.tensors), _POINTER)
        for function in functions:
            self.take(_NODE * len(function.operators), _POINTER)
        for operator in operators:
            if size := tflm_kernels.options_bytes(operator):
                self.take(size, tflm_kernels.options_alignment(operator))
        for operator in operators:
            if size := tflm_kernels.state_bytes(operator):
                self.take(size)

    def prepare(self, function: Graph, operator: Operator) -> None:
        """What a kernel keeps when it is prepared."""
        for size in tflm_kernels.prepared_bytes(function, operator):
            self.take(size)
        if operator.name == "ASSIGN_VARIABLE":
            made_by = {each.outputs[0]: each for each in function.operators if each.name == "VAR_HANDLE"}
            handle, value = made_by.get(operator.inputs[0]), function.input(operator, 1)
            variable = _variable(handle) if handle else operator.index
            if value and variable not in self._assigned:
                self.take(value.bytes)
                self._assigned.add(variable)

    def finish(self, functions: Sequence[Graph], plan: _Plan) -> None:
        """What follows the kernels: scratch handles, variables, the tensors that the application sees."""
        if plan.scratch:
            self.take(_POINTER * plan.scratch, _POINTER)
        for number, index in sorted(plan.online_variables):
            self.take(functions[number].tensors[index].bytes)
        for tensors in (functions[0].inputs, functions[0].outputs):
            self.take(_POINTER * len(tensors))
            for index in tensors:
                self.take(_TENSOR, _POINTER)
                if scales := _scales(functions[0], index):
                    self.take(_QUANTIZATION, _POINTER)
                    self.take(4 + 4 * scales, 4)


def _variable(handle: Operator) -> tuple[object, object]:
    """The name of the state that a VAR_HANDLE stands for."""
    return handle.options.get("container"), handle.options.get("shared_name")


def _scales(graph: Graph, index: int) -> int:
    quantization = graph.tensors[index].quantization
    return len(quantization.scales) if quantization else 0


def _preparation(functions: Sequence[Graph], tail: _Tail) -> int:
    """The most that is used while kernels prepare; extends the tail.

    A kernel works with copies of its tensors' descriptions; convolutions take a second copy of their four.
    """
    most = requests = 0
    for function in functions:
        for operator in function.operators:
            tail.prepare(function, operator)
            copies = sorted(
                _TENSOR + (_QUANTIZATION + 4 + 4 * scales if (scales := _scales(function, index)) else 0)
                for index in (*operator.inputs, *operator.outputs)
                if index != ABSENT
            )
            head = _SCRATCH_REQUEST * (requests + _REQUESTS_PER_OPERATOR)
            requests += len(tflm_kernels.scratch_bytes(function, operator))
            most = max(most, tail.bytes + head + sum(copies) + sum(copies[-4:]))
    return most


def _planning(functions: Sequence[Graph], plan: _Plan, tail: _Tail) -> int:
    """What is used while buffers are placed: a record for each tensor, and the planner's for each buffer."""
    requests = _SCRATCH_REQUEST * (plan.scratch + _REQUESTS_PER_OPERATOR)
    records = sum(len(function.tensors) for function in functions) + plan.scratch
    infos = _POINTER * len(functions) + _ALLOCATION_INFO * records
    variables = sum(_up(functions[number].tensors[index].bytes) for number, index in plan.online_variables)
    handles = _up(_POINTER * plan.scratch)
    planner = _PLANNED_BUFFER * len(plan.buffers)
    return _up(tail.bytes + handles + variables) + _up(requests + infos) + _up(planner)
