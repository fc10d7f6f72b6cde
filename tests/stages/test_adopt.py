"""Runs of models that come without one: the same bytes lead to the same run, nothing of anyone is lost."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.engines.flatbuffer_models import Model
from tinyml_cli.errors import TinymlError
from tinyml_cli.run import MODEL_INT8, runs_dir
from tinyml_cli.stages.adopt import MODEL_TASK, open_run


@pytest.fixture(autouse=True)
def _runs_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "runs"))


def _dense(dtype: str = "int8", seed: int = 0) -> bytes:
    """A model with one FULLY_CONNECTED."""
    model, rng = Model(), np.random.default_rng(seed)
    source = model.tensor((1, 4), dtype=dtype)
    weights = model.tensor((3, 4), dtype=dtype, data=rng.integers(-9, 9, (3, 4)))
    bias = model.tensor(
        (3,),
        None if dtype == "float32" else 0.0025,
        dtype="float32" if dtype == "float32" else "int32",
        data=[1, 2, 3],
    )
    target = model.tensor((1, 3), dtype=dtype)
    model.operator("FULLY_CONNECTED", [source, weights, bias], [target], "FullyConnectedOptions")
    return model.build([source], [target])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "my model (2).tflite"
    path.write_bytes(_dense())
    return path


def test_the_same_bytes_lead_to_the_same_run(model: Path) -> None:
    run = open_run(model)
    assert run.path.name.startswith("my_model_2_-") and len(run.path.name) == len("my_model_2_-") + 8
    assert run.manifest().task == MODEL_TASK
    assert run.require(run.manifest(), MODEL_INT8).read_bytes() == model.read_bytes()
    written = run.file("manifest.json").stat().st_mtime_ns

    assert open_run(model).path == run.path
    renamed = model.rename(model.with_name("other.tflite"))
    assert open_run(str(renamed)).path == run.path
    assert run.file("manifest.json").stat().st_mtime_ns == written
    assert open_run().path == run.path.resolve()


def test_other_bytes_under_the_same_name_are_another_run(model: Path) -> None:
    first = open_run(model).path
    model.write_bytes(_dense(seed=1))
    second = open_run(model)
    assert second.path != first
    assert (first / MODEL_INT8).read_bytes() == _dense()


def test_a_run_of_someone_else_with_that_name_is_left_alone(model: Path) -> None:
    place = open_run(model).path
    shutil.rmtree(place)
    place.mkdir()
    (place / "manifest.json").write_text('{"schema_version": 1, "task": "kws", "seed": 3}\n')
    run = open_run(model)
    assert run.path != place and run.path.name.startswith(place.name)
    assert [path.name for path in place.iterdir()] == ["manifest.json"]
    assert open_run(model).path == run.path


@pytest.mark.parametrize("damage", ["delete", "change"])
def test_a_run_whose_model_was_damaged_is_made_again(model: Path, damage: str) -> None:
    path = open_run(model).file(MODEL_INT8)
    if damage == "delete":
        path.unlink()
    else:
        path.write_bytes(b"no longer a model")
    run = open_run(model)
    assert run.file(MODEL_INT8) == path
    assert run.is_fresh(run.manifest(), MODEL_INT8)


def test_bytes_that_are_no_model_leave_no_run(tmp_path: Path) -> None:
    whole, rng = _dense(), np.random.default_rng(5)
    samples = [b"", b"TFL3", rng.bytes(500), whole[:4] + b"XXXX" + whole[8:]]
    samples += [whole[:cut] for cut in rng.integers(1, len(whole) // 2, 10)]
    for data in samples:
        path = tmp_path / "bad.tflite"
        path.write_bytes(data)
        with pytest.raises(TinymlError, match="not a complete TensorFlow Lite model"):
            open_run(path)
    assert not runs_dir().exists()


def test_a_keras_file_is_told_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(TinymlError, match=r"Keras model.*tinyml convert .*model\.h5 --calibration"):
        open_run(path)


def test_no_place_for_runs(model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "file"))
    with pytest.raises(TinymlError, match=r"Cannot create.*TINYML_RUNS"):
        open_run(model)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_a_runs_folder_that_is_read_only(model: Path) -> None:
    runs_dir().mkdir()
    runs_dir().chmod(0o500)
    with pytest.raises(TinymlError, match="TINYML_RUNS"):
        open_run(model)


def test_a_float_model_is_refused_by_what_needs_int8(tinyml: Tinyml, tmp_path: Path) -> None:
    path = tmp_path / "float.tflite"
    path.write_bytes(_dense("float32"))
    answer = tinyml("profile", path, "--json", cwd=tmp_path, code=2)
    assert "float32" in json.dumps(answer.json["error"])
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("command", ["convert", "quantize", "evaluate"])
def test_stages_that_need_more_than_a_model_say_so(tinyml: Tinyml, model: Path, command: str) -> None:
    run = open_run(model)
    answer = tinyml(command, run.path, "--json", cwd=model.parent, code=2)
    assert "imported from a" in answer.json["error"]["what"], answer.json
    assert answer.json["error"]["next_step"]
