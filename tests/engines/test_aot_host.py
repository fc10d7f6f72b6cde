"""Networks compiled ahead of time against TensorFlow Lite Micro's own runtime, on this machine."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines import zoo
from tests.engines.network_builds import build_host, generate, random_inputs, tflm_outputs
from tinyml_cli.engines.aot import compiler, emit
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite import graph as tflite_graph


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("networks")


@pytest.mark.parametrize("name", zoo.NAMES)
def test_outputs_equal_those_of_tflm(name: str, builds: Path) -> None:
    model = zoo.model(name)
    network = generate(model, builds / name)
    inputs = random_inputs(network, 200, seed=1)
    expected = tflm_outputs(model, inputs)
    assert len(np.unique(expected, axis=0)) > 20, "the inputs do not tell outputs apart"
    np.testing.assert_array_equal(build_host(network, builds / name).run(inputs), expected)


@pytest.mark.parametrize("name", ["kws_ref_model", "vww_96_int8", "ad01_int8", "pretrainedResnet_quant"])
def test_public_models(name: str, builds: Path, shared: Path) -> None:
    model = (shared / "models" / f"{name}.tflite").read_bytes()
    network = generate(model, builds / name)
    inputs = random_inputs(network, 200 if name in ("kws_ref_model", "ad01_int8") else 40, seed=2)
    np.testing.assert_array_equal(build_host(network, builds / name).run(inputs), tflm_outputs(model, inputs))


@pytest.mark.parametrize("name", ["ds_cnn", "mean_relu6_odd_channels"])
def test_arithmetic_is_defined(name: str, builds: Path) -> None:
    """Our own C and the generated C under UBSan; a shared library cannot load ASan's runtime late."""
    model = zoo.model(name)
    network = generate(model, builds / f"{name}_ubsan")
    flags = ("-fsanitize=undefined", "-fno-sanitize-recover=all", "-static-libubsan")
    try:
        host = build_host(network, builds / f"{name}_ubsan", flags=flags)
    except OSError as error:
        pytest.skip(f"UBSan's runtime cannot be loaded here: {error}")
    inputs = random_inputs(network, 50, seed=3)
    np.testing.assert_array_equal(host.run(inputs), tflm_outputs(model, inputs))


def test_generation_is_deterministic(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        generate(zoo.model("ds_cnn"), tmp_path / folder)
    assert (tmp_path / "a" / "network.c").read_bytes() == (tmp_path / "b" / "network.c").read_bytes()


def test_reshape_costs_no_memory_and_no_call(tmp_path: Path) -> None:
    network = generate(zoo.model("dilated_pooled"), tmp_path)
    reshape = next(op for op in network.graph.operators if op.name == "RESHAPE")
    assert network.offset(reshape.outputs[0]) == network.offset(reshape.inputs[0])
    assert "reshape" not in (tmp_path / "network.c").read_text()


def test_arena_is_smaller_than_the_sum_of_tensors() -> None:
    network = compiler.compile_graph(tflite_graph.parse(zoo.model("ds_cnn")))
    assert network.plan.arena_bytes < 0.6 * sum(buffer.bytes for buffer in network.buffers)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (zoo.unsupported_model, ("CUMSUM", "--engine tflm")),
        (zoo.float_model, ("float32", "quantize")),
        (zoo.hybrid_model, ("float32", "quantize")),
    ],
)
def test_refusals_name_the_culprit(make, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TinymlError) as caught:
        compiler.compile_graph(tflite_graph.parse(make()), "m.tflite")
    assert "tensor " in caught.value.what
    assert all(word in str(caught.value) for word in words), str(caught.value)


@settings(max_examples=60, deadline=None)
@given(
    damage=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.sampled_from([0, 1, 2, 3, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_damaged_models_compile_or_are_refused(damage: list[tuple[float, int]]) -> None:
    data = bytearray(zoo.model("mean_relu6_odd_channels"))
    for position, number in damage:
        at = int(position * (len(data) - 4)) // 4 * 4
        data[at : at + 4] = struct.pack("<I", number)
    try:
        network = compiler.compile_graph(tflite_graph.parse(bytes(data)))
    except TinymlError as error:
        assert error.what and error.next_step
    else:
        assert emit.source(network) and emit.header(network, "0" * 64)
