"""Damaged runs, recipes and options: one paragraph and exit code 2 from every command, never a traceback.

Whatever reaches the net for defects (exit code 70) fails here.
"""

from __future__ import annotations

import copy
import errno
import json
import os
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tinyml
from tinyml_cli.errors import EXIT_DEFECT, EXIT_OK, TinymlError
from tinyml_cli.link.protocol.decoder import LineDecoder
from tinyml_cli.link.protocol.events import Text
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Artifact, Data, Model, Op, Quantization
from tinyml_cli.monitor.filters import EventLog
from tinyml_cli.run import MANIFEST, RECIPE

REMOVED = object()
VALUES: tuple[Any, ...] = (None, -1, 10**18, 1.5, "", "x", [], ["a"], {}, {"a": 1}, True, "../../x")
COMMANDS = (
    ("card", "RUN"),
    ("export-c-array", "RUN"),
    ("inspect", "RUN"),
    ("compare", "RUN", "--no-profile"),
    ("evaluate", "RUN", "--no-noise"),
    ("quantize", "RUN"),
    ("convert", "RUN"),
    ("prune", "RUN"),
    ("cluster", "RUN"),
    ("distill", "RUN", "--teacher", "RUN"),
    ("build", "RUN"),
    ("flash", "RUN", "--board", "native"),
    ("profile", "RUN", "--board", "native"),
    ("monitor", "RUN", "--board", "native", "--duration", "1"),
    ("bench", "RUN", "--data", "RUN"),
    ("drift", "RUN", "RUN/log"),
    ("explain", "RUN", "RUN/log"),
    ("fairness", "RUN"),
    ("doctor", "RUN"),
)


def _manifest() -> dict[str, Any]:
    labels = ["silence", "unknown", "yes", "no"]
    whole = Manifest(
        task="kws",
        seed=1,
        labels=labels,
        data=Data(source="synthetic", split_by="speaker", counts={"train": dict.fromkeys(labels, 9)}),
        model=Model(name="ds_cnn", parameters=1, macs=1),
        quantization=Quantization(method="ptq", calibration_samples=10),
        ops=[Op(name="CONV_2D", version=1, count=1)],
        metrics={"train": {"validation_accuracy": 0.9, "epochs": 1}},
        artifacts={"model.keras": Artifact(sha256="0" * 64, bytes=1, made_by="tinyml train")},
    )
    document: dict[str, Any] = whole.model_dump(mode="json")
    return document


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = document.items() if isinstance(document, dict) else enumerate(document[:1])
    for key, value in inner:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


def _changed(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    node: Any = changed
    for key in path[:-1]:
        node = node[key]
    if value is REMOVED:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return changed


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "a"
    folder.mkdir(parents=True)
    (folder / "log").write_text("")
    (folder / RECIPE).write_text("task: kws\n")
    return folder


def _refused(tinyml: Tinyml, run: Path, command: tuple[str, ...]) -> str:
    arguments = [part.replace("RUN", str(run)) for part in command]
    answer = tinyml(*arguments, cwd=run.parent.parent, code=None)
    assert answer.code not in (EXIT_OK, EXIT_DEFECT), (command, answer.code, answer.out, answer.err)
    assert "Traceback" not in answer.err
    return answer.err


def test_every_field_of_a_manifest_damaged_in_every_way(tmp_path: Path) -> None:
    path = tmp_path / MANIFEST
    whole = _manifest()
    for place in _places(whole):
        for value in (REMOVED, *VALUES):
            path.write_text(json.dumps(_changed(whole, place, value)))
            try:
                Manifest.load(path)
            except TinymlError as error:
                assert str(path) in str(error)
                assert "Input should" not in str(error)


DAMAGE = {
    "empty": b"",
    "cut off": json.dumps(_manifest()).encode()[:300],
    "not UTF-8": b'{"schema_version": 1, "task": "\xff"}',
    "deep": b'{"schema_version": 1, "metrics": ' + b'{"a":' * 700 + b"1" + b"}" * 700 + b"}",
    "deep list": b"[" * 100_000,
    "twice": b'{"schema_version": 1, "task": "kws", "task": "vww", "seed": 1}',
    "huge number": b'{"schema_version": 1, "task": "kws", "seed": ' + b"9" * 5000 + b"}",
    "not a number": b'{"schema_version": 1, "task": "kws", "seed": NaN}',
    "newer": b'{"schema_version": 99}',
    "another task": b'{"schema_version": 1, "task": "tea", "seed": 1}',
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_damaged_manifest_is_refused(
    tinyml: Tinyml, run: Path, command: tuple[str, ...], damage: str
) -> None:
    if command[0] == "doctor":
        pytest.skip("it looks at the computer where a run says nothing")
    (run / MANIFEST).write_bytes(DAMAGE[damage])
    _refused(tinyml, run, command)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[0] != "doctor"], ids=lambda command: command[0])
def test_a_manifest_that_is_a_folder_is_refused(tinyml: Tinyml, run: Path, command: tuple[str, ...]) -> None:
    (run / MANIFEST).mkdir()
    _refused(tinyml, run, command)


def test_no_field_of_a_manifest_reaches_the_net(tinyml: Tinyml, run: Path) -> None:
    """Fields drawn at random, each damaged and given to some command: a paragraph, or the command's work."""
    whole = _manifest()
    rng = random.Random(5)
    places = list(_places(whole))
    light = [command for command in COMMANDS if command[0] in ("card", "export-c-array", "inspect", "build")]
    for _ in range(60):
        place, value = rng.choice(places), rng.choice((REMOVED, *VALUES))
        (run / MANIFEST).write_text(json.dumps(_changed(whole, place, value)))
        _refused(tinyml, run, rng.choice(light))


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["silence", "unknown", "yes"], "trained on"),
        (["silence", "unknown", "no", "yes"], "trained on"),
        (["silence", "unknown", "yes", "nein"], "trained on"),
        (["silence", "unknown", "yes", "yes"], "twice"),
        (["silence", "unknown", "yes", ""], "invalid name"),
        (["silence", "unknown", "yes", "n\no"], "invalid name"),
    ],
)
def test_labels_edited_by_hand_are_refused(tinyml: Tinyml, run: Path, labels: list[str], says: str) -> None:
    (run / MANIFEST).write_text(json.dumps(_manifest() | {"labels": labels}))
    for command in ("card", "evaluate"):
        assert says in _refused(tinyml, run, (command, "RUN"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"firmware": {"sim": {"flash_bytes": "x\n<b>"}}}, "firmware"),
        ({"firmware": {"sim": {"ram_bytes": -1}}}, "ram_bytes"),
        ({"metrics": {"compression": [{"method": "prune"}]}}, "sparsity"),
        ({"metrics": {"compression": {"method": "prune"}}}, "compression"),
        ({"metrics": {"source": {"path": [1]}}}, "source.path"),
    ],
)
def test_figures_that_later_stages_calculate_with_have_types(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps(_manifest() | changes))
    with pytest.raises(TinymlError, match=says):
        Manifest.load(tmp_path / MANIFEST)


@pytest.mark.parametrize(("number", "says"), [(errno.EACCES, "permission"), (errno.EIO, "disk")])
def test_a_manifest_that_cannot_be_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / MANIFEST
    path.write_text("{}")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(TinymlError, match=says) as caught:
        Manifest.load(path)
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "..\\x", "C:\\x", ""])
def test_an_artifact_lies_in_the_run(tinyml: Tinyml, run: Path, name: str) -> None:
    entry = _manifest()["artifacts"]["model.keras"]
    (run / MANIFEST).write_text(json.dumps(_manifest() | {"artifacts": {name: entry}}))
    assert "not a file in the run" in _refused(tinyml, run, ("card", "RUN"))


def test_an_artifact_is_not_made_from_itself(tinyml: Tinyml, run: Path) -> None:
    entry = _manifest()["artifacts"]["model.keras"]
    loop = {"a": entry | {"made_from": {"b": "0" * 64}}, "b": entry | {"made_from": {"a": "0" * 64}}}
    (run / MANIFEST).write_text(json.dumps(_manifest() | {"artifacts": loop}))
    assert "its own source" in _refused(tinyml, run, ("card", "RUN"))


RECIPES = {
    "empty list": "[]",
    "no mapping": "x",
    "deep": "a: " + "[" * 10_000,
    "bomb": "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
    + "\n".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)),
    "itself": "model: &a\n  name: ds_cnn\n  options: &b\n    x: *b\n",
    "date": "seed: 2020-13-45",
    "twice": "seed: 1\nseed: 2",
    "huge": "seed: " + "9" * 5000,
    "infinite": "training: {learning_rate: .inf}",
    "object": "seed: !!python/object/apply:os.system [id]",
    "another task": "task: vww",
    "no words": "words: []",
    "falling range": "augmentation: {speed: [1.2, 0.9]}",
    "no speed": "augmentation: {speed: [0, 0]}",
    "booleans": "words: [yes, no]",
    "null section": "training:\n",
    "key of a number": "1: 2",
    "control": "a: \x07",
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_damaged_recipe_is_refused_and_leaves_nothing(tinyml: Tinyml, tmp_path: Path, name: str) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPES[name])
    answer = tinyml("train", "kws", "--config", recipe, "--run", tmp_path / "run", cwd=tmp_path, code=2)
    assert "Input should" not in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]


OPTIONS = (
    ("train", "kws", "--model", "resnet"),
    ("train", "kws", "--set", "model.options.filers=3"),
    ("train", "kws", "--set", "model.options.dropout=1"),
    ("train", "kws", "--set", "synthesis.clips_per_word=8"),
    ("train", "kws", "--seed", "-5"),
    ("train", "kws", "--words", ""),
    ("train", "kws", "--words="),
    ("train", "kws", "--data", ""),
    ("train", "kws", "--teacher", "nowhere"),
    ("train", "kws", "--add-recordings", "nowhere"),
    ("train", "vww", "--model", "micr"),
    ("train", "vww", "--backbone", "nowhere.keras"),
    ("train", "wand", "--data", "nowhere"),
    ("train", "wand", "--set", "model.name=nothing"),
    ("train", "anomaly", "--fpr", "nan"),
    ("train", "anomaly", "--fpr", "7"),
    ("prune", "--sparsity", "1.5"),
    ("prune", "--epochs", "99999999999999999999"),
    ("cluster", "--clusters", "2"),
    ("distill", "--share", "inf"),
    ("quantize", "--method", "qta"),
    ("convert", "--samples", "0"),
    ("evaluate", "--split", "tets"),
    ("evaluate", "--groups", "nowhere.tsv"),
    ("compare", "--split", "tets"),
    ("export-c-array", "--engine", "atom"),
    ("build", "--board", "nano33bl"),
    ("monitor", "--duration", "nan"),
    ("monitor", "--log", "."),
    ("profile", "--words-per-hour", "inf"),
    ("drift", "--psi", "inf", "log"),
    ("tune", "kws", "--trials", "0"),
    ("data", "synth", "--words", "yes", "--out", "here/file"),
    ("data", "check", "nowhere"),
    ("data", "import", "nowhere", "--out", "x"),
    ("card", "--out", "here/file"),
    ("train", "kws", "--words", "yes,"),
    ("pipeline", "kws", "--board", "nano33ble", "--port", "nowhere"),
    ("data", "check", "here", "--picture", "x.svg"),
    ("explain", "clip.wav", "--out", "x"),
    ("drift", "here/file", "--out", "x.pdf"),
    ("doctor", "nowhere"),
    ("evaluate", "/"),
    ("quantize", "here"),
    *(("train", task, "--data", os.devnull) for task in ("kws", "vww", "wand", "anomaly")),
)  # fmt: skip


@pytest.fixture
def _fresh_modules() -> Iterator[None]:
    """Modules that are imported meanwhile keep what was patched then: they are forgotten."""
    before = set(sys.modules)
    yield
    for name in sorted(set(sys.modules) - before, reverse=True):
        if name.startswith("tinyml_cli."):
            parent, _, child = name.rpartition(".")
            del sys.modules[name]
            vars(sys.modules[parent]).pop(child, None)


@pytest.mark.usefixtures("_fresh_modules")
@pytest.mark.parametrize("arguments", OPTIONS, ids=" ".join)
def test_a_wrong_option_is_refused_before_any_work(
    tinyml: Tinyml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    def work(*_: object, **__: object) -> None:
        raise AssertionError("work was begun")

    for place in ("speech.synthesis._speak", "models.require_tensorflow", "quiet_import.import_quietly"):
        monkeypatch.setattr(f"tinyml_cli.{place}", work)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "file").touch()
    answer = tinyml(*arguments, cwd=tmp_path, code=2)
    assert "Input should" not in answer.err
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def hostile(shared: Path) -> Path:
    folder = shared / "cases" / "hostile"
    if not folder.is_dir():
        pytest.skip("no hostile cases here")
    return folder


def test_shared_manifests_and_recipes_are_refused(tinyml: Tinyml, run: Path, hostile: Path) -> None:
    for case in hostile.glob("manifest_*.json"):
        shutil.copy(case, run / MANIFEST)
        for command in COMMANDS[:4]:
            _refused(tinyml, run, command)
    for case in hostile.glob("*.yaml"):
        tinyml("train", "kws", "--config", case, "--run", run.parent / "b", cwd=run.parent, code=2)
    assert not (run.parent / "b").exists()


def test_shared_data_files_are_refused(tinyml: Tinyml, tmp_path: Path, hostile: Path) -> None:
    tasks = (("wand", "--labels", "wave"), ("wand", "--input", "imu", "--labels", "wave"), ("anomaly",))
    for case in sorted(hostile.glob("*.json")) + sorted(hostile.glob("*.csv")):
        folder = tmp_path / case.stem / "wave"
        folder.mkdir(parents=True)
        shutil.copy(case, folder)
        for task in tasks:
            arguments = ("train", *task, "--data", folder.parent, "--run", tmp_path / "run")
            answer = tinyml(*arguments, cwd=tmp_path, code=None)
            assert answer.code == 2, (case.name, task, answer.code, answer.err)


@pytest.mark.parametrize("depth", [41, 600, 5000])
def test_a_deep_line_of_a_device_is_text(depth: int) -> None:
    line = b'{"event":"x","a":' + b"[" * depth + b"]" * depth + b"}\n"
    (event,) = LineDecoder().feed(line)
    assert isinstance(event, Text)
    json.dumps(event.as_dict())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_log_on_a_full_disk_ends_in_a_paragraph() -> None:
    log = EventLog(Path("/dev/full"))
    with pytest.raises(TinymlError, match="Cannot continue the log"):
        log.rx(Text(text="a"))
    log.close()


def test_what_nobody_foresaw_ends_in_a_paragraph(
    tinyml: Tinyml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise LookupError("lost")

    monkeypatch.setattr("tinyml_cli.boards.board_list.board_names", fail)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    answer = tinyml("boards", "--json", cwd=tmp_path, code=EXIT_DEFECT)
    assert "LookupError (lost)" in answer.json["error"]["what"] and "Traceback" not in answer.err
    (log,) = tmp_path.glob("tinyml-defect-*.log")
    assert "LookupError: lost" in log.read_text()
