"""The operators of the ahead-of-time compiler: one function each, from OpContext to Kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tinyml_cli.engines.aot.kernel import Kernel, OpContext
from tinyml_cli.engines.aot.ops import (
    arg_extremum,
    binary,
    boundary,
    cast,
    convolution,
    convolution_s16,
    dense,
    dense_f32,
    div,
    elementwise_s16,
    gather,
    grouped,
    join,
    l2_normalization,
    lstm,
    matmul,
    move,
    plain,
    pooling,
    reduce,
    resize,
    shape,
    signal,
    signal_bands,
    softmax,
    softmax_f32,
    state,
    svdf,
    transpose_conv,
    unary,
    unary_f32,
)

_Lowering = Callable[[OpContext], Kernel]


def _by_type(int8: _Lowering, others: Mapping[str, _Lowering], position: int = 0) -> _Lowering:
    """One lowering for int8 activations and others by type, as the input at `position` says."""

    def lowering(context: OpContext) -> Kernel:
        return others.get(context.input(position).dtype, int8)(context)

    return lowering


def _plain(name: str) -> dict[str, _Lowering]:
    """The lowerings of a binary function on plain numbers."""
    make = plain.extremum if name.endswith("imum") else plain.arithmetic
    return {"float32": make(name), "int32": make(name)}


def _float_only(context: OpContext) -> Kernel:
    """Refuses a function that TensorFlow Lite Micro has in float32 alone."""
    source = context.input()
    context.refuse(f"works on {source.label} of type {source.dtype}, not float32", "Put it after DEQUANTIZE.")


LOWERINGS: dict[str, _Lowering] = {
    "ABS": _by_type(unary.absolute, {"float32": unary_f32.function("abs")}),
    "ADD": _by_type(binary.add, {"int16": elementwise_s16.add, **_plain("add")}),
    "ARG_MAX": arg_extremum.arg_max,
    "ARG_MIN": arg_extremum.arg_min,
    "ASSIGN_VARIABLE": state.assign_variable,
    "AVERAGE_POOL_2D": pooling.average_pool_2d,
    "BATCH_MATMUL": matmul.batch_matmul,
    "CALL_ONCE": state.call_once,
    "CAST": cast.cast,
    "CONCATENATION": join.concatenation,
    "CONV_2D": _by_type(grouped.conv_2d_in_groups, {"int16": convolution_s16.conv_2d}),
    "CUSTOM SignalEnergy": signal.energy,
    "CUSTOM SignalFftAutoScale": signal.fft_auto_scale,
    "CUSTOM SignalFilterBank": signal_bands.filter_bank,
    "CUSTOM SignalFilterBankLog": signal_bands.log,
    "CUSTOM SignalFilterBankSpectralSubtraction": signal_bands.spectral_subtraction,
    "CUSTOM SignalFilterBankSquareRoot": signal_bands.square_root,
    "CUSTOM SignalFramer": signal.framer,
    "CUSTOM SignalPCAN": signal_bands.pcan,
    "CUSTOM SignalRfft": signal.rfft,
    "CUSTOM SignalWindow": signal.window,
    "DEPTH_TO_SPACE": move.depth_to_space,
    "DEPTHWISE_CONV_2D": _by_type(
        convolution.depthwise_conv_2d, {"int16": convolution_s16.depthwise_conv_2d}
    ),
    "DEQUANTIZE": boundary.dequantize,
    "DIV": _by_type(div.div, _plain("div")),
    "ELU": _by_type(unary.elu, {"float32": unary_f32.function("elu")}),
    "EXP": _by_type(_float_only, {"float32": unary_f32.function("exponential")}),
    "EXPAND_DIMS": shape.reshape,
    "FULLY_CONNECTED": _by_type(
        dense.fully_connected,
        {"int16": convolution_s16.fully_connected, "float32": dense_f32.fully_connected},
    ),
    "GATHER": gather.gather,
    "GELU": unary.gelu,
    "HARD_SWISH": _by_type(unary.hard_swish, {"float32": unary_f32.function("hard_swish")}),
    "L2_NORMALIZATION": l2_normalization.l2_normalization,
    "LEAKY_RELU": _by_type(
        unary.leaky_relu, {"int16": elementwise_s16.leaky_relu, "float32": unary_f32.leaky_relu}
    ),
    "LOG": _by_type(_float_only, {"float32": unary_f32.function("logarithm")}),
    "LOG_SOFTMAX": _by_type(softmax.log_softmax, {"float32": softmax_f32.log_softmax}),
    "LOGISTIC": _by_type(
        unary.logistic, {"int16": elementwise_s16.logistic, "float32": unary_f32.function("logistic")}
    ),
    "MAX_POOL_2D": pooling.max_pool_2d,
    "MAXIMUM": _by_type(binary.maximum, _plain("maximum")),
    "MEAN": reduce.mean,
    "MINIMUM": _by_type(binary.minimum, _plain("minimum")),
    "MUL": _by_type(binary.mul, {"int16": elementwise_s16.mul, **_plain("mul")}),
    "PACK": join.pack,
    "PAD": join.pad,
    "PADV2": join.pad,
    "PRELU": binary.prelu,
    "QUANTIZE": boundary.quantize,
    "READ_VARIABLE": state.read_variable,
    "REDUCE_MAX": reduce.largest,
    "REDUCE_MIN": reduce.smallest,
    "RELU": _by_type(unary.relu, {"float32": unary_f32.clamp(0)}),
    "RELU6": _by_type(unary.relu6, {"float32": unary_f32.clamp(0, 6)}),
    "RELU_N1_TO_1": _by_type(unary.relu_n1_to_1, {"float32": unary_f32.clamp(-1, 1)}),
    "RESHAPE": shape.reshape,
    "RESIZE_BILINEAR": resize.resize_bilinear,
    "RESIZE_NEAREST_NEIGHBOR": resize.resize_nearest_neighbor,
    "REVERSE_V2": move.reverse,
    "SLICE": move.slice_,
    "SOFTMAX": _by_type(softmax.softmax, {"int16": elementwise_s16.softmax, "float32": softmax_f32.softmax}),
    "SPACE_TO_DEPTH": move.space_to_depth,
    "SPLIT": move.split,
    "SPLIT_V": move.split_v,
    "SQUEEZE": shape.reshape,
    "STRIDED_SLICE": move.strided_slice,
    "SUB": _by_type(binary.sub, {"int16": elementwise_s16.sub, **_plain("sub")}),
    "SUM": reduce.total,
    "SVDF": svdf.svdf,
    "TANH": _by_type(
        unary.tanh, {"int16": elementwise_s16.tanh, "float32": unary_f32.function("hyperbolic_tangent")}
    ),
    "TRANSPOSE": move.transpose,
    "TRANSPOSE_CONV": _by_type(
        transpose_conv.transpose_conv, {"int16": convolution_s16.transpose_conv}, position=2
    ),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm.unidirectional_sequence_lstm,
    "UNPACK": move.unpack,
    "VAR_HANDLE": state.var_handle,
}
