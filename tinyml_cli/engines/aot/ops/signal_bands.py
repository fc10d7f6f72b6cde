"""The Signal operators on bands: SignalFilterBank and what follows it, to SignalFilterBankLog."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot.kernel import Constant, Kernel, OpContext, State, read, write
from tinyml_cli.features import tables
from tinyml_cli.tflite.graph import Tensor

_AGAIN = "Make the model again with TensorFlow Lite Micro's tools."
_MOST_CHANNELS = 4096
_GAIN_WORDS = 125
_MOST_BITS = 31


def filter_bank(context: OpContext) -> Kernel:
    """SignalFilterBank: weighted sums of energies, in 64 bits."""
    source, target = _bands(context, context.input(), "uint32"), context.result()
    channels = context.number("num_channels", 1, _MOST_CHANNELS)
    _bands(context, target, "uint64", channels)
    names = ("weights", "unweights", "first_bins", "first_weights", "widths")
    arrays = {name: _array(context, position) for position, name in enumerate(names, 1)}
    weights, unweights, *starts = arrays.values()
    if {array.size for array in starts} != {channels + 1} or weights.size != unweights.size:
        context.refuse(f"has weights for other channels than {channels}", _AGAIN)
    bins, first, widths = (array.astype(int) for array in starts)
    used = widths > 0
    outside = (bins < 0) | (first < 0) | (bins + widths > source.elements) | (first + widths > weights.size)
    if np.any(outside & used):
        context.refuse("reads bins or weights that do not exist", _AGAIN)
    fields = ", ".join(f".{name} = {context.array(name)}" for name in names)
    body = f"""\
static const tinyml_nn_signal_filter_bank_params params = {{.channels = {channels}, {fields}}};
tinyml_nn_signal_filter_bank(&params, {read(source)}, {write(target)});
return 0;"""
    return Kernel(body, tuple(Constant(name, array) for name, array in arrays.items()))


def square_root(context: OpContext) -> Kernel:
    """SignalFilterBankSquareRoot, divided by two to the power of a computed number of bits."""
    source, bits = _bands(context, context.input(), "uint64"), context.input(1)
    target = _bands(context, context.result(), "uint32", source.elements)
    if bits.dtype != "int32" or bits.elements != 1 or bits.data is not None:
        context.refuse(f"takes its bits from {bits.label}", _AGAIN)
    arguments = f"{read(source)}, *{read(bits)}, {write(target)}, {target.elements}"
    return Kernel(f"tinyml_nn_signal_square_root({arguments});\nreturn 0;")


def spectral_subtraction(context: OpContext) -> Kernel:
    """SignalFilterBankSpectralSubtraction: the estimate of the noise, its second output, is its state."""
    source = _bands(context, context.input(), "uint32")
    if len(context.operator.outputs) != 2:
        context.refuse("has other outputs than bands and an estimate of the noise", _AGAIN)
    channels = context.number("num_channels", 1, _MOST_CHANNELS)
    target, noise = (
        _bands(context, context.graph.tensors[index], "uint32", source.elements)
        for index in context.operator.outputs
    )
    if channels != source.elements:
        context.refuse(f"has {channels} channels of {list(source.shape)}", _AGAIN)
    word = (0, (1 << 31) - 1)
    smoothing, one_minus = (
        ", ".join(str(context.number(f"{prefix}{name}", *word)) for prefix in ("", "alternate_"))
        for name in ("smoothing", "one_minus_smoothing")
    )
    body = f"""\
static const tinyml_nn_signal_subtraction params = {{
    .smoothing = {{{smoothing}}}, .one_minus_smoothing = {{{one_minus}}},
    .min_signal_remaining = {context.number("min_signal_remaining", *word)},
    .smoothing_bits = {context.number("smoothing_bits", 0, _MOST_BITS)},
    .fraction_bits = {context.number("spectral_subtraction_bits", 0, _MOST_BITS)},
    .clamping = {context.number("clamping", 0, 1)}}};
tinyml_nn_signal_subtract_noise(&params, {read(source)}, {write(noise)}, {write(target)}, {channels});
return 0;"""
    return Kernel(body, states={noise.index: State(noise.bytes, np.zeros(noise.bytes, np.int8))})


def pcan(context: OpContext) -> Kernel:
    """SignalPCAN: gain by the noise estimate."""
    source = _bands(context, context.input(), "uint32")
    noise = _bands(context, context.input(1), "uint32", source.elements)
    target = _bands(context, context.result(), "uint32", source.elements)
    gains = _array(context, 2)
    if gains.size < _GAIN_WORDS:
        context.refuse(f"has a table of {gains.size} numbers, not {_GAIN_WORDS}", _AGAIN)
    arguments = ", ".join((
        context.array("gains"), str(context.number("snr_shift", 0, _MOST_BITS)), read(source), read(noise),
        write(target), str(target.elements),
    ))  # fmt: skip
    return Kernel(
        f"tinyml_nn_signal_pcan({arguments});\nreturn 0;", (Constant("gains", gains),), may_overwrite=(0,)
    )


def log(context: OpContext) -> Kernel:
    """SignalFilterBankLog: the natural logarithm in int16."""
    source = _bands(context, context.input(), "uint32")
    target = _bands(context, context.result(), "int16", source.elements)
    correction = context.number("input_correction_bits", 0, _MOST_BITS)
    scale = context.number("output_scale", 0, (1 << 31) - 1)
    arguments = f"{correction}, {scale}, {read(source)}, {write(target)}, {target.elements}"
    return Kernel(
        f"tinyml_nn_signal_log({context.array('log2_error')}, {arguments});\nreturn 0;",
        (Constant("log2_error", tables.log2_error().astype(np.int16)),),
    )


def _bands(context: OpContext, tensor: Tensor, dtype: str, elements: int | None = None) -> Tensor:
    sized = tensor.elements == elements if elements is not None else tensor.elements > 0
    if tensor.dtype != dtype or not sized or len(tensor.shape) != 1:
        wanted = f"{dtype}[{elements}]" if elements is not None else f"a vector of {dtype}"
        context.refuse(f"works on {tensor.label}, {tensor.dtype}{list(tensor.shape)}, not {wanted}", _AGAIN)
    if tensor.data is not None:
        context.refuse(f"takes {tensor.label}, a constant", _AGAIN)
    return tensor


def _array(context: OpContext, position: int) -> npt.NDArray[np.int16]:
    tensor = context.constant(position)
    if tensor.dtype != "int16" or tensor.data is None:
        context.refuse(f"takes numbers from {tensor.label} of type {tensor.dtype}", _AGAIN)
    return tensor.data.astype(np.int16).reshape(-1)
