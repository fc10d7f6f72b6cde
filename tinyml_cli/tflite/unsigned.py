"""Converts uint8 models, as made by TensorFlow 1, to int8: every value and zero point is 128 lower.

The arithmetic is unchanged if weights are centred on 128, since int8 kernels only accept weights centred on 0
(tensorflow.org/lite/performance/quantization_spec).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite import write
from tinyml_cli.tflite.graph import ABSENT, Graph, Tensor, parse
from tinyml_cli.tflite.interpret import run

_CONVERTING = frozenset({"QUANTIZE", "DEQUANTIZE"})
_WEIGHTED = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})
_CUSTOM = frozenset({"CUSTOM TFLite_Detection_PostProcess"})  # dequantises by itself
_SHIFT = 128
_COMPARED = 16
_LARGEST_MEAN = 1.0  # steps; ties in averages round differently, by less


def to_signed(data: bytes, where: str) -> bytes:
    """The int8 flatbuffer of a uint8 one; the same bytes where nothing is computed in uint8.

    Says how many output bytes differ from the original's over random inputs, both run by LiteRT: some may
    after AVERAGE_POOL_2D, whose ties int8 kernels round away from zero and uint8 kernels up.

    Args:
        data: a flatbuffer that `graph.parse` accepts.

    Raises:
        TinymlError: weights that are not centred on 128, a custom operator, or outputs that differ.
    """
    graph = parse(data, where)
    computing = [each for each in graph.operators if each.name not in _CONVERTING]
    if not any(_is_unsigned(graph.tensors[index]) for each in computing for index in each.outputs):
        return data
    _check_operators(graph, where)
    model = write.unpack(data, where)
    api = write.schema()
    shifted = set()
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            quantization = tensor.quantization
            if tensor.type != api.TensorType.UINT8 or quantization is None or quantization.scale is None:
                continue
            tensor.type = api.TensorType.INT8
            quantization.zeroPoint = np.asarray(quantization.zeroPoint, np.int64) - _SHIFT
            values = model.buffers[tensor.buffer].data
            if values is not None and len(values) and tensor.buffer not in shifted:
                shifted.add(tensor.buffer)
                model.buffers[tensor.buffer].data = np.asarray(values, np.uint8) ^ np.uint8(_SHIFT)
    signed = write.pack(model)
    _check_answers(data, signed, where)
    return signed


def _is_unsigned(tensor: Tensor) -> bool:
    return tensor.dtype == "uint8" and tensor.quantization is not None


def _check_operators(graph: Graph, where: str) -> None:
    for operator in graph.operators:
        ends = [graph.tensors[index] for index in (*operator.inputs, *operator.outputs) if index != ABSENT]
        custom = operator.name.startswith("CUSTOM ") and operator.name not in _CUSTOM
        if custom and any(map(_is_unsigned, ends)):
            raise TinymlError(
                f"The model is uint8, and what its custom operator {operator.index} "
                f"({operator.name.removeprefix('CUSTOM ')}) computes in int8 is not known",
                where,
                "Convert the original network again: tinyml convert MODEL --calibration DATA.",
            )
        weights = graph.input(operator, 1)
        if operator.name not in _WEIGHTED or weights is None or weights.quantization is None:
            continue
        if _is_unsigned(weights) and np.any(weights.quantization.zero_points != _SHIFT):
            raise TinymlError(
                f"The model is uint8, and the weights of operator {operator.index} {operator.name} "
                f"({weights.label}) have the zero point {weights.quantization.zero_points[0]}: int8 "
                "kernels need weights centred on zero",
                where,
                "Convert the original network again: tinyml convert MODEL --calibration DATA.",
            )


def _signed(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return (values ^ np.uint8(_SHIFT)).view(np.int8) if values.dtype == np.uint8 else values


def _check_answers(unsigned: bytes, signed: bytes, where: str) -> None:
    graph = parse(unsigned)
    rng = np.random.default_rng(0)
    tensors = [graph.tensors[index] for index in graph.inputs]
    inputs = [rng.integers(0, 256, (_COMPARED, each.elements)).astype(each.dtype) for each in tensors]
    before = run(unsigned, inputs)
    after = run(signed, [_signed(each) for each in inputs])
    steps = np.concatenate(
        [np.abs(_signed(a).astype(float) - b).ravel() for a, b in zip(before, after, strict=True)]
    )
    differing = f"{np.count_nonzero(steps)} of {steps.size} output bytes differ"
    if steps.mean() > _LARGEST_MEAN:
        raise TinymlError(
            f"The model is uint8, and {differing} in int8, by up to {steps.max():g}",
            where,
            "Convert the original network again: tinyml convert MODEL --calibration DATA.",
        )
    by = f", by up to {steps.max():g}" if steps.any() else ""
    console.info(f"Converted the model from uint8 to int8: {differing} from LiteRT's uint8{by}")
