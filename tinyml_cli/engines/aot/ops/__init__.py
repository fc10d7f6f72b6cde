"""The operators of the ahead-of-time compiler: one function each, from OpContext to Kernel."""

from __future__ import annotations

from collections.abc import Callable

from tinyml_cli.engines.aot.kernel import Kernel, OpContext
from tinyml_cli.engines.aot.ops import (
    arg_extremum,
    binary,
    boundary,
    convolution,
    convolution_s16,
    dense,
    elementwise_s16,
    gather,
    grouped,
    join,
    lstm,
    matmul,
    move,
    pooling,
    reduce,
    resize,
    shape,
    softmax,
    state,
    svdf,
    transpose_conv,
    unary,
)

_Lowering = Callable[[OpContext], Kernel]


def _by_type(narrow: _Lowering, wide: _Lowering, position: int = 0) -> _Lowering:
    """One lowering for int8 activations and another for int16, as the input at `position` says."""

    def lowering(context: OpContext) -> Kernel:
        return (wide if context.input(position).dtype == "int16" else narrow)(context)

    return lowering


LOWERINGS: dict[str, _Lowering] = {
    "ABS": unary.absolute,
    "ADD": _by_type(binary.add, elementwise_s16.add),
    "ARG_MAX": arg_extremum.arg_max,
    "ARG_MIN": arg_extremum.arg_min,
    "ASSIGN_VARIABLE": state.assign_variable,
    "AVERAGE_POOL_2D": pooling.average_pool_2d,
    "BATCH_MATMUL": matmul.batch_matmul,
    "CALL_ONCE": state.call_once,
    "CONCATENATION": join.concatenation,
    "CONV_2D": _by_type(grouped.conv_2d_in_groups, convolution_s16.conv_2d),
    "DEPTH_TO_SPACE": move.depth_to_space,
    "DEPTHWISE_CONV_2D": _by_type(convolution.depthwise_conv_2d, convolution_s16.depthwise_conv_2d),
    "DEQUANTIZE": boundary.dequantize,
    "ELU": unary.elu,
    "EXPAND_DIMS": shape.reshape,
    "FULLY_CONNECTED": _by_type(dense.fully_connected, convolution_s16.fully_connected),
    "GATHER": gather.gather,
    "GELU": unary.gelu,
    "HARD_SWISH": unary.hard_swish,
    "LEAKY_RELU": _by_type(unary.leaky_relu, elementwise_s16.leaky_relu),
    "LOG_SOFTMAX": softmax.log_softmax,
    "LOGISTIC": _by_type(unary.logistic, elementwise_s16.logistic),
    "MAX_POOL_2D": pooling.max_pool_2d,
    "MAXIMUM": binary.maximum,
    "MEAN": reduce.mean,
    "MINIMUM": binary.minimum,
    "MUL": _by_type(binary.mul, elementwise_s16.mul),
    "PACK": join.pack,
    "PAD": join.pad,
    "PADV2": join.pad,
    "PRELU": binary.prelu,
    "QUANTIZE": boundary.quantize,
    "READ_VARIABLE": state.read_variable,
    "REDUCE_MAX": reduce.largest,
    "REDUCE_MIN": reduce.smallest,
    "RELU": unary.relu,
    "RELU6": unary.relu6,
    "RELU_N1_TO_1": unary.relu_n1_to_1,
    "RESHAPE": shape.reshape,
    "RESIZE_BILINEAR": resize.resize_bilinear,
    "RESIZE_NEAREST_NEIGHBOR": resize.resize_nearest_neighbor,
    "REVERSE_V2": move.reverse,
    "SLICE": move.slice_,
    "SOFTMAX": _by_type(softmax.softmax, elementwise_s16.softmax),
    "SPACE_TO_DEPTH": move.space_to_depth,
    "SPLIT": move.split,
    "SPLIT_V": move.split_v,
    "SQUEEZE": shape.reshape,
    "STRIDED_SLICE": move.strided_slice,
    "SUB": _by_type(binary.sub, elementwise_s16.sub),
    "SUM": reduce.total,
    "SVDF": svdf.svdf,
    "TANH": _by_type(unary.tanh, elementwise_s16.tanh),
    "TRANSPOSE": move.transpose,
    "TRANSPOSE_CONV": _by_type(transpose_conv.transpose_conv, convolution_s16.transpose_conv, 2),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm.unidirectional_sequence_lstm,
    "UNPACK": move.unpack,
    "VAR_HANDLE": state.var_handle,
}
