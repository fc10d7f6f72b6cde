"""From a flatbuffer to a Network: lowered operators and a memory plan."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_cli.engines.aot.fold import fold
from tinyml_cli.engines.aot.kernel import Kernel, OpContext, tensor_name
from tinyml_cli.engines.aot.ops import LOWERINGS
from tinyml_cli.engines.aot.plan import Buffer, Plan, plan
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite.graph import Graph, Tensor

_LARGEST_ARENA_BYTES = (1 << 31) - 1


@dataclass(frozen=True)
class Step:
    """One operator and the C that computes it."""

    context: OpContext
    kernel: Kernel


@dataclass(frozen=True)
class Network:
    """A compiled model.

    Attributes:
        steps: in order of execution, operators that move no data included.
        buffers: what lies in the arena; step numbers are operator indices, -1 is before the first.
        storage: tensor index -> index of the tensor whose bytes it uses.
    """

    graph: Graph
    steps: tuple[Step, ...]
    buffers: tuple[Buffer, ...]
    storage: dict[int, int]
    plan: Plan

    @property
    def input(self) -> Tensor:
        """The model's input."""
        return self.graph.tensors[self.graph.inputs[0]]

    @property
    def output(self) -> Tensor:
        """The model's output."""
        return self.graph.tensors[self.graph.outputs[0]]

    def offset(self, tensor: int) -> int:
        """Where a tensor's bytes start in the arena."""
        return self.plan.offsets[tensor_name(self.graph.tensors[self.storage[tensor]])]


def compile_graph(graph: Graph, where: str = "model") -> Network:
    """Lowers every operator and plans the arena.

    Raises:
        TinymlError: an operator, type or shape that the engine cannot compile, by name.
    """
    graph = fold(graph)
    _check_signature(graph, where)
    steps = tuple(_lower(OpContext(graph, operator, where)) for operator in graph.operators)
    storage = _storage(graph, steps, where)
    buffers = (*_tensor_buffers(graph, storage), *_scratch_buffers(steps))
    planned = plan(buffers)
    if planned.arena_bytes > _LARGEST_ARENA_BYTES:
        raise TinymlError(
            f"The model needs an arena of {planned.arena_bytes} bytes, more than 32-bit addresses reach",
            where,
            "Make the model smaller.",
        )
    return Network(graph, steps, buffers, storage, planned)


def _check_signature(graph: Graph, where: str) -> None:
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise TinymlError(
            f"The model has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; "
            "the aot engine takes one of each",
            where,
            "Export it with --engine tflm.",
        )
    for index in (*graph.inputs, *graph.outputs):
        tensor = graph.tensors[index]
        if tensor.dtype != "int8" or tensor.quantization is None:
            raise TinymlError(
                f"The model's {tensor.label} is {tensor.dtype}, not quantised int8",
                where,
                "Quantise the whole model to int8: tinyml quantize, then tinyml convert.",
            )


def _lower(context: OpContext) -> Step:
    lowering = LOWERINGS.get(context.operator.name)
    if lowering is None:
        tensor = context.graph.output(context.operator)
        raise TinymlError(
            f"The aot engine has no {context.operator.name} (operator {context.operator.index}"
            + (f", which makes {tensor.label})" if tensor else ")"),
            context.where,
            f"Export the model with --engine tflm, or build it from: {', '.join(LOWERINGS)}.",
        )
    try:
        return Step(context, lowering(context))
    except ValueError as error:
        context.refuse(
            f"has scales that cannot be expressed ({error})", "Train and quantise the model again."
        )


def _storage(graph: Graph, steps: tuple[Step, ...], where: str) -> dict[int, int]:
    """Follows aliases, and checks that every value is made once and before it is used."""
    storage = {graph.inputs[0]: graph.inputs[0]}
    for step in steps:
        operator = step.context.operator
        for index in operator.inputs:
            if index >= 0 and index not in storage and graph.tensors[index].data is None:
                step.context.refuse(
                    f"uses {graph.tensors[index].label} before it is computed", "Make the model again."
                )
        for index in operator.outputs:
            if index in storage:
                step.context.refuse(
                    f"computes {graph.tensors[index].label} a second time", "Make the model again."
                )
            alias = step.kernel.alias_of
            storage[index] = index if alias is None else storage[alias]
    if graph.outputs[0] not in storage:
        label = graph.tensors[graph.outputs[0]].label
        raise TinymlError(f"No operator computes the model's output {label}", where, "Make the model again.")
    return storage


def _tensor_buffers(graph: Graph, storage: dict[int, int]) -> list[Buffer]:
    end = graph.operators[-1].index + 1 if graph.operators else 0
    first: dict[int, int] = {graph.inputs[0]: -1}
    last: dict[int, int] = {graph.inputs[0]: -1, storage[graph.outputs[0]]: end}
    for operator in graph.operators:
        for index in (*operator.inputs, *operator.outputs):
            if index in storage:
                root = storage[index]
                first.setdefault(root, operator.index)
                last[root] = max(last.get(root, -1), operator.index)
    return [
        Buffer(tensor_name(graph.tensors[root]), graph.tensors[root].bytes, first[root], last[root])
        for root in sorted(first)
    ]


def _scratch_buffers(steps: tuple[Step, ...]) -> list[Buffer]:
    return [
        Buffer(
            step.context.scratch_name,
            step.kernel.scratch_bytes,
            step.context.operator.index,
            step.context.operator.index,
        )
        for step in steps
        if step.kernel.scratch_bytes
    ]
