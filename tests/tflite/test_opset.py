from __future__ import annotations

from pathlib import Path

import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.run import MODEL_FLOAT32, Run
from tinyml_cli.tflite.graph import load
from tinyml_cli.tflite.opcodes import OPERATORS
from tinyml_cli.tflite.opset import TFLM_INT8_OPS, check_int8


def test_every_name_is_in_the_schema() -> None:
    assert set(OPERATORS.values()) >= TFLM_INT8_OPS


@pytest.mark.parametrize(
    "name",
    ["kws_ref_model.tflite", "vww_96_int8.tflite", "ad01_int8.tflite", "pretrainedResnet_quant.tflite"],
)
def test_reference_models_pass(shared: Path, name: str) -> None:
    graph = load(shared / "models" / name)
    assert sum(op.count for op in check_int8(graph)) == len(graph.operators)


def test_a_float_tensor_is_named(converted_run: Run) -> None:
    with pytest.raises(TinymlError, match=r"operator 0 CONV_2D is still float32"):
        check_int8(load(converted_run.file(MODEL_FLOAT32)))
