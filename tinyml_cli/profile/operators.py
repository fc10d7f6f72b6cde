"""What a model's operators cost: by the model file alone, and with what was counted."""

from __future__ import annotations

import math

from tinyml_cli.outcomes.profiles import OperatorCost
from tinyml_cli.profile.cycles import CodeCost, Component
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.graph import ABSENT, Graph, Operator, Tensor


def operator_costs(graph: Graph) -> list[OperatorCost]:
    """What the model file alone says about its operators."""
    return [_cost(graph, operator) for operator in graph.operators]


def counted(operator: OperatorCost, cost: CodeCost | None, total_cycles: int, clock_hz: int) -> OperatorCost:
    """The operator with what was counted; one without a cost runs no code."""
    cost = cost or CodeCost()
    return operator.model_copy(
        update={
            "instructions": cost.instructions,
            "cycles": cost.cycles,
            "cycles_with_flash": cost.cycles_with_flash,
            "time_ms": round(1000 * cost.cycles / clock_hz, 6),
            "share": round(cost.cycles / total_cycles, 6) if total_cycles else 0.0,
            "instructions_per_mac": round(cost.instructions / operator.macs, 3) if operator.macs else None,
            "flash_reads": cost.flash_reads,
            "cache_misses": cost.cache_misses,
            "components": component_names(cost),
        }
    )


def component_names(cost: CodeCost) -> dict[str, int]:
    """Cycles by component, by name, in a fixed order."""
    return {component.value: cost.components.get(component, 0) for component in Component}


def _cost(graph: Graph, operator: Operator) -> OperatorCost:
    read = [graph.tensors[index] for index in operator.inputs if index != ABSENT]
    written = [graph.tensors[index] for index in operator.outputs]
    computed = {tensor.index: tensor for tensor in (*read, *written) if tensor.data is None}
    return OperatorCost.filled(
        index=operator.index,
        name=operator.name,
        shape=list(written[0].shape) if written else [],
        macs=tflite_graph.macs(graph, operator),
        weight_bytes=sum(_bytes(tensor) for tensor in read if tensor.data is not None),
        activation_bytes=sum(_bytes(tensor) for tensor in computed.values()),
        components={},
    )


def _bytes(tensor: Tensor) -> int:
    return tensor.bytes or math.prod(tensor.shape)
