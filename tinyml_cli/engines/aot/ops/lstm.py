"""UNIDIRECTIONAL_SEQUENCE_LSTM over our own kernel: int8 values and weights, a cell state in int16."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tinyml_cli.engines.aot import arithmetic
from tinyml_cli.engines.aot.kernel import (
    Constant,
    Kernel,
    OpContext,
    Overlap,
    read,
    scale_of,
    tensor_name,
    write,
    zero_point_of,
)
from tinyml_cli.engines.aot.ops import packing, state
from tinyml_cli.engines.aot.overlap import rows_lead
from tinyml_cli.tflite.graph import Tensor
from tinyml_cli.wording import counted

_INPUTS = 24
_INPUT_WEIGHTS, _RECURRENT_WEIGHTS = range(1, 5), range(5, 9)
_BIASES = range(12, 16)
_HIDDEN, _CELL = 18, 19
# Of inputs that only other kinds of LSTM have.
_VARIANTS = {
    "peephole connections": range(9, 12),
    "a projection": range(16, 18),
    "layer normalisation": range(20, 24),
}
_AGAIN = "Convert the model again."
_KERAS = "Build it from keras.layers.LSTM, which has none of these, or export it with --engine tflm."

# Gates are Q3.12 before their function and Q0.15 after it.
_GATE_SCALE = np.float32(2**-12)
_PRODUCT_OF_GATES = 2.0**-30
_SIGMOID_UNIT_BITS = 12
_CELL_POWERS = range(-_SIGMOID_UNIT_BITS - 30, 15 - _SIGMOID_UNIT_BITS)


def unidirectional_sequence_lstm(context: OpContext) -> Kernel:
    """UNIDIRECTIONAL_SEQUENCE_LSTM as of Keras: tanh, no peepholes, no projection, no layer normalisation."""
    _check_kind(context)
    source, target = context.activation(), context.output()
    hidden, cell = state.variable(context, _HIDDEN), state.variable(context, _CELL)
    batches, steps, inputs, units = _sizes(context, source, target, hidden, cell)
    _check_states(context, target, hidden, cell)
    time_major = bool(context.option("time_major"))
    outer, inner = (steps, batches) if time_major else (batches, steps)
    weights, input_bias, input_scales = _gates(context, _INPUT_WEIGHTS, source, (units, inputs))
    recurrent, recurrent_bias, recurrent_scales = _gates(context, _RECURRENT_WEIGHTS, hidden, (units, units))
    lowest, highest = _cell_range(context, cell)
    tanh_multiplier, tanh_shift = _tanh_input(context, cell)
    body = f"""\
static const tinyml_nn_lstm lstm = {{
    .outer = {outer}, .inner = {inner}, .time_major = {int(time_major)},
    .inputs = {inputs}, .units = {units},
    .input = {{{", ".join(map(_scale, input_scales))}}},
    .recurrent = {{{", ".join(map(_scale, recurrent_scales))}}},
    .cell = {_scale(_product_scale(cell))}, .lowest_cell = {lowest}, .highest_cell = {highest},
    .tanh_multiplier = {tanh_multiplier}, .tanh_shift = {tanh_shift},
    .output = {_scale(_product_scale(hidden))}, .output_zero_point = {zero_point_of(hidden)}}};
tinyml_nn_lstm_s8(&lstm, {read(source)}, {context.array("input_weights")},
    {context.array("recurrent_weights")}, {context.array("bias")}, (int8_t*)(arena + {tensor_name(hidden)}),
    (int16_t*)(arena + {tensor_name(cell)}), {write(target)});
return 0;"""
    constants = (
        Constant("input_weights", packing.four_rows(weights)),
        Constant("recurrent_weights", packing.four_rows(recurrent)),
        Constant("bias", np.stack([input_bias, recurrent_bias], axis=1)),
    )
    return Kernel(
        body,
        constants,
        overlaps=(Overlap(0, rows_lead(batches * steps, inputs, units)),),
        states=state.kept(hidden, cell),
    )


def _check_kind(context: OpContext) -> None:
    operator = context.operator
    if len(operator.inputs) != _INPUTS:
        context.refuse(f"has {counted(len(operator.inputs), 'input')}, not {_INPUTS}", _AGAIN)
    for variant, positions in _VARIANTS.items():
        if any(context.graph.input(operator, position) for position in positions):
            context.refuse(f"has {variant}", _KERAS)
    if context.graph.input(operator, _INPUT_WEIGHTS[0]) is None:
        context.refuse("has no input gate of its own (it is coupled to the forget gate)", _KERAS)
    if context.option("diagonal_recurrent_tensors"):
        context.refuse("has diagonal recurrent weights", _KERAS)
    if context.option("fused_activation_function") != "TANH":
        name = context.option("fused_activation_function")
        context.refuse(f"has the activation {name}, not TANH", "Use activation='tanh', the default of Keras.")


def _sizes(
    context: OpContext, source: Tensor, target: Tensor, hidden: Tensor, cell: Tensor
) -> tuple[int, int, int, int]:
    """Batches, time steps, inputs and units."""
    if len(source.shape) != 3 or len(hidden.shape) != 2 or not source.elements:
        context.refuse(
            f"has an input {list(source.shape)} and a hidden state {list(hidden.shape)}, not "
            "[batches, time steps, inputs] and [batches, units]",
            _AGAIN,
        )
    first, second, inputs = source.shape
    batches, steps = (second, first) if context.option("time_major") else (first, second)
    units = hidden.shape[1]
    if hidden.elements != batches * units or cell.elements != batches * units:
        context.refuse(
            f"has the states {list(hidden.shape)} and {list(cell.shape)} for {counted(batches, 'batch')} of "
            f"{counted(units, 'unit')}",
            _AGAIN,
        )
    if target.shape != (first, second, units) or not units:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)} and {units} units", _AGAIN)
    return batches, steps, inputs, units


def _check_states(context: OpContext, target: Tensor, hidden: Tensor, cell: Tensor) -> None:
    if (hidden.dtype, cell.dtype) != ("int8", "int16"):
        context.refuse(
            f"has a hidden state in {hidden.dtype} and a cell state in {cell.dtype}, not in int8 and int16",
            "Quantise the whole model to int8: tinyml quantize, then tinyml convert.",
        )
    if (scale_of(target), zero_point_of(target)) != (scale_of(hidden), zero_point_of(hidden)):
        context.refuse("has other scales for its output than for its hidden state", _AGAIN)
    if zero_point_of(cell):
        context.refuse(f"has a cell state with the zero point {zero_point_of(cell)}, not 0", _AGAIN)


def _gates(
    context: OpContext, positions: range, source: Tensor, shape: tuple[int, int]
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int32], list[arithmetic.Multiplier]]:
    """Of one source: weights [units * 4 gates, columns], biases [units, 4 gates], and the gates' scales."""
    weights, biases = [], []
    scales: list[arithmetic.Multiplier] = []
    for gate, position in enumerate(positions):
        tensor = context.weights(position)
        assert tensor.quantization is not None and tensor.data is not None
        if tensor.quantization.per_channel or tensor.shape != shape:
            context.refuse(
                f"has weights {list(tensor.shape)} ({tensor.label}) where {list(shape)} with one scale were "
                "expected",
                _AGAIN,
            )
        own = np.zeros(shape[0], np.int32)
        if positions is _INPUT_WEIGHTS:
            own = context.bias(shape[0], _BIASES[gate])
        weights.append(tensor.data)
        biases.append(packing.folded_bias(own, tensor.data, zero_point_of(source)))
        scales += arithmetic.product_multipliers(scale_of(source), tensor.quantization.scales, _GATE_SCALE)
    return np.stack(weights, axis=1).reshape(-1, shape[1]), np.stack(biases, axis=1), scales


def _scale(multiplier: arithmetic.Multiplier) -> str:
    return f"{{{multiplier.significand}, {multiplier.shift}}}"


def _product_scale(target: Tensor) -> arithmetic.Multiplier:
    """From a product of two gates to a tensor."""
    return arithmetic.quantize_multiplier(_PRODUCT_OF_GATES / float(scale_of(target)))


def _cell_range(context: OpContext, cell: Tensor) -> tuple[int, int]:
    """What the cell state is clipped to."""
    limits, clip = np.iinfo(np.int16), float(context.option("cell_clip"))
    if not clip > 0:
        return int(limits.min), int(limits.max)
    highest = int(min(clip / float(scale_of(cell)), float(limits.max)))
    return -highest, highest


def _tanh_input(context: OpContext, cell: Tensor) -> tuple[int, int]:
    """Multiplier and right shift that bring the cell state to the unit of tanh_q15 (sigmoid_s16.h)."""
    fraction, exponent = math.frexp(float(scale_of(cell)))
    power = exponent - 1
    if fraction != 0.5 or power not in _CELL_POWERS:
        context.refuse(
            f"has a cell state of scale {scale_of(cell):g}, not a power of two from 2^{_CELL_POWERS[0]} to "
            f"2^{_CELL_POWERS[-1]}",
            _AGAIN,
        )
    shift = power + _SIGMOID_UNIT_BITS
    return (3 << shift, 0) if shift >= 0 else (3, -shift)
