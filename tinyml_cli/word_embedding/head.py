"""The words behind the embedding, as operators that every engine has.

L2_NORMALIZATION gives unit vectors in 1/128, FULLY_CONNECTED a logit for each label, SOFTMAX the scores. The
logit of "unknown" is 0, so a score above one half is a positive logit. All scales are constants: a word is a
row of int8 weights in 1/16 and an int32 bias in 1/2048, whatever other words there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.tflite import write

WEIGHT_SCALE = 1 / 16
BIAS_SCALE = WEIGHT_SCALE / 128
RESERVED = 2
"""Rows before the words: "silence", which never wins, and "unknown"."""

_VERSIONS = {"L2_NORMALIZATION": 2, "FULLY_CONNECTED": 4, "SOFTMAX": 2}
_INT8, _INT32, _FLOAT32 = 9, 2, 0
_UNIT = 1 / 128
SUM_SCALE = 1 / 16
# What TFLM's softmax asks of its output.
_SCORE_SCALE, _SCORE_ZERO_POINT = 1 / 256, -128

Int8 = npt.NDArray[np.int8]


def with_words(body: bytes, weights: Int8, biases: npt.NDArray[np.int32]) -> bytes:
    """The int8 network with scores int8 [1, RESERVED + words].

    Args:
        body: int8 flatbuffer with one output int8 [1, values], the embedding.
        weights: int8 [words, values], in WEIGHT_SCALE.
        biases: int32 [words], in BIAS_SCALE.
    """
    model = write.unpack(body)
    rows, values = RESERVED + len(weights), weights.shape[1]
    kernel = np.zeros((rows, values), np.int8)
    kernel[RESERVED:] = weights
    never = -round(128 * SUM_SCALE / BIAS_SCALE)
    bias = np.concatenate([[never, 0], biases]).astype(np.int32)
    unit = _unit_vector(model, values)
    kernel_at = _tensor(model, "words/weights", (rows, values), kernel, WEIGHT_SCALE, 0)
    bias_at = _tensor(model, "words/bias", (rows,), bias, BIAS_SCALE, 0)
    sums = _tensor(model, "words/logits", (1, rows), None, SUM_SCALE, 0)
    scores = _tensor(model, "scores", (1, rows), None, _SCORE_SCALE, _SCORE_ZERO_POINT)
    api = write.schema()
    _operator(model, "FULLY_CONNECTED", [unit, kernel_at, bias_at], sums, api.FullyConnectedOptionsT())
    softmax = api.SoftmaxOptionsT()
    softmax.beta = 1.0
    _operator(model, "SOFTMAX", [sums], scores, softmax)
    return _ending_in(model, scores)


def normalised(body: bytes) -> bytes:
    """The int8 network whose output is the unit vector of the embedding, in 1/128."""
    model = write.unpack(body)
    graph = model.subgraphs[0]
    return _ending_in(model, _unit_vector(model, int(graph.tensors[graph.outputs[0]].shape[-1])))


def _unit_vector(model: Any, values: int) -> int:
    graph = model.subgraphs[0]
    unit = _tensor(model, "unit_embedding", (1, values), None, _UNIT, 0)
    _operator(model, "L2_NORMALIZATION", [int(graph.outputs[0])], unit, write.schema().L2NormOptionsT())
    return unit


def _ending_in(model: Any, output: int) -> bytes:
    model.subgraphs[0].outputs = np.array([output], np.int32)
    for signature in model.signatureDefs or ():
        signature.outputs[0].tensorIndex = output
    return write.pack(model)


def as_float(model_bytes: bytes) -> bytes:
    """The float32 network of an int8 one: the same graph with the values that its codes stand for."""
    model = write.unpack(model_bytes)
    done: set[int] = set()
    for tensor in model.subgraphs[0].tensors:
        quantization = tensor.quantization
        if tensor.type not in (_INT8, _INT32) or quantization is None or quantization.scale is None:
            continue
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data) and tensor.buffer not in done:
            done.add(tensor.buffer)
            codes = np.frombuffer(bytes(data), np.int8 if tensor.type == _INT8 else np.int32)
            values = _real(codes.reshape(tensor.shape), quantization)
            model.buffers[tensor.buffer].data = write.data_vector(values.tobytes())
        tensor.type, tensor.quantization = _FLOAT32, None
    return write.pack(model)


def _real(codes: npt.NDArray[Any], quantization: Any) -> npt.NDArray[np.float32]:
    axis = [1] * codes.ndim
    if len(quantization.scale) > 1:
        axis[quantization.quantizedDimension] = -1
    scale = np.asarray(quantization.scale, np.float32).reshape(axis)
    zero_point = np.asarray(quantization.zeroPoint, np.float32).reshape(axis)
    return ((codes.astype(np.float32) - zero_point) * scale).astype(np.float32)


def _tensor(
    model: Any,
    name: str,
    shape: tuple[int, ...],
    data: npt.NDArray[Any] | None,
    scale: float,
    zero_point: int,
) -> int:
    """Adds a tensor, int8 unless its data are int32; returns its index."""
    api = write.schema()
    tensor, quantization = api.TensorT(), api.QuantizationParametersT()
    quantization.scale = np.array([scale], np.float32)
    quantization.zeroPoint = np.array([zero_point], np.int64)
    tensor.name, tensor.shape, tensor.quantization = name, np.array(shape, np.int32), quantization
    tensor.type = _INT32 if data is not None and data.dtype == np.int32 else _INT8
    tensor.buffer = 0
    if data is not None:
        buffer = api.BufferT()
        buffer.data = write.data_vector(data.tobytes())
        tensor.buffer = len(model.buffers)
        model.buffers.append(buffer)
    tensors = model.subgraphs[0].tensors
    tensors.append(tensor)
    return len(tensors) - 1


def _operator(model: Any, name: str, inputs: list[int], output: int, options: Any) -> None:
    api = write.schema()
    operator = api.OperatorT()
    number = getattr(api.BuiltinOperator, name)
    operator.opcodeIndex = write.add_operator_code(model, number, _VERSIONS[name])
    operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
    operator.builtinOptionsType = getattr(api.BuiltinOptions, type(options).__name__.removesuffix("T"))
    operator.builtinOptions = options
    model.subgraphs[0].operators.append(operator)
