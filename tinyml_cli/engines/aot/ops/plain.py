"""ADD, SUB, MUL, DIV, MAXIMUM and MINIMUM on plain numbers: float32, and int32 without a scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyml_cli.c_text import float_literal, integer_literal
from tinyml_cli.engines.aot.kernel import Kernel, OpContext
from tinyml_cli.engines.aot.ops.binary import BinaryFunction, broadcast
from tinyml_cli.tflite.graph import Tensor

_SHORT = {"float32": "f32", "int32": "s32"}
_RANGES = {"RELU": (0, None), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1), "NONE": (None, None)}


def arithmetic(name: str) -> Callable[[OpContext], Kernel]:
    """The lowering of "add", "sub", "mul" or "div"."""

    def lowering(context: OpContext) -> Kernel:
        a, b, target = _operands(context)
        if name == "div" and target.dtype == "int32" and b.data is not None and not np.all(b.data):
            context.refuse(f"divides by a zero of {b.label}", "Divide by other numbers.")
        range_ = activation(context, target)
        if (name, target.dtype) == ("add", "int32") and range_ != _whole_range(target):
            context.refuse(
                "has a fused activation on int32, which TensorFlow Lite Micro ignores",
                "Apply it in an operator of its own.",
            )
        return broadcast(context, a, b, target, _function(name, target, range_))

    return lowering


def extremum(name: str) -> Callable[[OpContext], Kernel]:
    """The lowering of "maximum" or "minimum"."""

    def lowering(context: OpContext) -> Kernel:
        a, b, target = _operands(context)
        return broadcast(context, a, b, target, _function(name, target))

    return lowering


def activation(context: OpContext, target: Tensor) -> str:
    """The fused activation as a C initialiser `{lowest, highest}`; infinities become finite, as in TFLM."""
    name = context.option("fused_activation_function")
    if name not in _RANGES:
        context.refuse(f"has the fused activation {name}", "Use ReLU, ReLU6 or none.")
    return _initialiser(target, *_RANGES[name])


def _whole_range(target: Tensor) -> str:
    return _initialiser(target, *_RANGES["NONE"])


def _initialiser(target: Tensor, low: int | None, high: int | None) -> str:
    if target.dtype == "float32":
        largest = float(np.finfo(np.float32).max)
        lowest, highest = -largest if low is None else low, largest if high is None else high
        return f"{{{float_literal(lowest)}, {float_literal(highest)}}}"
    whole = np.iinfo(np.int32)
    ends = (whole.min if low is None else low, whole.max if high is None else high)
    return f"{{{', '.join(integer_literal(int(end)) for end in ends)}}}"


def _operands(context: OpContext) -> tuple[Tensor, Tensor, Tensor]:
    dtype = context.input().dtype
    a, b = (context.plain(dtype, position) for position in (0, 1))
    return a, b, context.plain_output(dtype)


def _function(name: str, target: Tensor, range_: str = "") -> BinaryFunction:
    short = _SHORT[target.dtype]
    params = f"static const tinyml_nn_range_{short} params = {range_};\n" if range_ else ""
    return BinaryFunction(f"tinyml_nn_{name}_{short}", params=params)
