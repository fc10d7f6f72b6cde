"""The flatbuffer reader: what it finds in real models, and that no bytes make it fall over."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engines import zoo
from tests.engines.flatbuffer_models import Model
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite import interpret


@pytest.fixture(scope="module")
def model() -> bytes:
    return zoo.model("dense_per_channel")


def test_reads_a_convolution(shared) -> None:  # type: ignore[no-untyped-def]
    graph = tflite_graph.load(shared / "models" / "kws_ref_model.tflite")
    first = graph.operators[0]
    assert (first.name, first.version) == ("CONV_2D", 3)
    assert first.options["padding"] == "SAME"
    assert first.options["fused_activation_function"] == "RELU"
    assert (first.options["stride_h"], first.options["dilation_w_factor"]) == (2, 1)
    weights, bias, output = graph.input(first, 1), graph.input(first, 2), graph.output(first)
    assert weights is not None and bias is not None and output is not None
    assert weights.shape == (64, 10, 4, 1) and weights.data is not None and weights.data.dtype == np.int8
    assert weights.quantization is not None and weights.quantization.per_channel
    assert (weights.quantization.axis, len(weights.quantization.scales)) == (0, 64)
    assert bias.data is not None and bias.data.dtype == np.int32
    assert output.data is None and output.shape == (1, 25, 5, 64) and output.bytes == 8000
    assert graph.tensors[graph.inputs[0]].shape == (1, 49, 10, 1)


def test_operator_list_and_macs(shared) -> None:  # type: ignore[no-untyped-def]
    graph = tflite_graph.load(shared / "models" / "kws_ref_model.tflite")
    assert tflite_graph.op_list(graph) == [
        ("CONV_2D", 3, 5),
        ("DEPTHWISE_CONV_2D", 3, 4),
        ("AVERAGE_POOL_2D", 2, 1),
        ("RESHAPE", 1, 1),
        ("FULLY_CONNECTED", 4, 1),
        ("SOFTMAX", 2, 1),
    ]
    # First convolution, four depthwise 3x3, four pointwise, dense.
    pixels = 25 * 5
    by_hand = pixels * 64 * 40 + 4 * pixels * 64 * 9 + 4 * pixels * 64 * 64 + 64 * 12
    assert tflite_graph.total_macs(graph) == by_hand


def test_an_input_that_is_not_given_is_none() -> None:
    graph = tflite_graph.parse(zoo.model("mean_relu6_odd_channels"))
    for operator in graph.operators:
        assert graph.input(operator, 7) is None


def test_a_missing_file_names_the_next_step(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TinymlError, match="tinyml convert"):
        tflite_graph.load(tmp_path / "absent.tflite")


@pytest.mark.parametrize(
    "data", [b"", b"TFL3", b"\0" * 64, b"\x1c\0\0\0TFL3", b"\xff" * 4 + b"TFL3" + b"\xff" * 99]
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(TinymlError, match="not a complete TensorFlow Lite model"):
        tflite_graph.parse(data)


def test_every_truncation_is_refused(model: bytes) -> None:
    """Buffers stand last in the file, so each cut loses something."""
    for length in range(8, len(model) - 16, max(len(model) // 150, 1)):
        with pytest.raises(TinymlError):
            tflite_graph.parse(model[:length])


_FUZZ = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_FUZZ
@given(data=st.binary(max_size=400))
def test_random_bytes_behind_the_identifier(data: bytes) -> None:
    _parse_or_refuse(data[:4].ljust(4, b"\0") + b"TFL3" + data[4:])


@_FUZZ
@given(
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8)
)
def test_flipped_bytes(model: bytes, places: list[tuple[float, int]]) -> None:
    damaged = bytearray(model)
    for position, value in places:
        damaged[int(position * len(model))] = value
    _parse_or_refuse(bytes(damaged))


@_FUZZ
@given(
    position=st.floats(0, 1, exclude_max=True),
    number=st.sampled_from([0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 0x40000000, 0x10000, 1]),
)
def test_huge_offsets_and_lengths(model: bytes, position: float, number: int) -> None:
    at = int(position * (len(model) - 4)) // 4 * 4
    _parse_or_refuse(model[:at] + struct.pack("<I", number) + model[at + 4 :])


def _parse_or_refuse(data: bytes) -> None:
    """A reader that neither refuses nor delivers a sound graph fails here."""
    try:
        graph = tflite_graph.parse(data)
    except TinymlError:
        return
    for tensor in graph.tensors:
        assert tensor.data is None or tensor.bytes in (0, tensor.data.nbytes)
    for operator in graph.operators:
        assert all(index < len(graph.tensors) for index in (*operator.inputs, *operator.outputs))
    tflite_graph.total_macs(graph)


def test_a_vector_has_one_axis_whatever_the_file_says() -> None:
    made = Model()
    source, answer = made.tensor((1, 4)), made.tensor((1, 2))
    bias = made.tensor((2,), dtype="int32", data=[1, 2], scales=[0.1, 0.2], axis=3)
    weights = made.tensor((2, 4), data=np.ones((2, 4)), scales=[0.1, 0.2], axis=0)
    made.operator("FULLY_CONNECTED", [source, weights, bias], [answer], "FullyConnectedOptions")
    model = made.build([source], [answer])
    parsed = tflite_graph.parse(model).tensors[bias].quantization
    assert parsed is not None and parsed.axis == 0
    values = np.array([[1, 2, 3, 4]], np.int8)
    exact = tflite_graph.with_axes_of_vectors(model)
    assert exact != model and tflite_graph.with_axes_of_vectors(exact) == exact
    assert (interpret.run_int8(model, values) == interpret.run_int8(exact, values)).all()


@pytest.mark.parametrize("shape", [(1, 48_000, 48_000, 1), (1, 4096, 4096, 1), (1, 600 << 20)])
def test_a_tensor_over_the_limit_is_refused(shape: tuple[int, ...]) -> None:
    made = Model()
    source, answer = made.tensor(shape), made.tensor(shape)
    made.operator("ABS", [source], [answer])
    data = made.build([source], [answer])
    with pytest.raises(TinymlError, match="the limit is 512 MB"):
        tflite_graph.parse(data)
