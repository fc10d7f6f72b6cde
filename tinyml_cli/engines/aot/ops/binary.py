"""ADD, SUB, MUL, MAXIMUM, MINIMUM and PRELU, with broadcasting, over our own kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinyml_cli.engines.aot import arithmetic, layout, tables
from tinyml_cli.engines.aot.kernel import (
    Constant,
    Kernel,
    OpContext,
    read,
    scale_of,
    write,
    zero_point_of,
)
from tinyml_cli.engines.aot.ops.unary import by_table
from tinyml_cli.tflite.graph import Tensor
from tinyml_cli.wording import counted

# TensorFlow Lite adds on a common scale with this many fractional bits.
_SUM_FRACTION_BITS = 20
_LARGEST_RANK = 5


def add(context: OpContext) -> Kernel:
    """ADD."""
    return _sum(context, 1)


def sub(context: OpContext) -> Kernel:
    """SUB."""
    return _sum(context, -1)


def mul(context: OpContext) -> Kernel:
    """MUL."""
    a, b, target = context.operand(0), context.operand(1), context.output()
    multiplier = arithmetic.quantize_multiplier(
        float(scale_of(a)) * float(scale_of(b)) / float(scale_of(target))
    )
    lowest, highest = context.clamp_range(target)
    zero_a, zero_b, zero = zero_point_of(a), zero_point_of(b), zero_point_of(target)
    params = f"""\
static const tinyml_nn_mul_params params = {{
    .a_offset = {-zero_a}, .b_offset = {-zero_b}, .multiplier = {multiplier.significand},
    .shift = {multiplier.shift}, .output_offset = {zero}, .lowest = {lowest}, .highest = {highest}}};
"""

    def function(left: int, right: int) -> int:
        scale = tables.requantize(0, zero, multiplier, lowest, highest)
        return scale((left - zero_a) * (right - zero_b))

    return _binary(context, BinaryFunction("tinyml_nn_mul_s8", function, params))


def maximum(context: OpContext) -> Kernel:
    """MAXIMUM; compares bytes, so all three tensors need one scale."""
    return _extremum(context, BinaryFunction("tinyml_nn_maximum_s8", max))


def minimum(context: OpContext) -> Kernel:
    """MINIMUM; compares bytes, so all three tensors need one scale."""
    return _extremum(context, BinaryFunction("tinyml_nn_minimum_s8", min))


def prelu(context: OpContext) -> Kernel:
    """PRELU; the second operand is the slope."""
    a, b, target = context.operand(0), context.operand(1), context.output()
    positive = arithmetic.quantize_multiplier(float(scale_of(a)) / float(scale_of(target)))
    negative = arithmetic.quantize_multiplier(
        float(scale_of(a)) * float(scale_of(b)) / float(scale_of(target))
    )
    zero_a, zero_b, zero = zero_point_of(a), zero_point_of(b), zero_point_of(target)
    params = f"""\
static const tinyml_nn_prelu_params params = {{
    .a_offset = {-zero_a}, .b_offset = {-zero_b},
    .multiplier = {positive.significand}, .shift = {positive.shift},
    .slope_multiplier = {negative.significand}, .slope_shift = {negative.shift}, .output_offset = {zero}}};
"""

    def function(left: int, right: int) -> int:
        if left >= zero_a:
            return tables.requantize(zero_a, zero, positive)(left)
        return tables.requantize(0, zero, negative)((left - zero_a) * (right - zero_b))

    return _binary(context, BinaryFunction("tinyml_nn_prelu_s8", function, params))


@dataclass(frozen=True)
class BinaryFunction:
    """A binary function.

    Attributes:
        name: its kernel.
        of: the same in Python, for a table if one operand is a constant of one value; None without one.
        params: the declaration of `params` that the kernel needs.
        swapped: whether the kernel takes the second operand first.
    """

    name: str
    of: Callable[[int, int], int] | None = None
    params: str = ""
    swapped: bool = False


def _sum(context: OpContext, sign: int) -> Kernel:
    a, b, target = context.operand(0), context.operand(1), context.output()
    scales = [float(scale_of(tensor)) for tensor in (a, b, target)]
    twice = 2 * max(scales[0], scales[1])
    left, right = (arithmetic.quantize_multiplier(scale / twice) for scale in scales[:2])
    out = arithmetic.quantize_multiplier(twice / ((1 << _SUM_FRACTION_BITS) * scales[2]))
    if out.shift > 0:
        context.refuse("adds values of scales 2^20 times the output's", "Train and quantise the model again.")
    lowest, highest = context.clamp_range(target)
    zero_a, zero_b, zero = zero_point_of(a), zero_point_of(b), zero_point_of(target)
    # The operand of the larger scale has the multiplier 1/2: the kernel takes it first.
    swapped = scales[1] > scales[0]
    wide_zero, wide_sign, narrow_zero, narrow_sign, narrow = (
        (zero_b, sign, zero_a, 1, left) if swapped else (zero_a, 1, zero_b, sign, right)
    )
    params = f"""\
static const tinyml_nn_add_params params = {{
    .a_unit = {wide_sign << _SUM_FRACTION_BITS}, .a_start = {-wide_zero * wide_sign << _SUM_FRACTION_BITS},
    .b_start = {-narrow_zero << _SUM_FRACTION_BITS + 1}, .b_multiplier = {narrow.significand},
    .b_shift = {-narrow.shift}, .b_unit = {2 * narrow_sign},
    .multiplier = {out.significand}, .shift = {-out.shift}, .output_offset = {zero},
    .lowest = {lowest}, .highest = {highest}}};
"""

    def function(one: int, other: int) -> int:
        exact_a = tables.requantize(0, 0, left)((one - zero_a) << _SUM_FRACTION_BITS)
        exact_b = tables.requantize(0, 0, right)((other - zero_b) << _SUM_FRACTION_BITS)
        return tables.requantize(0, zero, out, lowest, highest)(exact_a + sign * exact_b)

    return _binary(context, BinaryFunction("tinyml_nn_add_s8", function, params, swapped))


def _extremum(context: OpContext, function: BinaryFunction) -> Kernel:
    a, b, target = context.operand(0), context.operand(1), context.output()
    if len({(scale_of(tensor), zero_point_of(tensor)) for tensor in (a, b, target)}) != 1:
        context.refuse("compares tensors of different scales", "Train and quantise the model again.")
    return _binary(context, function)


def _binary(context: OpContext, function: BinaryFunction) -> Kernel:
    a, b, target = context.operand(0), context.operand(1), context.output()
    _fitted(context, a, b, target)
    one_value = _table_with_one_value(a, b, function)
    if one_value is not None:
        return by_table(context, b if a.data is not None else a, target, one_value)
    return broadcast(context, a, b, target, function)


def _fitted(context: OpContext, a: Tensor, b: Tensor, target: Tensor) -> layout.Broadcast:
    if a.data is not None and b.data is not None:
        context.refuse("works on two constants", "Convert the model with constant folding.")
    try:
        return layout.broadcast(a.shape, b.shape, target.shape)
    except ValueError as error:
        context.refuse(f"combines shapes that do not fit ({error})", "Convert the model again.")


def broadcast(context: OpContext, a: Tensor, b: Tensor, target: Tensor, function: BinaryFunction) -> Kernel:
    """The kernel that meets two operands by numpy's rules."""
    shape = _fitted(context, a, b, target)
    width = target.bytes // target.elements
    if len(shape.size) > _LARGEST_RANK:
        context.refuse(
            f"repeats values along {counted(len(shape.size), 'dimension')}", "Use fewer dimensions."
        )
    constants = tuple(
        Constant(role, tensor.data) for role, tensor in (("a", a), ("b", b)) if tensor.data is not None
    )
    left = context.array("a") if a.data is not None else read(a)
    right = context.array("b") if b.data is not None else read(b)
    if function.swapped:
        left, right = right, left
        shape = layout.Broadcast(shape.size, shape.b, shape.a)
    overwrite = tuple(
        position
        for position, tensor in enumerate((a, b))
        if tensor.data is None and tensor.elements == target.elements
    )
    body = function.params + _call(function, shape, left, right, write(target), width)
    return Kernel(body, constants, may_overwrite=overwrite)


def _table_with_one_value(a: Tensor, b: Tensor, function: BinaryFunction) -> tables.Table | None:
    """The table of the function with one constant operand of one value."""
    of = function.of
    if of is not None and b.data is not None and b.elements == 1:
        right = int(b.data.reshape(-1)[0])
        return tables.tabulate(lambda q: of(q, right))
    if of is not None and a.data is not None and a.elements == 1:
        left = int(a.data.reshape(-1)[0])
        return tables.tabulate(lambda q: of(left, q))
    return None


def _call(
    function: BinaryFunction, shape: layout.Broadcast, left: str, right: str, target: str, width: int = 1
) -> str:
    """C: a function of values of `width` bytes."""
    params = "&params" if function.params else "NULL"
    if width > 1:
        left, right, target = f"(const int8_t*){left}", f"(const int8_t*){right}", f"(int8_t*){target}"
    if len(shape.size) == 1:
        return (
            f"{function.name}({params}, {left}, {shape.a[0]}, {right}, {shape.b[0]}, {target}, "
            f"{shape.size[0]});\nreturn 0;"
        )
    steps = [(*(step * width for step in own[:-1]), own[-1]) for own in (shape.a, shape.b)]
    size, a, b = (layout.initialiser(values) for values in (shape.size, *steps))
    return f"""\
static const tinyml_nn_broadcast_shape shape = {{
    .rank = {len(shape.size)}, .size = {size}, .a_stride = {a}, .b_stride = {b},
    .row_bytes = {shape.size[-1] * width}}};
tinyml_nn_broadcast(&shape, {function.name}, {params}, {left}, {right}, {target});
return 0;"""
