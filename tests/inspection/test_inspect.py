"""tinyml inspect on models of every kind, through the command line and on hostile bytes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import REPOSITORY, Tinyml
from tests.engines.flatbuffer_models import Model
from tests.inspection.conftest import ANSWER, small_model
from tests.outcomes import check as check_outcome
from tinyml_cli.errors import TinymlError
from tinyml_cli.inspection import report
from tinyml_cli.run import MANIFEST
from tinyml_cli.tflite import anatomy
from tinyml_cli.tflite.graph import parse

WIDTH = 100


def _document(path: Path) -> dict:
    return report.inspect(report.find(str(path))).as_dict()


def test_everything_about_a_model_that_was_built_by_hand(model: Path) -> None:
    document = _document(model)
    assert document["kind"] == "full int8"
    assert document["bytes"] == model.stat().st_size
    assert document["description"] == "made by a test"
    assert document["macs"] == 4 * 4 * 4 * 18 + 3 * 64
    assert document["ops"] == [
        {"name": "CONV_2D", "version": 1, "count": 1},
        {"name": "RESHAPE", "version": 1, "count": 1},
        {"name": "FULLY_CONNECTED", "version": 1, "count": 1},
    ]
    assert document["inputs"][0]["shape"] == [1, 6, 6, 2]
    assert document["inputs"][0]["quantization"]["scales"] == [0.5]
    assert document["inputs"][0]["quantization"]["zero_points"] == [3]
    filters = document["tensors"][1]
    assert filters["quantization"]["per_channel"] and filters["quantization"]["axis"] == 0
    assert np.allclose(filters["quantization"]["scales"], [0.01, 0.02, 0.03, 0.04])
    assert document["engines"]["aot"]["supported"]
    json.dumps(document, allow_nan=False)


def test_statistics_by_hand() -> None:
    model = small_model()
    codes = np.array([-127, 0, 0, 3], np.int8)
    model.tensor((2, 2), data=codes.reshape(2, 2), scales=[0.5, 2.0], axis=0)
    tensor = parse(model.build([0], [ANSWER])).tensors[-1]
    numbers = anatomy.statistics(tensor)
    real = [-63.5, 0, 0, 6]
    assert numbers is not None
    assert (numbers.min, numbers.max) == (-63.5, 6.0)
    assert np.isclose(numbers.std, np.std(real)) and np.isclose(numbers.mean, np.mean(real))
    assert numbers.zeros_share == 0.5
    assert numbers.distinct == 3 and numbers.grid_share == 3 / 256


def test_values_that_are_not_finite_are_counted() -> None:
    model = small_model()
    model.tensor((1, 4), None, dtype="float32", data=[[1.0, np.nan, np.inf, 3.0]])
    numbers = anatomy.statistics(parse(model.build([0], [ANSWER])).tensors[-1])
    assert numbers is not None and numbers.not_finite == 2
    assert (numbers.min, numbers.max) == (1.0, 3.0)


@pytest.mark.parametrize(
    ("name", "kind", "takers"),
    [
        ("kws_ref_model.tflite", "full int8", {"aot", "tflm"}),
        ("ad01_int8.tflite", "full int8", {"aot", "tflm"}),
        ("kws_ref_model_float32.tflite", "dynamic range: int8 weights, float32 activations", set()),
    ],
)
def test_real_models(shared: Path, name: str, kind: str, takers: set[str]) -> None:
    document = _document(shared / "models" / name)
    assert document["kind"] == kind
    assert {key for key, answer in document["engines"].items() if answer["supported"]} == takers
    for answer in document["engines"].values():
        if not answer["supported"]:
            assert "input_1" in answer["reason"], "the tensor is named"
        else:
            assert answer["arena_bytes"] > 500
    assert [entry["name"] for entry in document["metadata"]] == ["min_runtime_version"]
    assert document["metadata"][0]["text"] == "1.5.0"


def test_text_fits_100_columns_and_starts_with_the_summary(
    tinyml: Tinyml, shared: Path, tmp_path: Path
) -> None:
    path = shared / "models" / "kws_ref_model.tflite"
    answer = tinyml("inspect", path, "--all", cwd=tmp_path, env={"COLUMNS": str(WIDTH)})
    lines = answer.out.splitlines()
    assert lines[0] == str(path)
    assert "full int8; 53,936 bytes" in lines[1]
    assert max(len(line) for line in lines[1:]) <= WIDTH
    assert "value = 0.584703 × (q − 83)" in answer.out
    assert len([line for line in lines if "DEPTHWISE_CONV_2D" in line]) == 1 + 4
    short = tinyml("inspect", path, cwd=tmp_path, env={"COLUMNS": str(WIDTH)}).out
    assert "Tensors" not in short and len(short.splitlines()) < 30
    quiet = tinyml("inspect", path, "--quiet", cwd=tmp_path).out
    assert len(quiet.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [], "looking makes no run directory"


def test_int16x8_is_called_by_its_name() -> None:
    model = Model()
    source, answer = model.tensor((1, 4), dtype="int16"), model.tensor((1, 2), dtype="int16")
    weights = model.tensor((2, 4), 0.02, data=np.ones((2, 4)))
    model.operator("FULLY_CONNECTED", [source, weights, -1], [answer], "FullyConnectedOptions")
    assert anatomy.kind(parse(model.build([source], [answer]))) == "int16x8: int16 activations, int8 weights"


def test_an_int16_state_inside_does_not_make_a_model_int16x8() -> None:
    """As of SVDF and LSTM; `inspect` names what is computed between operators."""
    model = Model()
    source, answer = model.tensor((1, 4)), model.tensor((1, 2))
    features, time = (
        model.tensor((2, 4), data=np.ones((2, 4))),
        model.tensor((2, 3), dtype="int16", data=np.ones((2, 3))),
    )
    state = model.tensor((1, 6), dtype="int16")
    model.operator("SVDF", [source, features, time, -1, state], [answer], "SVDFOptions")
    assert anatomy.kind(parse(model.build([source], [answer]))) == "full int8"


def test_needs_no_tensorflow(model: Path) -> None:
    program = (
        "import sys\n"
        "class Blocker:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('tensorflow', 'keras'):\n"
        "            raise AssertionError('imports ' + name)\n"
        "sys.meta_path.insert(0, Blocker())\n"
        "from tinyml_cli.main import main\n"
        "main()"
    )
    for arguments in (["--all"], ["--strip", "--out", "x.tflite"], ["--diff", str(model)]):
        process = subprocess.run(
            [sys.executable, "-c", program, "inspect", str(model), *arguments],
            capture_output=True,
            cwd=model.parent,
            check=False,
        )
        assert process.returncode == 0, process.stderr[-2000:].decode(errors="replace")


def test_pictures_of_a_lone_file(tinyml: Tinyml, model: Path) -> None:
    refused = tinyml("inspect", model, "--pictures", "--json", cwd=model.parent, code=2)
    assert refused.json["error"]["where"] == "--out"
    answer = tinyml("inspect", model, "--pictures", "--out", "pictures", "--json", cwd=model.parent)
    (picture,) = answer.json["pictures"]
    content = (model.parent / picture).read_bytes()
    assert content.startswith(b"\x89PNG") and len(content) > 5000
    tinyml("inspect", model, "--pictures", "--out", "pictures", cwd=model.parent)
    assert (model.parent / picture).read_bytes() == content, "equal models give equal pictures"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.tflite"], "Cannot read"),
        (["nowhere"], "No run `nowhere`"),
        ([], "There are no runs yet"),
        (["keras.h5"], "This is a Keras model"),
        (["small.tflite", "--strip", "--diff", "small.tflite"], "one at a time"),
        (["small.tflite", "--out", "x"], "Nothing to write"),
        (["trained"], "Run `tinyml convert trained` first"),
    ],
)
def test_mistakes_are_named(tinyml: Tinyml, model: Path, arguments: list[str], says: str) -> None:
    (model.parent / "keras.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    trained = model.parent / "trained"
    trained.mkdir()
    shutil.copyfile(REPOSITORY / "tests/golden/manifests/v1/kws_trained.json", trained / MANIFEST)
    answer = tinyml("inspect", *arguments, "--json", cwd=model.parent, code=2)
    assert says in " ".join(answer.json["error"].values())
    assert answer.json["error"]["next_step"]


def test_hostile_bytes_end_in_a_sentence(model: Path) -> None:
    """Every mutation is either refused with a reason or described; nothing else is raised."""
    from tinyml_cli.tflite.edit import Edits, edit

    whole, rng = model.read_bytes(), np.random.default_rng(3)
    refused = described = 0
    for _ in range(400):
        data = bytearray(whole)
        for position in rng.integers(8, len(data), rng.integers(1, 6)):
            data[position] = rng.integers(0, 256)
        cut = bytes(data[: rng.integers(8, len(data))]) if rng.random() < 0.2 else bytes(data)
        try:
            document = anatomy.describe(cut, parse(cut)).as_dict()
            json.dumps(document, allow_nan=False)
            described += 1
            edit(cut, Edits(strip=True))
        except TinymlError as error:
            refused += 1
            assert error.next_step
    assert refused > 30 and described > 30


def test_engines_answer_to_hostile_models(model: Path) -> None:
    from tinyml_cli.engines import support

    whole, rng = model.read_bytes(), np.random.default_rng(8)
    answered = 0
    for _ in range(150):
        data = bytearray(whole)
        data[rng.integers(8, len(data))] = rng.integers(0, 256)
        try:
            graph = parse(bytes(data))
        except TinymlError:
            continue
        answer = support._answer(support._aot, bytes(data), graph, "hostile")
        assert answer.supported or answer.reason
        answered += 1
    assert answered > 30


def test_a_run_is_compared_with_its_float_model(
    shared: Path, tinyml: Tinyml, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of a bare model has nothing to compare with, and says so."""
    from tinyml_cli.stages.adopt import open_run

    monkeypatch.setenv("TINYML_RUNS", str(model.parent / "runs"))
    run = open_run(model)
    answer = tinyml("inspect", run.path, "--json", cwd=model.parent)
    check_outcome("inspect", answer.json)
    assert answer.json["layers"] == []
    assert "no float32 model" in answer.json["notes"][0]
    run.file("model_int8.tflite").write_bytes(small_model(seed=2).build([0], [ANSWER]))
    stale = tinyml("inspect", run.path, "--json", cwd=model.parent)
    assert "is not the file" in stale.json["notes"][0]
