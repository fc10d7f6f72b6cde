"""What the lowerings do with models that are damaged, or that TensorFlow Lite Micro would not take either."""

from __future__ import annotations

import functools
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines import random_graphs, random_operators, recurrent_models
from tests.engines.flatbuffer_models import Model
from tests.engines.test_operators import CASES
from tests.engines.test_states_and_boundaries import CASES as STATES
from tinyml_cli.engines.aot import compiler, emit
from tinyml_cli.engines.aot.ops import LOWERINGS
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.opset import TFLM_INT8_OPS, check_int8

NUMBERS = [0, 1, 2, 3, 5, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 0xFFFF, 0x7F800000, 0x7FC00000]


@functools.cache
def model(number: int) -> bytes:
    makers = [
        *STATES.values(),
        CASES["branches_2"],
        CASES["split_v_columns"],
        CASES["unpack_1"],
        CASES["pad_all"],
        *(functools.partial(random_operators.model, name, 1) for name in random_operators.MAKERS),
        lambda: recurrent_models.svdf(1),
        lambda: recurrent_models.lstm(1),
    ]
    return makers[number]() if number < len(makers) else random_graphs.model(number)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    number=st.integers(0, 60),
    damage=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(NUMBERS)), min_size=1, max_size=3
    ),
)
def test_damaged_models_compile_or_are_refused(number: int, damage: list[tuple[float, int]]) -> None:
    data = bytearray(model(number))
    for position, value in damage:
        at = int(position * (len(data) - 4)) // 4 * 4
        data[at : at + 4] = struct.pack("<I", value)
    try:
        network = compiler.compile_graph(tflite_graph.parse(bytes(data)))
    except TinymlError as error:
        assert error.what and error.next_step
    else:
        assert emit.source(network) and emit.header(network, "0" * 64)


def test_joining_different_scales_is_refused() -> None:
    made = Model()
    a, b, y = made.tensor((1, 4), 0.1), made.tensor((1, 4), 0.2), made.tensor((1, 8), 0.1)
    made.operator("CONCATENATION", [a, b], [y], "ConcatenationOptions", axis=1)
    _refused(made.build([a, b], [y]), "CONCATENATION", "scales")


def test_pooling_to_another_scale_is_refused() -> None:
    made = Model()
    x, y = made.tensor((1, 4, 4, 1), 0.1), made.tensor((1, 2, 2, 1), 0.2)
    made.operator(
        "MAX_POOL_2D", [x], [y], "Pool2DOptions", strideH=2, strideW=2, filterHeight=2, filterWidth=2
    )
    _refused(made.build([x], [y]), "MAX_POOL_2D", "scale")


def test_shapes_that_do_not_meet_are_refused() -> None:
    made = Model()
    a, b, y = made.tensor((1, 4)), made.tensor((1, 3)), made.tensor((1, 4))
    made.operator("ADD", [a, b], [y], "AddOptions")
    _refused(made.build([a, b], [y]), "ADD", "[1, 4]")


def test_logistic_on_another_scale_is_refused() -> None:
    made = Model()
    x, y = made.tensor((1, 4)), made.tensor((1, 4), 0.01, -128)
    made.operator("LOGISTIC", [x], [y])
    _refused(made.build([x], [y]), "LOGISTIC", "0.00390625")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ("1 to 65 pixels", "outside the image")),
        ({"alignCorners": True, "halfPixelCenters": True}, ("aligned corners", "half pixel centers")),
    ],
)
def test_resizing_beyond_the_image_is_refused(options: dict[str, bool], words: tuple[str, ...]) -> None:
    made = Model()
    x, y = made.tensor((1, 1, 1, 2)), made.tensor((1, 65, 65, 2))
    made.operator("RESIZE_BILINEAR", [x, made.integers((65, 65))], [y], "ResizeBilinearOptions", **options)
    _refused(made.build([x], [y]), "RESIZE_BILINEAR", *words)


def test_indices_of_another_type_are_refused() -> None:
    made = Model()
    x, y = made.tensor((1, 4)), made.tensor((1,), None, dtype="int64")
    made.operator("ARG_MAX", [x, made.integers(np.array(1))], [y], "ArgMaxOptions", outputType=4)
    z = made.tensor((1,))
    made.operator("CAST", [y], [z])
    _refused(made.build([x], [z]), "ARG_MAX", "int64")


def test_gathering_outside_is_refused() -> None:
    made = Model()
    x, y = made.tensor((1, 4)), made.tensor((1, 2))
    made.operator("GATHER", [x, made.integers((0, 4))], [y], "GatherOptions", axis=1)
    _refused(made.build([x], [y]), "GATHER", "number 4 of 4")


def test_a_transposed_convolution_to_another_size_is_refused() -> None:
    made = Model()
    x, y = made.tensor((1, 4, 4, 2)), made.tensor((1, 9, 8, 1))
    weights = made.tensor((1, 3, 3, 2), data=np.ones((1, 3, 3, 2)))
    made.operator(
        "TRANSPOSE_CONV", [made.integers((1, 9, 8, 1)), weights, x], [y], "TransposeConvOptions", padding=0,
        strideH=2, strideW=2,
    )  # fmt: skip
    _refused(made.build([x], [y]), "TRANSPOSE_CONV", "4 lines over 9")


def test_matrices_that_do_not_meet_are_refused() -> None:
    made = Model()
    a, b, y = made.tensor((2, 3, 4)), made.tensor((3, 4, 5)), made.tensor((3, 3, 5))
    made.operator("BATCH_MATMUL", [a, b], [y], "BatchMatMulOptions")
    _refused(made.build([a, b], [y]), "BATCH_MATMUL", "batches")


def test_log_softmax_on_another_scale_is_refused() -> None:
    made = Model()
    x, y = made.tensor((1, 4)), made.tensor((1, 4), 1 / 256, -128)
    made.operator("LOG_SOFTMAX", [x], [y], "LogSoftmaxOptions")
    _refused(made.build([x], [y]), "LOG_SOFTMAX", "0.0625")


def test_unit_vectors_on_another_scale_are_refused() -> None:
    made = Model()
    x, y = made.tensor((1, 4)), made.tensor((1, 4), 1 / 256, 0)
    made.operator("L2_NORMALIZATION", [x], [y], "L2NormOptions")
    _refused(made.build([x], [y]), "L2_NORMALIZATION", "1/128")


def _refused(data: bytes, *words: str) -> None:
    with pytest.raises(TinymlError) as caught:
        compiler.compile_graph(tflite_graph.parse(data), "m.tflite")
    assert caught.value.where == "m.tflite"
    assert all(word in caught.value.what for word in words), caught.value.what


def test_every_operator_is_described() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operators.md").read_text(encoding="utf-8")
    missing = [name for name in LOWERINGS if f"`{name.removeprefix('CUSTOM ')}`" not in text]
    assert not missing


def test_few_operators_have_no_int8_kernel_in_tflm() -> None:
    builtin = {name for name in LOWERINGS if not name.startswith("CUSTOM Signal")}
    assert builtin - TFLM_INT8_OPS == {"EXP", "GELU", "LOG", "RELU_N1_TO_1"}


@pytest.mark.parametrize("name", ["EXP", "LOG"])
def test_functions_of_float32_alone_are_refused_in_int8(name: str) -> None:
    made = Model()
    x, y = made.tensor((1, 4)), made.tensor((1, 4))
    made.operator(name, [x], [y])
    _refused(made.build([x], [y]), name, "not float32")


def test_a_float_layer_compiles_after_dequantize_only() -> None:
    made = Model()
    given, x, y = (
        made.tensor((1, 4)),
        made.tensor((1, 4), dtype="float32"),
        made.tensor((1, 2), dtype="float32"),
    )
    weights = made.tensor((2, 4), dtype="float32", data=np.ones((2, 4)))
    made.operator("DEQUANTIZE", [given], [x], "DequantizeOptions")
    made.operator("FULLY_CONNECTED", [x, weights, -1], [y], "FullyConnectedOptions")
    compiler.compile_graph(tflite_graph.parse(made.build([given], [y])))
    made.graph.operators = made.graph.operators[1:]
    _refused(made.build([x], [y]), "FULLY_CONNECTED", "float32")


def test_a_division_by_a_constant_zero_is_refused() -> None:
    made = Model()
    x, y = made.tensor((1, 4), None, dtype="int32"), made.tensor((1, 4), None, dtype="int32")
    divisor = made.integers([1, 2, 0, 4])
    made.operator("DIV", [x, divisor], [y], "DivOptions")
    _refused(made.build([x], [y]), "DIV", "zero")


def test_float_is_fine_at_the_boundary_only() -> None:
    check_int8(tflite_graph.parse(STATES["classifier_float32"]()))
    made = Model()
    x, y, z = made.tensor((1, 4)), made.tensor((1, 4), dtype="float32"), made.tensor((1, 4))
    made.operator("DEQUANTIZE", [x], [y])
    made.operator("QUANTIZE", [y], [z])
    with pytest.raises(TinymlError, match="still float32"):
        check_int8(tflite_graph.parse(made.build([x], [z])))
