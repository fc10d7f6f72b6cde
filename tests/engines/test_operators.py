"""Every operator of the aot engine, one small model each, against TensorFlow Lite Micro's own runtime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.engines.flatbuffer_models import Model
from tests.engines.many_networks import Built, build, compare

Case = Callable[[], bytes]
CASES: dict[str, Case] = {}


def case(name: str, function: Callable[..., bytes], *args: Any, **kwargs: Any) -> None:
    assert name not in CASES
    CASES[name] = lambda: function(*args, **kwargs)


def unary(
    operator: str,
    options: str = "",
    source: tuple[float, int] = (0.04, 3),
    target: tuple[float, int] = (0.05, -7),
    shape: tuple[int, ...] = (1, 300),
    **fields: Any,
) -> bytes:
    model = Model()
    x, y = model.tensor(shape, *source), model.tensor(shape, *target)
    model.operator(operator, [x], [y], options, **fields)
    return model.build([x], [y])


for number, (source, target) in enumerate(
    [((0.04, 3), (0.05, -7)), ((0.5, -128), (0.5, -128)), ((0.01, 90), (0.03, 0)), ((1.7, -5), (0.01, 120)),
     ((0.02, 0), (0.02, 0)), ((0.3, -100), (0.02, -128))]
):  # fmt: skip
    case(f"relu_{number}", unary, "RELU", source=source, target=target)
    case(f"relu6_{number}", unary, "RELU6", source=source, target=target)
    case(f"leaky_{number}", unary, "LEAKY_RELU", "LeakyReluOptions", source, target, alpha=0.3)
    case(f"leaky_steep_{number}", unary, "LEAKY_RELU", "LeakyReluOptions", source, target, alpha=1.6)
    case(f"leaky_mirrored_{number}", unary, "LEAKY_RELU", "LeakyReluOptions", source, target, alpha=-0.4)
    case(f"abs_{number}", unary, "ABS", source=source, target=target)
    case(f"requantize_{number}", unary, "QUANTIZE", source=source, target=target)
    case(f"logistic_{number}", unary, "LOGISTIC", source=source, target=(1 / 256, -128))
    case(f"tanh_{number}", unary, "TANH", source=source, target=(1 / 128, 0))
    case(
        f"l2_normalization_{number}",
        unary,
        "L2_NORMALIZATION",
        "L2NormOptions",
        source,
        (1 / 128, 0),
        (5, 11),
    )
    case(f"softmax_{number}", unary, "SOFTMAX", "SoftmaxOptions", source, (1 / 256, -128), (5, 11), beta=1.0)
case(
    "l2_normalization_long", unary, "L2_NORMALIZATION", "L2NormOptions", (1.0, -128), (1 / 128, 0), (2, 9000)
)
case("logistic_fine", unary, "LOGISTIC", source=(0.0003, 12), target=(1 / 256, -128))
case("tanh_fine", unary, "TANH", source=(0.0003, -90), target=(1 / 128, 0))
for number, (source, target) in enumerate(
    [((0.04, 3), (0.05, -7)), ((0.047, -1), (0.0235, -118)), ((0.001, 0), (0.001, 0)),
     ((1.5, 100), (1.2, 90)), ((0.00784, -128), (0.004, -128))]
):  # fmt: skip
    case(f"hard_swish_{number}", unary, "HARD_SWISH", source=source, target=target)
case("reshape", unary, "RESHAPE", "ReshapeOptions", (0.04, 3), (0.04, 3))


def binary(
    operator: str,
    a: tuple[int, ...],
    b: tuple[int, ...],
    out: tuple[int, ...],
    *,
    constant: str = "",
    scales: tuple[float, float, float] = (0.04, 0.07, 0.09),
    zeros: tuple[int, int, int] = (3, -20, 7),
    activation: int | None = 0,
    options: str | None = None,
) -> bytes:
    model = Model()
    rng = np.random.default_rng(len(a) + sum(b))
    indices = []
    for name, shape, scale, zero in zip("ab", (a, b), scales, zeros, strict=False):
        data = rng.integers(-128, 128, shape) if name in constant else None
        indices.append(model.tensor(shape, scale, zero, data=data))
    y = model.tensor(out, scales[2], zeros[2])
    fields = {} if activation is None else {"fusedActivationFunction": activation}
    model.operator(operator, indices, [y], options or f"{operator.title()}Options", **fields)
    return model.build([i for i, name in zip(indices, "ab", strict=True) if name not in constant], [y])


SHAPES = {
    "same": ((1, 5, 7, 3), (1, 5, 7, 3), (1, 5, 7, 3)),
    "channel": ((1, 5, 7, 3), (3,), (1, 5, 7, 3)),
    "gate": ((1, 5, 7, 3), (1, 1, 1, 3), (1, 5, 7, 3)),
    "column": ((1, 5, 1, 3), (1, 1, 7, 3), (1, 5, 7, 3)),
    "plane": ((1, 5, 7, 1), (1, 5, 7, 3), (1, 5, 7, 3)),
    "scalar": ((1, 5, 7, 3), (), (1, 5, 7, 3)),
    "cross": ((2, 1, 3, 1, 4), (1, 5, 1, 2, 1), (2, 5, 3, 2, 4)),
}
for operator in ("ADD", "SUB", "MUL"):
    for name, shapes in SHAPES.items():
        for constant in ("a", "b") if name != "same" else ("b",):
            case(f"{operator}_{name}_constant_{constant}", binary, operator, *shapes, constant=constant)
    for number, (scales, zeros) in enumerate(
        [((0.5, 0.5, 0.5), (0, 0, 0)), ((0.02, 0.3, 0.1), (-128, 60, 5)), ((0.9, 0.003, 2.0), (1, 2, -128))]
    ):
        for activation in (0, 1, 2, 3):
            case(f"{operator}_scales_{number}_{activation}", binary, operator, *SHAPES["same"],
                 constant="b", scales=scales, zeros=zeros, activation=activation)  # fmt: skip
for operator in ("MAXIMUM", "MINIMUM"):
    for name in ("same", "channel", "cross", "scalar"):
        case(f"{operator}_{name}", binary, operator, *SHAPES[name], constant="b", scales=(0.1,) * 3,
             zeros=(4,) * 3, activation=None, options="MaximumMinimumOptions")  # fmt: skip


def prelu(shape: tuple[int, ...], slope: tuple[int, ...]) -> bytes:
    model = Model()
    x = model.tensor(shape, 0.04, 3)
    alpha = model.tensor(slope, 0.002, 5, data=np.random.default_rng(1).integers(-128, 128, slope))
    y = model.tensor(shape, 0.05, -10)
    model.operator("PRELU", [x, alpha], [y])
    return model.build([x], [y])


case("prelu_channel", prelu, (1, 4, 5, 6), (1, 1, 6))
case("prelu_full", prelu, (1, 4, 5, 6), (4, 5, 6))


def self_sum() -> bytes:
    model = Model()
    x, y = model.tensor((1, 40), 0.04, 3), model.tensor((1, 40), 0.09, 1)
    model.operator("ADD", [x, x], [y], "AddOptions")
    return model.build([x], [y])


case("add_to_itself", self_sum)


def pool(
    operator: str,
    shape: tuple[int, ...],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: int,
    activation: int = 0,
) -> bytes:
    model = Model()
    out = [
        -(-size // step) if padding == 0 else (size - reach) // step + 1
        for size, reach, step in zip(shape[1:3], window, stride, strict=True)
    ]
    x, y = model.tensor(shape, 0.04, 3), model.tensor((1, *out, shape[3]), 0.04, 3)
    model.operator(
        operator, [x], [y], "Pool2DOptions", padding=padding, strideH=stride[0], strideW=stride[1],
        filterHeight=window[0], filterWidth=window[1], fusedActivationFunction=activation,
    )  # fmt: skip
    return model.build([x], [y])


for operator in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
    for number, arguments in enumerate(
        [((1, 7, 9, 3), (2, 2), (2, 2), 1), ((1, 7, 9, 3), (3, 3), (2, 1), 0),
         ((1, 5, 5, 1), (5, 5), (1, 1), 0), ((1, 12, 1, 6), (4, 1), (3, 1), 1),
         ((1, 4, 4, 17), (4, 4), (4, 4), 1, 2), ((1, 3, 8, 5), (2, 5), (1, 4), 0, 1),
         ((1, 3, 2, 8), (7, 7), (2, 2), 0)]
    ):  # fmt: skip
        case(f"{operator}_{number}", pool, operator, *arguments)


def reduced(
    operator: str,
    shape: tuple[int, ...],
    axes: tuple[int, ...],
    keep: bool = False,
    target: tuple[float, int] | None = (0.03, 9),
) -> bytes:
    model = Model()
    positive = {axis % len(shape) for axis in axes}
    out = tuple(
        1 if axis in positive else size for axis, size in enumerate(shape) if keep or axis not in positive
    )
    x, y = model.tensor(shape, 0.04, 3), model.tensor(out, *(target or (0.04, 3)))
    model.operator(operator, [x, model.integers(axes)], [y], "ReducerOptions", keepDims=keep)
    return model.build([x], [y])


for number, (shape, axes, keep) in enumerate(
    [((1, 7, 9, 3), (1, 2), False), ((1, 7, 9, 3), (2, 1), True), ((1, 7, 9, 3), (3,), False),
     ((1, 7, 9, 3), (-1,), True), ((1, 7, 9, 3), (1,), False), ((1, 7, 9, 3), (2,), True),
     ((1, 7, 9, 3), (1, 3), False), ((1, 7, 9, 3), (0, 1, 2, 3), True), ((6, 50), (1,), False),
     ((4, 5, 3), (0,), False)]
):  # fmt: skip
    case(f"mean_{number}", reduced, "MEAN", shape, axes, keep)
    case(f"sum_{number}", reduced, "SUM", shape, axes, keep, (0.6, 9))
    case(f"largest_{number}", reduced, "REDUCE_MAX", shape, axes, keep, None)
    case(f"smallest_{number}", reduced, "REDUCE_MIN", shape, axes, keep, None)


def transpose(shape: tuple[int, ...], order: tuple[int, ...]) -> bytes:
    model = Model()
    x, y = model.tensor(shape), model.tensor(tuple(shape[axis] for axis in order))
    model.operator("TRANSPOSE", [x, model.integers(order)], [y], "TransposeOptions")
    return model.build([x], [y])


for number, (shape, order) in enumerate(
    [((1, 4, 5, 3), (0, 3, 1, 2)), ((1, 4, 1, 3), (0, 2, 1, 3)), ((6, 7), (1, 0)), ((2, 3, 4), (2, 1, 0)),
     ((1, 4, 5, 3), (0, 2, 1, 3)), ((2, 3, 4, 5, 2), (4, 2, 0, 3, 1))]
):  # fmt: skip
    case(f"transpose_{number}", transpose, shape, order)


def cut(
    shape: tuple[int, ...],
    begin: tuple[int, ...],
    end: tuple[int, ...],
    step: tuple[int, ...],
    out: tuple[int, ...],
    begin_mask: int = 0,
    end_mask: int = 0,
    shrink: int = 0,
) -> bytes:
    model = Model()
    x, y = model.tensor(shape), model.tensor(out)
    bounds = [model.integers(values) for values in (begin, end, step)]
    model.operator("STRIDED_SLICE", [x, *bounds], [y], "StridedSliceOptions", beginMask=begin_mask,
                   endMask=end_mask, shrinkAxisMask=shrink)  # fmt: skip
    return model.build([x], [y])


case("slice_run", cut, (1, 8, 6), (0, 2, 0), (1, 7, 6), (1, 1, 1), (1, 5, 6))
case("slice_tail", cut, (1, 8, 6), (0, -7, 0), (0, 0, 0), (1, 1, 1), (1, 7, 6), 1, 7)
case("slice_steps", cut, (1, 9, 7, 4), (0, 1, 0, 0), (1, 9, 7, 4), (1, 3, 2, 1), (1, 3, 4, 4))
case("slice_reversed", cut, (3, 5), (-1, 0), (-4, 5), (-1, 1), (3, 5))
case("slice_reversed_inner", cut, (3, 5), (0, 10), (3, 0), (1, -2), (3, 2))
case("slice_shrunk", cut, (4, 6, 5), (0, -1, 0), (4, 0, 5), (1, 1, 1), (4, 5), 0, 0, 2)
case("slice_masked_shrunk", cut, (4, 6, 5), (2, 3, 0), (4, 4, 5), (1, 1, 1), (6, 5), 3, 2, 1)


def sliced(
    shape: tuple[int, ...], begin: tuple[int, ...], size: tuple[int, ...], out: tuple[int, ...]
) -> bytes:
    model = Model()
    x, y = model.tensor(shape), model.tensor(out)
    model.operator("SLICE", [x, model.integers(begin), model.integers(size)], [y], "SliceOptions")
    return model.build([x], [y])


case("slice_op", sliced, (1, 6, 5, 4), (0, 1, 2, 0), (1, -1, 2, 4), (1, 5, 2, 4))


def joined(
    shapes: list[tuple[int, ...]], axis: int, out: tuple[int, ...], constant: int | None = None
) -> bytes:
    """Parts of one input, joined again in reverse order, with a constant part."""
    model = Model()
    values = np.random.default_rng(3)
    parts, inputs = [], []
    for number, shape in enumerate(shapes):
        if number == constant:
            parts.append(model.tensor(shape, data=values.integers(-128, 128, shape)))
            continue
        x, part = model.tensor(shape), model.tensor(shape)
        model.operator("RELU", [x], [part])
        parts.append(part)
        inputs.append(x)
    y = model.tensor(out)
    model.operator("CONCATENATION", parts[::-1], [y], "ConcatenationOptions", axis=axis)
    return model.build(inputs, [y])


case("join_rows_and_constant", joined, [(1, 2, 5), (1, 4, 5)], 1, (1, 6, 5), 1)
case("join_channels_and_constant", joined, [(1, 3, 4, 2), (1, 3, 4, 5)], -1, (1, 3, 4, 7), 0)
case("join_columns_and_constant", joined, [(2, 3, 4, 2), (2, 3, 1, 2)], 2, (2, 3, 5, 2), 1)


def branches(axis: int, width: int) -> bytes:
    """A residual graph: split, changed, joined, and added to what it came from."""
    model = Model()
    shape = (1, 4, 6, width * 2)
    half = tuple(size // 2 if at == axis else size for at, size in enumerate(shape))
    x = model.tensor(shape, 0.04, 3)
    halves = [model.tensor(half, 0.04, 3) for _ in range(2)]
    model.operator("SPLIT", [model.integers(np.array(axis)), x], halves, "SplitOptions", numSplits=2)
    changed = model.tensor(half, 0.05, -7)
    model.operator("LEAKY_RELU", [halves[1]], [changed], "LeakyReluOptions", alpha=0.1)
    total = model.tensor(half, 0.05, -7)
    model.operator("ADD", [changed, halves[0]], [total], "AddOptions")
    whole = model.tensor(shape, 0.05, -7)
    model.operator("CONCATENATION", [total, changed], [whole], "ConcatenationOptions", axis=axis)
    y = model.tensor(shape, 0.09, 0)
    model.operator("ADD", [whole, x], [y], "AddOptions", fusedActivationFunction=1)
    return model.build([x], [y])


for axis in (1, 2, 3):
    case(f"branches_{axis}", branches, axis, 3)


def split_v(sizes: tuple[int, ...], axis: int) -> bytes:
    model = Model()
    shape = (3, sum(sizes)) if axis == 1 else (sum(sizes), 3)
    x = model.tensor(shape, 0.04, 3)
    parts = [model.tensor((3, size) if axis == 1 else (size, 3), 0.04, 3) for size in sizes]
    model.operator(
        "SPLIT_V", [x, model.integers(sizes), model.integers(np.array(axis))], parts, "SplitVOptions",
        numSplits=len(sizes),
    )  # fmt: skip
    y = model.tensor(shape, 0.04, 3)
    model.operator("CONCATENATION", parts[1:] + parts[:1], [y], "ConcatenationOptions", axis=axis)
    return model.build([x], [y])


case("split_v_rows", split_v, (2, 5, 1), 0)
case("split_v_columns", split_v, (2, 5, 1), 1)


def unpacked(axis: int) -> bytes:
    """UNPACK, then PACK along the last axis in reverse order."""
    model = Model()
    x = model.tensor((3, 4, 5))
    part = tuple(size for at, size in enumerate((3, 4, 5)) if at != axis % 3)
    count = (3, 4, 5)[axis]
    parts = [model.tensor(part) for _ in range(count)]
    model.operator("UNPACK", [x], parts, "UnpackOptions", num=count, axis=axis)
    y = model.tensor((*part, count))
    model.operator("PACK", parts[::-1], [y], "PackOptions", valuesCount=count, axis=2)
    return model.build([x], [y])


for axis in (0, 1, -1):
    case(f"unpack_{axis}", unpacked, axis)


def padded(shape: tuple[int, ...], margins: list[tuple[int, int]], value: int | None = None) -> bytes:
    model = Model()
    out = tuple(size + sum(pair) for size, pair in zip(shape, margins, strict=True))
    x, y = model.tensor(shape, 0.04, -9), model.tensor(out, 0.04, -9)
    inputs = [x, model.integers(margins)]
    if value is not None:
        inputs.append(model.tensor((), 0.04, -9, data=np.int8(value)))
    model.operator(
        "PAD" if value is None else "PADV2", inputs, [y], "PadOptions" if value is None else "PadV2Options"
    )
    return model.build([x], [y])


case("pad_image", padded, (1, 4, 5, 3), [(0, 0), (1, 2), (0, 1), (0, 0)])
case("pad_channels", padded, (1, 4, 5, 3), [(0, 0), (0, 0), (0, 0), (2, 1)])
case("pad_all", padded, (2, 3, 4), [(1, 0), (2, 3), (1, 1)])
case("pad_nothing", padded, (1, 3, 4), [(0, 0), (0, 0), (0, 0)])
case("pad_value", padded, (1, 4, 5, 3), [(0, 0), (1, 1), (1, 1), (0, 0)], -128)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, Built]]:
    models = {name: make() for name, make in CASES.items()}
    folder = tmp_path_factory.mktemp("operators") / "all"
    return dict(
        zip(models, zip(models.values(), build(list(models.values()), folder), strict=True), strict=True)
    )


@pytest.mark.parametrize("name", CASES)
def test_outputs_equal_those_of_tflm(name: str, built: dict[str, tuple[bytes, Built]]) -> None:
    model, network = built[name]
    assert compare(model, network, seed=5, runs=12) > 1, "the inputs do not tell outputs apart"
