"""The profile of one model on one board: the cost of its operators, and the needs of the program."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from tinyml_cli.build.sizes import Symbol
from tinyml_cli.profile.cycles import CodeCost, Component
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.graph import ABSENT, Graph, Operator, Tensor


@dataclass(frozen=True)
class OperatorRow:
    """One operator. What was not counted is None.

    Attributes:
        shape: of its first output.
        weight_bytes: of its constants in the model file.
        activation_bytes: of the tensors that it reads and writes.
        share: of the inference's cycles.
        flash_reads: reads of data from flash, mostly weights; a word or less each.
        components: cycles by what they are spent on.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    macs: int
    weight_bytes: int
    activation_bytes: int
    instructions: int | None = None
    cycles: int | None = None
    time_ms: float | None = None
    share: float | None = None
    instructions_per_mac: float | None = None
    flash_reads: int | None = None
    components: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FunctionRow:
    """What one function executed itself, without those that it calls."""

    name: str
    instructions: int
    cycles: int


@dataclass(frozen=True)
class Memory:
    """What the linked program takes; None where it is not known.

    Attributes:
        flash_bytes: code, constants and initial values: `code_bytes` + `model_bytes`.
        model_bytes: the model's own constants.
        ram_bytes: all variables, with the arena and the reserved stack.
        stack_bytes: the deepest the stack was since reset, callers included.
        stack_inference_bytes: the same during the inference.
        board_flash_bytes, board_ram_bytes: of the real board's firmware.
        board_evidence: "built" (that firmware was linked) or "estimated" (this program and its Arduino core).
    """

    flash_bytes: int | None = None
    code_bytes: int | None = None
    model_bytes: int | None = None
    ram_bytes: int | None = None
    arena_bytes: int | None = None
    stack_bytes: int | None = None
    stack_inference_bytes: int | None = None
    stack_reserved_bytes: int | None = None
    board_flash_bytes: int | None = None
    board_ram_bytes: int | None = None
    board_evidence: str | None = None


@dataclass(frozen=True)
class OnBoard:
    """Inferences of a real board, by its own clock.

    Attributes:
        time_ms: their median.
        engine: what the board's firmware says it runs.
        estimate_error: how much longer the estimate is, as a share; it compares one engine with another where
            the engines differ.
    """

    time_ms: float
    engine: str
    estimate_error: float | None


@dataclass(frozen=True)
class ProfileReport:
    """A profile.

    Attributes:
        board: what was asked for; the counts come from `sim`.
        chip: the board whose clock and currents the estimates use; None on native.
        cycles_range, time_ms_range: with the manuals' lowest and highest figures for what they leave open.
        time_ms: estimated from cycles, or measured on this computer; `evidence` says which.
        on_board: None unless a real board was timed.
        outside: instructions and cycles between the operators.
        evidence: figure -> "emulated" (counted on QEMU), "estimated" (by a model), "host" (measured on
            this computer) or "linked" (read from the program).
    """

    run: str
    model_sha256: str
    board: str
    engine: str
    app: str
    chip: str | None
    clock_hz: int | None
    macs: int
    time_ms: float
    operators: tuple[OperatorRow, ...]
    memory: Memory
    evidence: dict[str, str]
    instructions: int | None = None
    instructions_by_firmware: int | None = None
    cycles: int | None = None
    cycles_range: tuple[int, int] | None = None
    time_ms_range: tuple[float, float] | None = None
    flash_reads: int | None = None
    energy_uj: float | None = None
    energy_source: str | None = None
    on_board: OnBoard | None = None
    outside: dict[str, int] | None = None
    functions: tuple[FunctionRow, ...] = ()
    symbols: tuple[Symbol, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Field by field, as `Profiled` has them."""
        return asdict(self)


def operator_rows(graph: Graph) -> list[OperatorRow]:
    """What the model file alone says about its operators."""
    return [_row(graph, operator) for operator in graph.operators]


def counted_row(row: OperatorRow, cost: CodeCost | None, total_cycles: int, clock_hz: int) -> OperatorRow:
    """The row with what was counted; an operator without a cost runs no code."""
    cost = cost or CodeCost()
    return OperatorRow(
        **{name: getattr(row, name) for name in _STATIC},
        instructions=cost.instructions,
        cycles=cost.cycles,
        time_ms=round(1000 * cost.cycles / clock_hz, 6),
        share=round(cost.cycles / total_cycles, 6) if total_cycles else 0.0,
        instructions_per_mac=round(cost.instructions / row.macs, 3) if row.macs else None,
        flash_reads=cost.flash_reads,
        components=component_names(cost),
    )


_STATIC = ("index", "name", "shape", "macs", "weight_bytes", "activation_bytes")


def component_names(cost: CodeCost) -> dict[str, int]:
    """Cycles by component, by name, in a fixed order."""
    return {component.value: cost.components.get(component, 0) for component in Component}


def _row(graph: Graph, operator: Operator) -> OperatorRow:
    read = [graph.tensors[index] for index in operator.inputs if index != ABSENT]
    written = [graph.tensors[index] for index in operator.outputs]
    computed = {tensor.index: tensor for tensor in (*read, *written) if tensor.data is None}
    return OperatorRow(
        index=operator.index,
        name=operator.name,
        shape=written[0].shape if written else (),
        macs=tflite_graph.macs(graph, operator),
        weight_bytes=sum(_bytes(tensor) for tensor in read if tensor.data is not None),
        activation_bytes=sum(_bytes(tensor) for tensor in computed.values()),
    )


def _bytes(tensor: Tensor) -> int:
    return tensor.bytes or math.prod(tensor.shape)
