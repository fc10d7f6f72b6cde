"""The Signal operators on samples and spectra, from SignalFramer to SignalEnergy."""

from __future__ import annotations

import numpy as np

from tinyml_cli.engines.aot.kernel import Constant, Kernel, OpContext, State, read, tensor_name, write
from tinyml_cli.features import tables
from tinyml_cli.tflite.graph import Tensor

_AGAIN = "Make the model again with TensorFlow Lite Micro's tools."
_LARGEST_FFT = 1 << 15
_LARGEST_FRAME = 1 << 20
_INT16 = 7  # in the schema's list of types


def framer(context: OpContext) -> Kernel:
    """SignalFramer: the samples of earlier inferences lie behind the frames, which stay in the arena too."""
    source = _samples(context)
    outputs = [context.graph.tensors[index] for index in context.operator.outputs]
    if [tensor.dtype for tensor in outputs] != ["int16", "bool"]:
        context.refuse("has other outputs than frames in int16 and whether they are whole", _AGAIN)
    size = context.number("frame_size", 1, _LARGEST_FRAME)
    step = context.number("frame_step", 1, size)
    frames = source.shape[-1] // step
    rows = source.elements // source.shape[-1]
    if frames * step != source.shape[-1] or outputs[0].elements != rows * frames * size:
        context.refuse(f"cuts {list(source.shape)} into {list(outputs[0].shape)}", _AGAIN)
    held = (size - step) if context.number("prefill", 0, 1) else 0
    history = np.zeros((rows, 1 + (size + step + 1) // 2), np.int32)
    history[:, 0] = held
    start = -(-outputs[0].bytes // 4) * 4
    initial = np.zeros(start + history.nbytes, np.int8)
    initial[start:] = np.frombuffer(history.astype("<i4").tobytes(), np.int8)
    body = f"""\
static const tinyml_nn_signal_framer framer = {{
    .rows = {rows}, .frames = {frames}, .frame_size = {size}, .frame_step = {step}}};
*{write(outputs[1])} = tinyml_nn_signal_frames(&framer, {read(source)},
    (int32_t*)(arena + {tensor_name(outputs[0])} + {start}), {write(outputs[0])});
return 0;"""
    return Kernel(body, states={outputs[0].index: State(len(initial), initial)})


def window(context: OpContext) -> Kernel:
    """SignalWindow: each window of samples times constant weights."""
    source, target, weights = (
        _samples(context),
        _integers(context, context.result(), "int16"),
        context.constant(1),
    )
    if weights.dtype != "int16" or weights.data is None or len(weights.shape) != 1:
        context.refuse(
            f"takes its weights from {weights.label}, {weights.dtype}{list(weights.shape)}", _AGAIN
        )
    if source.elements % weights.elements or source.elements != target.elements:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", _AGAIN)
    shift = context.number("shift", 0, 31)
    arguments = f"{context.array('weights')}, {weights.elements}, {shift}, {read(source)}, {write(target)}"
    return Kernel(
        f"tinyml_nn_signal_window({arguments}, {source.elements});\nreturn 0;",
        (Constant("weights", weights.data),),
        may_overwrite=(0,),
    )


def fft_auto_scale(context: OpContext) -> Kernel:
    """SignalFftAutoScale: the largest power of two that the samples have room for, and its exponent."""
    source = _samples(context)
    outputs = [context.graph.tensors[index] for index in context.operator.outputs]
    if [tensor.dtype for tensor in outputs] != ["int16", "int32"] or outputs[1].elements != 1:
        context.refuse("has other outputs than samples in int16 and bits in int32", _AGAIN)
    if outputs[0].elements != source.elements or len(source.shape) != 1:
        context.refuse(f"produces {list(outputs[0].shape)} from {list(source.shape)}", _AGAIN)
    call = f"tinyml_nn_signal_auto_scale({read(source)}, {write(outputs[0])}, {source.elements})"
    return Kernel(f"*{write(outputs[1])} = {call};\nreturn 0;")


def rfft(context: OpContext) -> Kernel:
    """SignalRfft of int16; the size is a power of two, shorter rows are followed by zeros."""
    source = _samples(context)
    if context.number("T", 0, 255) != _INT16:
        context.refuse("transforms other values than int16", "Use int16, as the audio preprocessor does.")
    target = _integers(context, context.result(), "int16")
    size = context.number("fft_length", 4, _LARGEST_FFT)
    length = source.shape[-1]
    rows = source.elements // length
    if size & (size - 1) or length > size or target.elements != rows * (size + 2):
        context.refuse(
            f"makes {list(target.shape)} of {list(source.shape)} by a transform of {size}",
            "Use a power of two of at least the samples' number.",
        )
    points = size // 2
    body = f"""\
static const tinyml_nn_signal_rfft_params params = {{
    .rows = {rows}, .length = {length}, .points = {points}, .order = {context.array("order")},
    .rotations = {context.array("rotations")}, .split = {context.array("split")}}};
tinyml_nn_signal_rfft(&params, {read(source)}, {write(target)});
return 0;"""
    constants = (
        Constant("order", tables.fft_order(points).astype(np.int16)),
        Constant("rotations", tables.fft_twiddles(points)),
        Constant("split", tables.split_twiddles(points)),
    )
    return Kernel(body, constants)


def energy(context: OpContext) -> Kernel:
    """SignalEnergy of some bins; the others, which TensorFlow Lite Micro leaves as they were, are 0."""
    source, target = _samples(context), _integers(context, context.result(), "uint32")
    if 2 * target.elements > source.elements:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", _AGAIN)
    start = context.number("start_index", 0, target.elements)
    end = context.number("end_index", start, target.elements)
    arguments = f"{read(source)}, {start}, {end}, {write(target)}, {target.elements}"
    return Kernel(f"tinyml_nn_signal_energy({arguments});\nreturn 0;")


def _samples(context: OpContext) -> Tensor:
    """The first input: computed int16."""
    source = context.input()
    if source.data is not None:
        context.refuse(f"takes {source.label}, a constant", _AGAIN)
    return _integers(context, source, "int16")


def _integers(context: OpContext, tensor: Tensor, dtype: str) -> Tensor:
    if tensor.dtype != dtype or not tensor.elements or not tensor.shape:
        context.refuse(f"works on {tensor.label}, {tensor.dtype}{list(tensor.shape)}, not {dtype}", _AGAIN)
    return tensor
