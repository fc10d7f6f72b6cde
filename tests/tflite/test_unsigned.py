"""uint8 models of TensorFlow 1."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.engines.flatbuffer_models import Model
from tinyml_cli.engines.support import support
from tinyml_cli.errors import TinymlError
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.tflite.graph import parse
from tinyml_cli.tflite.interpret import run
from tinyml_cli.tflite.unsigned import to_signed

RNG = np.random.default_rng(8)


def network(zero_point: int = 128, pooling: bool = False) -> bytes:
    """Convolution, dense, softmax; an average of four between them rounds otherwise."""
    model = Model()
    source = model.tensor((1, 6, 6, 2), 0.02, 117, dtype="uint8")
    filters = model.tensor(
        (4, 3, 3, 2), 0.01, zero_point, dtype="uint8", data=RNG.integers(1, 256, (4, 3, 3, 2))
    )
    bias = model.tensor((4,), 0.0002, dtype="int32", data=RNG.integers(-300, 300, 4))
    feature = model.tensor((1, 4, 4, 4), 0.03, 12, dtype="uint8")
    model.operator("CONV_2D", [source, filters, bias], [feature], "Conv2DOptions",
                   padding=1, strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1)  # fmt: skip
    if pooling:
        pooled = model.tensor((1, 2, 2, 4), 0.03, 12, dtype="uint8")
        model.operator("AVERAGE_POOL_2D", [feature], [pooled], "Pool2DOptions",
                       padding=1, strideH=2, strideW=2, filterHeight=2, filterWidth=2)  # fmt: skip
        feature = pooled
    size = 16 if pooling else 64
    weights = model.tensor((3, size), 0.02, 128, dtype="uint8", data=RNG.integers(1, 256, (3, size)))
    scores = model.tensor((1, 3), 0.1, 140, dtype="uint8")
    second = model.tensor((3,), 0.0006, dtype="int32", data=[9, 0, -9])
    model.operator("FULLY_CONNECTED", [feature, weights, second], [scores], "FullyConnectedOptions")
    answer = model.tensor((1, 3), 1 / 256, 0, dtype="uint8")
    model.operator("SOFTMAX", [scores], [answer], "SoftmaxOptions", beta=1.0)
    return model.build([source], [answer])


def test_the_bytes_are_those_of_uint8(capsys: pytest.CaptureFixture[str]) -> None:
    unsigned = network()
    signed = to_signed(unsigned, "m.tflite")
    graph = parse(signed)
    assert all(answer.supported for answer in support(signed, graph).values())
    inputs = RNG.integers(0, 256, (50, 72)).astype(np.uint8)
    before = run(unsigned, [inputs])[0]
    for runtime in ("litert", "tflm"):
        after = run(signed, [(inputs ^ 128).astype(np.uint8).view(np.int8)], runtime)[0]
        np.testing.assert_array_equal(after.view(np.uint8) ^ 128, before)
    assert "0 of 48 output bytes differ" in capsys.readouterr().out
    assert to_signed(signed, "m.tflite") == signed


def test_averages_may_round_otherwise_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    to_signed(network(pooling=True), "m.tflite")
    assert re.search(r"[1-9]\d* of 48 output bytes differ .*by up to \d", capsys.readouterr().out)


def test_weights_that_int8_kernels_would_misread_are_refused() -> None:
    with pytest.raises(TinymlError, match="zero point 151"):
        to_signed(network(151), "m.tflite")


def of_custom_operator(name: str, dtype: str) -> bytes:
    """A model of that one operator."""
    model = Model()
    source, target = (model.tensor((1, 4), 0.02, 0, dtype=dtype) for _ in range(2))
    model.operator(f"CUSTOM {name}", [source], [target])
    return model.build([source], [target])


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize(
    ("operator", "chip"), [("edgetpu-custom-op", "the Edge TPU"), ("ethos-u", "an Arm Ethos-U")]
)
def test_what_is_compiled_for_an_accelerator_is_refused_as_such(
    tmp_path: Path, operator: str, chip: str, dtype: str
) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(of_custom_operator(operator, dtype))
    with pytest.raises(TinymlError, match=f"compiled for {chip}") as refusal:
        open_run(path)
    assert "Give the .tflite file" in refusal.value.next_step
    reasons = [each.reason for each in support(path.read_bytes(), parse(path.read_bytes())).values()]
    assert reasons == [refusal.value.what] * 2


def test_a_custom_operator_of_uint8_is_named() -> None:
    with pytest.raises(TinymlError, match=r"custom operator 0 \(Mine\)"):
        to_signed(of_custom_operator("Mine", "uint8"), "m.tflite")
