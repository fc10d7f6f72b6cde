"""QUANTIZE and DEQUANTIZE: changes of scale, and of type at a model's boundary."""

from __future__ import annotations

import numpy as np

from tinyml_cli.c_text import float_literal
from tinyml_cli.engines.aot import arithmetic, tables
from tinyml_cli.engines.aot.kernel import Kernel, OpContext, read, scale_of, write, zero_point_of
from tinyml_cli.engines.aot.ops.unary import by_table
from tinyml_cli.tflite.graph import Tensor

# 8-bit types that TensorFlow Lite Micro converts into each other, and the table's entries.
_TABLE_TYPES: dict[tuple[str, str], tuple[type[np.integer], type[np.integer]]] = {
    ("int8", "int8"): (np.int8, np.int8),
    ("int8", "uint8"): (np.int8, np.uint8),
    ("uint8", "int8"): (np.uint8, np.int8),
    ("int8", "int16"): (np.int8, np.int16),
}
_RESCALED_TYPES = {
    ("int16", "int8"), ("int16", "int16"), ("int16", "int32"), ("int32", "int8"), ("int32", "int16"),
    ("int8", "int32"),
}  # fmt: skip
_SHORT = {"int8": "s8", "uint8": "u8", "int16": "s16", "int32": "s32"}


def quantize(context: OpContext) -> Kernel:
    """QUANTIZE from float32, or between integer types."""
    source, target = context.input(), context.result()
    _check(context, source, target)
    if (source.dtype, target.dtype) in _TABLE_TYPES:
        types = _TABLE_TYPES[source.dtype, target.dtype]
        function = tables.requantize(zero_point_of(source), zero_point_of(target), _ratio(source, target))
        return by_table(context, source, target, tables.tabulate(function, *types))
    if source.dtype == "float32" and target.dtype in ("int8", "int16"):
        call = f"tinyml_nn_quantize_f32_{_SHORT[target.dtype]}"
        return _convert(call, _grid(target), source, target)
    if (source.dtype, target.dtype) not in _RESCALED_TYPES:
        context.refuse(f"turns {source.dtype} into {target.dtype}", "Export it with --engine tflm.")
    return _requantize(source, target)


def dequantize(context: OpContext) -> Kernel:
    """DEQUANTIZE to float32."""
    source, target = context.input(), context.result()
    _check(context, source, target)
    if source.dtype not in ("int8", "uint8", "int16") or target.dtype != "float32":
        context.refuse(f"turns {source.dtype} into {target.dtype}", "Export it with --engine tflm.")
    return _convert(f"tinyml_nn_dequantize_{_SHORT[source.dtype]}_f32", _grid(source), source, target)


def _check(context: OpContext, source: Tensor, target: Tensor) -> None:
    for tensor in (source, target):
        if tensor.dtype == "float32":
            continue
        quantization = tensor.quantization
        if quantization is None or quantization.per_channel or not quantization.scales[0] > 0:
            context.refuse(f"works on {tensor.label}, which has no single positive scale", _AGAIN)
        limits = np.iinfo(tensor.dtype) if tensor.dtype in _SHORT else None
        if limits and not limits.min <= zero_point_of(tensor) <= limits.max:
            context.refuse(f"works on {tensor.label}, whose zero point does not fit {tensor.dtype}", _AGAIN)
    if source.elements != target.elements:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", _AGAIN)
    if source.data is not None:
        context.refuse(f"takes {source.label}, a constant of type {source.dtype}", _AGAIN)


def _ratio(source: Tensor, target: Tensor) -> arithmetic.Multiplier:
    return arithmetic.quantize_multiplier(float(scale_of(source)) / float(scale_of(target)))


def _grid(tensor: Tensor) -> str:
    return f"{float_literal(float(scale_of(tensor)))}, {zero_point_of(tensor)}"


def _convert(function: str, grid: str, source: Tensor, target: Tensor) -> Kernel:
    return Kernel(f"{function}({grid}, {read(source)}, {write(target)}, {target.elements});\nreturn 0;")


def _requantize(source: Tensor, target: Tensor) -> Kernel:
    multiplier = _ratio(source, target)
    function = f"tinyml_nn_requantize_{_SHORT[source.dtype]}_{_SHORT[target.dtype]}"
    return Kernel(f"""\
static const tinyml_nn_requantize_params params = {{
    .input_offset = {-zero_point_of(source)}, .multiplier = {multiplier.significand},
    .shift = {multiplier.shift}, .output_offset = {zero_point_of(target)}}};
{function}(&params, {read(source)}, {write(target)}, {target.elements});
return 0;""")


_AGAIN = "Quantise the whole model to int8: tinyml quantize, then tinyml convert."
