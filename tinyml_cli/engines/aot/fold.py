"""Constant folding at export: the shape arithmetic around a dynamic RESHAPE.

Converters emit SHAPE, STRIDED_SLICE and PACK before RESHAPE if the batch size is open; on a
microcontroller every shape is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.tflite.graph import ABSENT, Graph, Operator, Tensor

Array = npt.NDArray[Any]


def fold(graph: Graph) -> Graph:
    """The graph with every operator replaced by its result that has constant inputs and a known rule.

    Operators that stay keep their index. Quantised values are moved, never computed with.
    """
    tensors, kept = list(graph.tensors), []
    for operator in graph.operators:
        values = _fold(tensors, operator)
        if values is None or set(operator.outputs) & set(graph.outputs):
            kept.append(operator)
            continue
        target = tensors[operator.outputs[0]]
        tensors[target.index] = replace(target, data=values)
    return replace(graph, tensors=tuple(tensors), operators=tuple(kept))


def _fold(tensors: list[Tensor], operator: Operator) -> Array | None:
    """The value of the operator's only output, or None where it is to be computed on the device."""
    rule = _RULES.get(operator.name)
    if rule is None or len(operator.outputs) != 1 or not operator.inputs:
        return None
    sources = [tensors[index] for index in operator.inputs if index != ABSENT]
    target = tensors[operator.outputs[0]]
    if operator.name != "SHAPE" and any(source.data is None for source in sources):
        return None
    if operator.name in _ARITHMETIC and target.dtype not in ("int32", "int64"):
        return None
    if target.elements > _LARGEST_CONSTANT:
        return None
    try:
        values = np.asarray(rule(operator, sources))
        if operator.name in _REPEATING:
            values = np.broadcast_to(values, target.shape)
        return values.astype(target.dtype).reshape(target.shape)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError):
        return None


def _shape(_: Operator, sources: list[Tensor]) -> Array:
    return np.array(sources[0].shape)


def _strided_slice(operator: Operator, sources: list[Tensor]) -> Array:
    data, begins, ends, steps = (_data(source) for source in sources)
    options = operator.options
    if options["ellipsis_mask"] or options["new_axis_mask"]:
        raise ValueError("an ellipsis or a new axis")
    index: list[int | slice] = []
    for axis in range(len(begins)):
        bit = 1 << axis
        begin = None if options["begin_mask"] & bit else int(begins[axis])
        end = None if options["end_mask"] & bit else int(ends[axis])
        index.append(
            int(begins[axis]) if options["shrink_axis_mask"] & bit else slice(begin, end, int(steps[axis]))
        )
    return np.asarray(data[tuple(index)])


def _pack(operator: Operator, sources: list[Tensor]) -> Array:
    return np.stack([_data(source) for source in sources], axis=operator.options["axis"])


def _concatenation(operator: Operator, sources: list[Tensor]) -> Array:
    return np.concatenate([_data(source) for source in sources], axis=operator.options["axis"])


def _same(_: Operator, sources: list[Tensor]) -> Array:
    return _data(sources[0])


def _gather(operator: Operator, sources: list[Tensor]) -> Array:
    if operator.options.get("batch_dims"):
        raise ValueError("batch dimensions")
    return np.take(_data(sources[0]), _data(sources[1]), axis=operator.options["axis"])


def _fill(_: Operator, sources: list[Tensor]) -> Array:
    return _data(sources[1]).reshape(())


def _tile(_: Operator, sources: list[Tensor]) -> Array:
    times = [int(number) for number in _data(sources[1]).reshape(-1)]
    if min(times, default=0) < 1 or math.prod(times) * sources[0].elements > _LARGEST_CONSTANT:
        raise ValueError(f"repeats {times}")
    return np.tile(_data(sources[0]), times)


def _transpose(_: Operator, sources: list[Tensor]) -> Array:
    return np.transpose(_data(sources[0]), tuple(_data(sources[1])))


def _binary(function: Callable[[Array, Array], Array]) -> Callable[[Operator, list[Tensor]], Array]:
    def rule(_: Operator, sources: list[Tensor]) -> Array:
        return function(_data(sources[0]), _data(sources[1]))

    return rule


def _product(_: Operator, sources: list[Tensor]) -> Array:
    return np.asarray(np.prod(_data(sources[0]), axis=tuple(_data(sources[1]).reshape(-1))))


def _data(tensor: Tensor) -> Array:
    if tensor.data is None:
        raise ValueError("not a constant")
    return tensor.data


_LARGEST_CONSTANT = 1 << 24
_REPEATING = frozenset({"BROADCAST_TO", "FILL"})
_ARITHMETIC = frozenset({"ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "REDUCE_PROD", "CAST"})
_RULES: dict[str, Callable[[Operator, list[Tensor]], Array]] = {
    "ADD": _binary(np.add),
    "BROADCAST_TO": _same,
    "CAST": _same,
    "CONCATENATION": _concatenation,
    "EXPAND_DIMS": _same,
    "FILL": _fill,
    "GATHER": _gather,
    "MAXIMUM": _binary(np.maximum),
    "MINIMUM": _binary(np.minimum),
    "MUL": _binary(np.multiply),
    "PACK": _pack,
    "REDUCE_PROD": _product,
    "RESHAPE": _same,
    "SHAPE": _shape,
    "SQUEEZE": _same,
    "STRIDED_SLICE": _strided_slice,
    "SUB": _binary(np.subtract),
    "TILE": _tile,
    "TRANSPOSE": _transpose,
}
