"""What `inspect --diff` says about two models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import Tinyml
from tests.inspection.conftest import ANSWER, small_model
from tests.outcomes import check as check_outcome
from tinyml_cli.tflite.difference import difference
from tinyml_cli.tflite.graph import parse


def _difference(old: bytes, new: bytes) -> dict[str, Any]:
    return json.loads(json.dumps(difference(old, parse(old), new, parse(new)).as_dict()))


def _old() -> bytes:
    return small_model().build([0], [ANSWER])


def test_equal_files() -> None:
    found = _difference(_old(), _old())
    assert found["same_bytes"] and found["same_computation"]
    assert not any(found[key] for key in ("operators", "operators_changed", "tensors", "about"))


def test_names_and_order_of_tensors_do_not_hide_equal_weights() -> None:
    model = small_model()
    for tensor in model.graph.tensors:
        tensor.name = f"renamed {tensor.name}"
    swapped = [1, 0, *range(2, len(model.graph.tensors))]
    model.graph.tensors = [model.graph.tensors[index] for index in swapped]
    for operator in model.graph.operators:
        operator.inputs = [swapped[index] for index in operator.inputs]
    found = _difference(_old(), model.build([1], [ANSWER]))
    assert found["same_computation"] and not found["same_bytes"]
    assert all(set(change) == {"index", "name", "renamed"} for change in found["tensors"])
    assert [change["index"] for change in found["tensors"]][:2] == [[0, 1], [1, 0]]


def test_changed_weights_in_real_units() -> None:
    model = small_model()
    table = model.graph.tensors[1]
    codes = np.frombuffer(model.model.buffers[table.buffer].data, np.int8).copy()
    codes[0] = codes[0] - 5 if codes[0] > 0 else codes[0] + 5  # channel 0, scale 0.01
    codes[-1] = codes[-1] - 7 if codes[-1] > 0 else codes[-1] + 7  # channel 3, scale 0.04
    model.model.buffers[table.buffer].data = codes.view(np.uint8)
    found = _difference(_old(), model.build([0], [ANSWER]))
    assert not found["same_computation"]
    (change,) = found["tensors"]
    assert change["index"] == [1, 1]
    assert np.isclose(change["max_abs_difference"], 0.28)
    assert np.isclose(change["changed_share"], 2 / 72)


def test_scales_shapes_types_and_options() -> None:
    model = small_model()
    model.graph.tensors[0].quantization.scale = [0.25]
    model.graph.tensors[3].shape = [1, 4, 4, 5]
    model.graph.tensors[ANSWER].type = 7
    model.graph.operators[0].builtinOptions.strideW = 2
    found = _difference(_old(), model.build([0], [ANSWER]))
    changes = {change["index"][0]: change for change in found["tensors"]}
    assert changes[0]["quantization"][1]["scale"] == 0.25
    assert changes[3]["shape"] == [[1, 4, 4, 4], [1, 4, 4, 5]]
    assert changes[ANSWER]["dtype"] == ["int8", "int16"]
    assert found["operators_changed"] == [{"index": 0, "name": "CONV_2D", "options": {"stride_w": [1, 2]}}]
    assert not found["same_computation"]


def test_other_wiring_is_another_computation() -> None:
    model = small_model()
    flat = model.graph.operators[2].inputs[0]
    other = model.tensor((1, 64), 0.4, -5)
    assert flat != other
    model.graph.operators[2].inputs[0] = other
    found = _difference(_old(), model.build([0], [ANSWER]))
    assert not found["same_computation"]


def test_other_operators_and_text(shared: Path) -> None:
    old, new = (
        (shared / "models" / name).read_bytes() for name in ("kws_ref_model.tflite", "vww_96_int8.tflite")
    )
    found = _difference(old, new)
    counts = {row["name"]: (row["old"], row["new"]) for row in found["operators"]}
    assert counts["CONV_2D"] == (5, 14)
    assert not found["same_computation"]
    assert found["only_old"] and found["only_new"]


def test_the_command_line(tinyml: Tinyml, model: Path) -> None:
    other = model.with_name("other.tflite")
    other.write_bytes(small_model(seed=1).build([0], [ANSWER]))
    answer = tinyml("inspect", model, "--diff", other, cwd=model.parent)
    assert "The models compute different results." in answer.out
    assert "values" in answer.out
    document = tinyml(
        "inspect", model, "--diff", other, "--json", "--exit-code", cwd=model.parent, code=1
    ).json
    check_outcome("inspect", document)
    assert document["same_computation"] is False
    assert len(document["tensors"]) == 2
    tinyml("inspect", model, "--diff", model, "--exit-code", cwd=model.parent)
    missing = tinyml("inspect", model, "--diff", "nowhere.tflite", cwd=model.parent, code=2)
    assert "nowhere.tflite" in missing.err
