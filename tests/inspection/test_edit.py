"""Edited models: what was asked for changes, nothing else, and the runtimes take the result."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.engines.test_states_and_boundaries import stream
from tests.inspection.conftest import ANSWER, small_model
from tests.outcomes import check as check_outcome
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.inspection import Subgraph
from tinyml_cli.tflite import anatomy, interpret
from tinyml_cli.tflite.edit import Edits, edit, rounded
from tinyml_cli.tflite.graph import QuantizationParameters, Tensor, parse

REAL_MODELS = (
    "kws_ref_model.tflite",
    "vww_96_int8.tflite",
    "ad01_int8.tflite",
    "pretrainedResnet_quant.tflite",
    "kws_ref_model_float32.tflite",
)


def _answers(data: bytes, n: int = 3) -> list[np.ndarray]:
    """Outputs of both runtimes on random inputs."""
    graph, rng = parse(data), np.random.default_rng(1)
    source = graph.tensors[graph.inputs[0]]
    inputs = rng.normal(size=(n, *source.shape[1:])) * 40
    inputs = inputs.clip(-128, 127).astype(source.dtype)
    answers = interpret.run(data, [inputs], "litert")
    if interpret.has_tflm() and source.dtype == "int8":
        answers += interpret.run(data, [inputs], "tflm")
    return answers


@pytest.mark.parametrize("name", REAL_MODELS)
def test_names_alone_change_no_byte_of_the_answers(shared: Path, name: str) -> None:
    data = (shared / "models" / name).read_bytes()
    outputs = parse(data).tensors[parse(data).outputs[0]].shape[-1]
    labels = tuple(f"label {index}" for index in range(outputs))
    edited = edit(data, Edits(strip=True, description="ours", labels=labels)).data

    assert len(edit(data, Edits(strip=True)).data) < len(data)
    graph = parse(edited)
    assert not any(tensor.name for tensor in graph.tensors)
    assert graph.description == "ours"
    assert anatomy.labels(anatomy.metadata(edited)) == list(labels)
    assert anatomy.signatures(edited) == []
    for mine, theirs in zip(_answers(edited), _answers(data), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_model_with_states_and_two_subgraphs(tmp_path: Path) -> None:
    """The constant that a second subgraph starts the state with must survive."""
    if not interpret.has_tflm():
        pytest.skip("TensorFlow Lite Micro has no wheel for this platform")
    data = stream(start=True)
    edited = edit(data, Edits(strip=True)).data
    frames = np.random.default_rng(2).integers(-128, 128, (6, 1, 1, 5), np.int8)
    before, after = (interpret.run(each, [frames], "tflm")[0] for each in (data, edited))
    np.testing.assert_array_equal(after, before)
    assert len(np.unique(before)) > 5
    assert anatomy.describe(edited, parse(edited)).functions == [Subgraph(operators=2, tensors=2)]


def test_attached_files_are_kept_unless_stripped(model: Path) -> None:
    """TensorFlow Lite's metadata tools append a zip with label files to the flatbuffer."""
    with zipfile.ZipFile(model, "a") as archive:
        archive.writestr("labels.txt", "yes\nno\n")
    data = model.read_bytes()
    assert [entry.filename for entry in anatomy.attached(data)] == ["labels.txt"]
    kept = edit(data, Edits(description="new")).data
    with zipfile.ZipFile(BytesIO(kept)) as archive:
        assert archive.read("labels.txt") == b"yes\nno\n"
    np.testing.assert_array_equal(_answers(kept)[0], _answers(data)[0])
    assert anatomy.attached(edit(data, Edits(strip=True)).data) == []
    damaged = bytearray(data)
    damaged[data.rindex(b"yes\nno")] ^= 0xFF
    with pytest.raises(TinymlError, match="Cannot read"):
        edit(bytes(damaged), Edits(description="new"))


def test_description_and_labels_keep_the_rest(model: Path) -> None:
    once = edit(model.read_bytes(), Edits(labels=("a", "b", "ç"))).data
    twice = edit(once, Edits(description="second", labels=("x", "y", "z"))).data
    assert [entry.name for entry in anatomy.metadata(twice)] == [anatomy.LABELS_METADATA]
    assert anatomy.labels(anatomy.metadata(once)) == ["a", "b", "ç"]
    assert anatomy.labels(anatomy.metadata(twice)) == ["x", "y", "z"]
    assert [tensor.name for tensor in parse(twice).tensors] == [
        tensor.name for tensor in parse(model.read_bytes()).tensors
    ]
    assert edit(twice, Edits(description="second", labels=("x", "y", "z"))).data == twice


@pytest.mark.parametrize("name", REAL_MODELS[:2] + REAL_MODELS[-1:])
def test_rounded_weights_lie_on_the_grid_and_compress_better(shared: Path, name: str) -> None:
    data = (shared / "models" / name).read_bytes()
    outcome = edit(data, Edits(round_weights=0.05))
    assert outcome.rounding is not None and outcome.rounding.changed > 0
    assert outcome.rounding.distinct[1] < outcome.rounding.distinct[0]
    assert anatomy.gzip_bytes(outcome.data) < anatomy.gzip_bytes(data)
    for before, after in zip(parse(data).tensors, parse(outcome.data).tensors, strict=True):
        old, new = anatomy.real_values(before), anatomy.real_values(after)
        if old is None or new is None:
            continue
        if before.dtype == "int32" or (before.dtype == "float32" and len(before.shape) < 2):
            np.testing.assert_array_equal(new, old, err_msg="biases stay")
            continue
        step = 0.0 if after.quantization is None else float(after.quantization.scales.max())
        # The ends of the int8 range stay where the next multiple lies beyond them.
        inner = np.abs(np.asarray(after.data, np.float64)) < 127
        distance = np.abs(new - np.rint(new / 0.05) * 0.05)
        assert distance[inner].max() <= step / 2 + 1e-6
        assert np.abs(new - old).max() <= 0.025 + step / 2 + 1e-6
    assert all(np.isfinite(values).all() for values in _answers(outcome.data))


def _tensor(codes: list[int], scale: float, zero_point: int = 0, dtype: str = "int8") -> Tensor:
    grid = QuantizationParameters(np.array([scale], np.float32), np.array([zero_point]), 0)
    return Tensor(0, "w", dtype, (1, len(codes)), grid, np.array([codes], dtype))


@pytest.mark.parametrize(
    ("tensor", "step", "codes"),
    [
        (_tensor([-127, -4, -1, 0, 1, 2, 3, 127], 0.01), 0.05, [-125, -5, 0, 0, 0, 0, 5, 125]),
        (_tensor([-127, 127, 3], 0.01), 0.9, [-90, 90, 0]),
        (_tensor([-127, 127, 3], 0.01), 1.7, [-127, 127, 0]),  # 170 steps away: the nearest code
        (_tensor([-128, 3, 4], 0.01), 0.1, [-128, 0, 0]),
        (_tensor([30, 128, 255], 0.01, 128, "uint8"), 0.5, [28, 128, 255]),
        (_tensor([5, 6, 7], 0.5), 0.1, [5, 6, 7]),  # the grid is finer than the scale
        (_tensor([5, 6, 7], 0.0), 0.1, [5, 6, 7]),
    ],
)
def test_rounding_by_hand(tensor: Tensor, step: float, codes: list[int]) -> None:
    assert rounded(tensor, step).ravel().tolist() == codes


def test_weights_that_share_bytes_are_rounded_each_by_its_scale(tmp_path: Path) -> None:
    built = small_model()
    first, second = built.graph.tensors[1], built.tensor((4, 3, 3, 2), 0.3, data=np.zeros((4, 3, 3, 2)))
    built.graph.tensors[second].buffer = first.buffer
    data = built.build([0], [ANSWER])
    after = parse(edit(data, Edits(round_weights=0.5)).data)
    for index in (1, second):
        tensor = parse(data).tensors[index]
        np.testing.assert_array_equal(after.tensors[index].data, rounded(tensor, 0.5))


def test_warns_of_grids_that_do_nothing_or_too_much(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(model.read_bytes(), Edits(round_weights=1e-6))
    assert "no weight changed" in capsys.readouterr().err
    edit(model.read_bytes(), Edits(round_weights=50))
    assert "too coarse" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        (Edits(round_weights=0.0), "not a valid weight step"),
        (Edits(round_weights=float("nan")), "not a valid weight step"),
        (Edits(labels=("a", "", "c")), "not a label"),
        (Edits(labels=("a", "b\nc", "d")), "not a label"),
        (Edits(labels=("a", "b")), "2 labels for outputs of 3 values"),
    ],
)
def test_edits_that_make_no_sense(model: Path, edits: Edits, says: str) -> None:
    with pytest.raises(TinymlError, match=says):
        edit(model.read_bytes(), edits)


def test_the_command_line(tinyml: Tinyml, model: Path) -> None:
    before = model.read_bytes()
    arguments = ["inspect", model, "--edit", "--strip", "--set-labels", "a,b,c", "--round-weights", "0.05"]
    outcome = tinyml(*arguments, "--out", "new.tflite", "--json", cwd=model.parent).json
    check_outcome("inspect", outcome)
    written = (model.parent / "new.tflite").read_bytes()
    assert outcome["bytes"] == [len(before), len(written)]
    assert outcome["gzip_bytes"] == [anatomy.gzip_bytes(before), anatomy.gzip_bytes(written)]
    assert outcome["rounding"]["tensors"] == 2
    tinyml(*arguments, "--out", "new.tflite", cwd=model.parent)  # the same again is no conflict
    assert (model.parent / "new.tflite").read_bytes() == written

    (model.parent / "precious.txt").write_text("mine")
    for out, says in ((model.name, "already exists"), ("precious.txt", "already exists"), (None, "--out")):
        place = [] if out is None else ["--out", out]
        answer = tinyml("inspect", model, "--strip", *place, "--json", cwd=model.parent, code=2)
        assert says in " ".join(answer.json["error"].values())
    assert model.read_bytes() == before
    assert (model.parent / "precious.txt").read_text() == "mine"
    nothing = tinyml("inspect", model, "--edit", "--out", "x.tflite", "--json", cwd=model.parent, code=2)
    assert "--strip" in nothing.json["error"]["next_step"]
    assert sorted(path.name for path in model.parent.iterdir()) == [
        "new.tflite",
        "precious.txt",
        "small.tflite",
    ]
