"""What the kernels of TensorFlow Lite Micro keep in the arena, and what they borrow during one operator.

Sizes are those of its reference kernels on a host with 64-bit pointers, read from its sources of August 2026
(tensorflow/lite/micro/kernels). A Cortex-M needs less of all that holds pointers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import model_again
from tinyml_cli.tflite.graph import Graph, Operator, Tensor

_EVAL_TENSOR_BYTES = 24
_SOFTMAX_TABLE_BYTES = 2 * 513

# sizeof of an operator's options (TfLiteConvParams ...), as its parser copies them; 0 where it copies none.
_OPTIONS_BYTES = {
    "ADD": 8, "ARG_MAX": 4, "ARG_MIN": 4, "AVERAGE_POOL_2D": 40, "BATCH_MATMUL": 3, "CALL_ONCE": 4, "CAST": 8,
    "CONCATENATION": 8, "CONV_2D": 28, "CUMSUM": 2, "DEPTHWISE_CONV_2D": 28, "DEPTH_TO_SPACE": 4, "DIV": 4,
    "FULLY_CONNECTED": 32, "GATHER": 8, "IF": 8, "L2_NORMALIZATION": 4, "LEAKY_RELU": 4, "MAX_POOL_2D": 40,
    "MEAN": 1, "MIRROR_PAD": 4, "MUL": 4, "PACK": 8, "REDUCE_MAX": 1, "REDUCE_MIN": 1, "RESHAPE": 36,
    "RESIZE_BILINEAR": 2, "RESIZE_NEAREST_NEIGHBOR": 2, "SHAPE": 4, "SOFTMAX": 4, "SPACE_TO_DEPTH": 4,
    "SPLIT": 4, "SPLIT_V": 4, "SQUEEZE": 36, "STRIDED_SLICE": 24, "SUB": 8, "SUM": 1, "SVDF": 12,
    "TRANSPOSE_CONV": 20, "UNIDIRECTIONAL_SEQUENCE_LSTM": 16, "UNPACK": 8, "VAR_HANDLE": 16, "WHILE": 8,
}  # fmt: skip

_OPTIONS_WITH_POINTERS = ("FULLY_CONNECTED", "VAR_HANDLE")

# sizeof of what a kernel's Init keeps (OpDataConv ...); 0 where it has none.
_STATE_BYTES = {
    "ABS": 28, "ADD": 60, "ASSIGN_VARIABLE": 4, "AVERAGE_POOL_2D": 32, "BATCH_MATMUL": 32, "CALL_ONCE": 8,
    "CONCATENATION": 80, "CONV_2D": 80, "DEPTHWISE_CONV_2D": 80, "DEQUANTIZE": 32, "DIV": 28, "ELU": 256,
    "EQUAL": 32, "FULLY_CONNECTED": 72, "GREATER": 32, "GREATER_EQUAL": 32, "HARD_SWISH": 20, "IF": 8,
    "L2_NORMALIZATION": 4, "LEAKY_RELU": 24, "LESS": 32, "LESS_EQUAL": 32, "LOGISTIC": 16, "MAX_POOL_2D": 32,
    "MEAN": 44, "MIRROR_PAD": 20, "MUL": 36, "NOT_EQUAL": 32, "PAD": 56, "PADV2": 56, "PRELU": 28,
    "QUANTIZE": 32, "REDUCE_MAX": 44, "REDUCE_MIN": 44, "RELU": 28, "RELU6": 8, "RSQRT": 28, "SELECT_V2": 1,
    "SOFTMAX": 80, "SPACE_TO_BATCH_ND": 4, "SQUARED_DIFFERENCE": 112, "STRIDED_SLICE": 84, "SUB": 52,
    "SUM": 44, "SVDF": 36, "TANH": 16, "TRANSPOSE_CONV": 88, "UNIDIRECTIONAL_SEQUENCE_LSTM": 688,
    "VAR_HANDLE": 4, "WHILE": 8,
}  # fmt: skip

# Operators whose Prepare moves the dimensions of its output into the arena.
_MOVES_SHAPE = ("BATCH_MATMUL", "DEPTH_TO_SPACE", "EMBEDDING_LOOKUP", "GATHER", "GATHER_ND", "SPACE_TO_DEPTH")


def options_bytes(operator: Operator) -> int:
    """Bytes of an operator's options; 0 where there are none."""
    return _OPTIONS_BYTES.get(operator.name, 0)


def options_alignment(operator: Operator) -> int:
    """The alignment of an operator's options."""
    if operator.name in _OPTIONS_WITH_POINTERS:
        return 8
    return 1 if options_bytes(operator) < 4 else 4


def state_bytes(operator: Operator) -> int:
    """Bytes that the kernel keeps when it is initialised; 0 where it keeps nothing."""
    return _STATE_BYTES.get(operator.name, 0)


def prepared_bytes(graph: Graph, operator: Operator) -> list[int]:
    """The buffers that a kernel keeps when it is prepared, in the order of allocation."""
    kept = _KEPT.get(operator.name)
    found = kept(graph, operator) if kept else []
    output = graph.output(operator)
    if output and (
        operator.name in _MOVES_SHAPE or (operator.name == "RESHAPE" and _stretches(graph, operator))
    ):
        found.append(4 + 4 * len(output.shape))
    return found


def scratch_bytes(graph: Graph, operator: Operator) -> list[int]:
    """The buffers that a kernel borrows while it runs."""
    borrowed = _BORROWED.get(operator.name)
    return borrowed(graph, operator) if borrowed else []


def _given(graph: Graph, operator: Operator, position: int) -> Tensor:
    tensor = graph.input(operator, position)
    if tensor is None:
        raise TinymlError(
            f"Operator {operator.index} {operator.name} has no input {position}",
            "model_int8.tflite",
            model_again(),
        )
    return tensor


def _int4(tensor: Tensor) -> list[int]:
    """The buffer into which a kernel unpacks weights of 4 bits."""
    return [tensor.elements] if tensor.dtype == "int4" else []


def _in_int8(graph: Graph, operator: Operator, size: int) -> list[int]:
    return [size] if _given(graph, operator, 0).dtype == "int8" else []


def _multipliers(channels: int) -> list[int]:
    return [4 * channels, 4 * channels]


def _fully_connected(graph: Graph, operator: Operator) -> list[int]:
    quantization = _given(graph, operator, 1).quantization
    return _multipliers(len(quantization.scales)) if quantization and quantization.per_channel else []


def _batch_matmul(graph: Graph, operator: Operator) -> list[int]:
    found = [28] if _given(graph, operator, 0).dtype in ("int8", "int16") else []
    for position, transposed in ((0, operator.options.get("adj_x")), (1, not operator.options.get("adj_y"))):
        if transposed:
            tensor = _given(graph, operator, position)
            found += [_EVAL_TENSOR_BYTES, 4 + 4 * len(tensor.shape), tensor.bytes]
    return found


def _stretches(graph: Graph, operator: Operator) -> bool:
    output = graph.output(operator)
    return output is not None and any(size < 0 for size in output.shape)


def _softmax(graph: Graph, operator: Operator) -> list[int]:
    return [_SOFTMAX_TABLE_BYTES] * 2 if _given(graph, operator, 0).dtype == "int16" else []


_Buffers = Callable[[Graph, Operator], list[int]]

_KEPT: dict[str, _Buffers] = {
    "ADD_N": lambda graph, operator: _in_int8(graph, operator, 40),
    "BATCH_MATMUL": _batch_matmul,
    "CONV_2D": lambda graph, operator: _multipliers(_given(graph, operator, 1).shape[0]),
    "CUMSUM": lambda graph, operator: _in_int8(graph, operator, 36),
    "DEPTHWISE_CONV_2D": lambda graph, operator: _multipliers(_given(graph, operator, 1).shape[3]),
    "EMBEDDING_LOOKUP": lambda graph, operator: [16],
    "FULLY_CONNECTED": _fully_connected,
    "LOG_SOFTMAX": lambda graph, operator: _in_int8(graph, operator, 40),
    "SOFTMAX": _softmax,
    "TRANSPOSE_CONV": lambda graph, operator: _multipliers(_given(graph, operator, 1).shape[0]),
}


def _reduction(graph: Graph, operator: Operator) -> list[int]:
    return [4 * len(_given(graph, operator, 0).shape), 4 * _given(graph, operator, 1).elements]


def _mean(graph: Graph, operator: Operator) -> list[int]:
    return [4 * graph.tensors[operator.outputs[0]].elements, *_reduction(graph, operator)]


def _svdf(graph: Graph, operator: Operator) -> list[int]:
    batch, filters = _given(graph, operator, 0).shape[0], _given(graph, operator, 1).shape[0]
    units = filters // max(int(operator.options.get("rank") or 1), 1)
    return [4 * batch * filters, 4 * batch * units]


def _transpose_conv(graph: Graph, operator: Operator) -> list[int]:
    of_accumulator = 8 if _given(graph, operator, 2).dtype == "int16" else 4
    return [of_accumulator * graph.tensors[operator.outputs[0]].elements]


_CELL_STATE = 19  # among an LSTM's inputs; its scratch has this type


def _lstm(graph: Graph, operator: Operator) -> list[int]:
    source, hidden = _given(graph, operator, 0), _given(graph, operator, 5).shape[0]
    batch = source.shape[1 if operator.options.get("time_major") else 0] if len(source.shape) == 3 else 1
    state = _given(graph, operator, _CELL_STATE)
    return [state.bytes // state.elements * batch * hidden] * 4


_BORROWED: dict[str, _Buffers] = {
    "ADD_N": lambda graph, operator: [8 * len(operator.inputs)],
    "CONV_2D": lambda graph, operator: _int4(_given(graph, operator, 1)),
    "DEPTHWISE_CONV_2D": lambda graph, operator: _int4(_given(graph, operator, 1)),
    "FULLY_CONNECTED": lambda graph, operator: _int4(_given(graph, operator, 1)),
    "MEAN": _mean,
    "MIRROR_PAD": lambda graph, operator: [4 * len(_given(graph, operator, 0).shape)] * 2,
    "REDUCE_MAX": _reduction,
    "REDUCE_MIN": _reduction,
    "SUM": _mean,
    "SVDF": _svdf,
    "TRANSPOSE_CONV": _transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}


def cmsis_nn_bytes(graph: Graph) -> int:
    """What CMSIS-NN's kernels need on top: the largest scratch, and what an LSTM keeps.

    A scratch is two columns of int16, or a row of int32 sums; an LSTM keeps eight rows of int32 sums.
    """
    sizes, kept = [0], 0
    for operator in graph.operators:
        weights = graph.input(operator, 1)
        if operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D") and weights:
            sizes.append(4 * math.prod(weights.shape[1:]))
        elif operator.name == "AVERAGE_POOL_2D":
            sizes.append(4 * graph.tensors[operator.outputs[0]].shape[-1])
        elif operator.name == "UNIDIRECTIONAL_SEQUENCE_LSTM":
            kept += 8 * 4 * _given(graph, operator, 5).shape[0]
    return max(sizes) + kept
