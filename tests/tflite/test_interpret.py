from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.pattern_task import as_input, patterns
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.compare import tflm_mismatches
from tinyml_cli.tflite.graph import parse

needs_tflm = pytest.mark.skipif(
    not interpret.has_tflm(), reason="tflite-micro has no wheel for this platform"
)


def test_quantise_rounds_half_away_from_zero_and_clamps() -> None:
    grid = TensorQuantization(scale=0.5, zero_point=-3)
    values = np.array([0.0, 0.25, -0.25, 0.24, 1.0, 1e9, -1e9], np.float32)
    assert interpret.quantize_values(values, grid).tolist() == [-3, -2, -4, -3, -1, 127, -128]
    assert interpret.dequantize_values(np.array([-3, -1], np.int8), grid).tolist() == [0.0, 1.0]


@needs_tflm
def test_litert_and_tflm_give_the_same_bytes_on_a_reference_model(shared: Path) -> None:
    model = (shared / "models" / "kws_ref_model.tflite").read_bytes()
    graph = parse(model)
    shape = graph.tensors[graph.inputs[0]].shape
    inputs = np.random.default_rng(0).integers(-128, 128, (20, *shape[1:])).astype(np.int8)
    outputs = interpret.run_int8(model, inputs)
    assert len(np.unique(outputs)) > 5, "constant outputs would prove nothing"
    np.testing.assert_array_equal(outputs, interpret.run_int8(model, inputs, "tflm"))


@needs_tflm
def test_differing_bytes_are_counted_and_warned_about(
    converted_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    model = converted_run.file(MODEL_INT8).read_bytes()
    source, _ = interpret.io_quantization(parse(model))
    inputs = interpret.quantize_values(as_input(patterns(5, 1)[0]), source)
    outputs = interpret.run_int8(model, inputs, "tflm")
    assert tflm_mismatches(model, inputs, outputs) == (0, 0)
    outputs[2, 1] ^= 1
    assert tflm_mismatches(model, inputs, outputs) == (1, 1)
    assert capsys.readouterr().err == ""
    outputs[3, 0] ^= 0x40
    assert tflm_mismatches(model, inputs, outputs) == (2, 64)
    assert "2 of 20 int8 output bytes differ, by up to 64" in capsys.readouterr().err


def test_a_missing_tflm_is_an_error_that_callers_survive(
    converted_run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tflite_micro.python.tflite_micro", None)
    model = converted_run.file(MODEL_INT8).read_bytes()
    inputs = np.zeros((2, 49, 40, 1), np.int8)
    with pytest.raises(TinymlError, match="runtime is not installed"):
        interpret.run_int8(model, inputs, "tflm")
    assert tflm_mismatches(model, inputs, interpret.run_int8(model, inputs)) == (None, None)
    assert "LiteRT without delegates is the reference" in capsys.readouterr().out


def test_inputs_of_any_shape_with_the_right_count_are_taken(converted_run: Run) -> None:
    model = converted_run.file(MODEL_INT8).read_bytes()
    inputs = np.arange(3 * 49 * 40).astype(np.int8).reshape(3, 49, 40)
    outputs = interpret.run_int8(model, inputs)
    assert outputs.shape == (3, 4)
    np.testing.assert_array_equal(outputs, interpret.run_int8(model, inputs.reshape(3, -1)))
    assert interpret.run_int8(model, inputs[:0]).shape == (0, 4)


@pytest.mark.parametrize(
    "inputs", [np.zeros((3, 49, 39), np.int8), np.zeros((3, 49, 40), np.float32), np.int8(1)]
)
def test_inputs_that_do_not_fit_are_refused(converted_run: Run, inputs: np.ndarray) -> None:
    with pytest.raises(TinymlError):
        interpret.run_int8(converted_run.file(MODEL_INT8).read_bytes(), inputs)


def test_an_int8_run_of_a_float_model_is_refused(converted_run: Run) -> None:
    with pytest.raises(TinymlError, match="float32"):
        interpret.run_int8(converted_run.file(MODEL_FLOAT32).read_bytes(), np.zeros((1, 49, 40), np.int8))


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(TinymlError):
        interpret.run_int8(b"\0" * 64, np.zeros((1, 4), np.int8))
