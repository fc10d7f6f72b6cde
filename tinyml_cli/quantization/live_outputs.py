"""Operators with unused outputs: each output that is used becomes a slice of its own.

TensorFlow Lite's quantizer rounds such an operator only if its pattern visits it before the unused outputs
are removed, and that order depends on memory addresses: the same LSTM became full int8 in some processes
and kept a float SPLIT in others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyml_cli.tflite import write
from tinyml_cli.tflite.graph import Graph, Operator, parse

_NAMES = ("SPLIT", "SPLIT_V", "UNPACK")


def slice_live_outputs(model_bytes: bytes) -> bytes:
    """The same function without unread outputs of SPLIT, SPLIT_V and UNPACK; the same bytes without any.

    Args:
        model_bytes: a float32 flatbuffer of one subgraph.
    """
    graph = parse(model_bytes)
    read = {index for operator in graph.operators for index in operator.inputs} | set(graph.outputs)
    partly = [each for each in graph.operators if each.name in _NAMES and not set(each.outputs) <= read]
    if not partly:
        return model_bytes
    model = write.unpack(model_bytes)
    subgraph = model.subgraphs[0]
    operators: list[Any] = []
    for operator, old in zip(graph.operators, subgraph.operators, strict=True):
        operators += _slices(model, graph, operator, read) if operator in partly else [old]
    subgraph.operators = operators
    return write.pack(model)


def _slices(model: Any, graph: Graph, operator: Operator, read: set[int]) -> list[Any]:
    """A STRIDED_SLICE for each output that is read."""
    api = write.schema()
    source = operator.inputs[1 if operator.name == "SPLIT" else 0]
    shape = graph.tensors[source].shape
    axis = _axis(graph, operator) % len(shape)
    unpacked = operator.name == "UNPACK"
    made, start = [], 0
    for index in operator.outputs:
        size = 1 if unpacked else graph.tensors[index].shape[axis]
        if index in read:
            begin, end = [0] * len(shape), list(shape)
            begin[axis], end[axis] = start, start + size
            slicing = api.OperatorT()
            slicing.opcodeIndex = write.operator_code(model, api.BuiltinOperator.STRIDED_SLICE)
            bounds = (begin, end, [1] * len(shape))
            slicing.inputs = np.array([source, *(_constant(model, each) for each in bounds)], np.int32)
            slicing.outputs = np.array([index], np.int32)
            slicing.builtinOptionsType = api.BuiltinOptions.StridedSliceOptions
            slicing.builtinOptions = api.StridedSliceOptionsT()
            slicing.builtinOptions.shrinkAxisMask = 1 << axis if unpacked else 0
            made.append(slicing)
        start += size
    return made


def _axis(graph: Graph, operator: Operator) -> int:
    if operator.name == "UNPACK":
        return int(operator.options["axis"])
    axis = graph.tensors[operator.inputs[0 if operator.name == "SPLIT" else 2]].data
    assert axis is not None, "the converter writes constant axes"
    return int(axis.ravel()[0])


def _constant(model: Any, values: Sequence[int]) -> int:
    """The index of a new int32 vector; equal ones are shared by the quantizer."""
    api, subgraph = write.schema(), model.subgraphs[0]
    buffer, tensor = api.BufferT(), api.TensorT()
    buffer.data = write.data_vector(np.array(values, "<i4").tobytes())
    tensor.shape, tensor.type = np.array([len(values)], np.int32), api.TensorType.INT32
    tensor.buffer, tensor.name = len(model.buffers), f"bounds_{len(subgraph.tensors)}".encode()
    model.buffers.append(buffer)
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1
