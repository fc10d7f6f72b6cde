"""A command that is refused or fails leaves the disk as it was: no run, no `latest`, no temporary file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Tinyml
from tests.stages.test_adopt import _dense
from tinyml_cli import locks, registry, temporary
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import CHECKPOINT, MODEL, Run
from tinyml_cli.run_folder import LATEST, latest_path
from tinyml_cli.tasks.kws.task import KeywordSpotting

Tree = dict[str, bytes | str | None]


def tree(root: Path) -> Tree:
    """Every path below a folder: content of files, targets of links, None for folders."""
    return {
        path.relative_to(root).as_posix(): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in sorted(root.rglob("*"))
    }


class _Failing(KeywordSpotting):
    """A task whose training writes something and then fails."""

    error: BaseException = TinymlError("It fails")

    def train(self, run: Run, recipe: Any, resume: bool = False) -> Any:
        write_atomic(run.file("recipe.yaml"), "a: 1\n")
        write_atomic(run.file("logs/train/events"), "x")
        write_atomic(run.file("model.keras"), b"weights")
        raise self.error


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with inputs, an empty $TMPDIR and an empty cache."""
    for name in ("tmp", "cache", "empty", "words/yes"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "m.tflite").write_bytes(_dense())
    (tmp_path / "m.keras").write_bytes(b"PK not a model")
    (tmp_path / "broken.tflite").write_bytes(b"TFL3")
    (tmp_path / "words" / "yes" / "note.txt").write_text("no sound")
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TINYML_RUNS", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(temporary, "keep_to_own_folder", lambda: None)  # until the process ends
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "train kws --words yes,no --data words --model resnet",
        "train kws --words ../../etc,no",
        "train kws --words yes,no --data nowhere",
        "train kws --words yes,no --data words",
        "train kws --words yes,no --data words --run new/deep/run",
        "train kws --words yes,no --set training.epochs=-1",
        "train vww --data empty",
        "train anomaly --data empty",
        "train wand --labels a,b --data empty",
        "pipeline kws --words yes,no --data words --board native",
        "pipeline wand --labels a,b --data empty --board native",
        "convert m.keras --calibration random",
        "convert m.keras --calibration random --run new/run",
        "convert m.tflite",
        "export-c-array broken.tflite",
        "export-c-array m.tflite --engine bogus",
        "build m.tflite --board bogus",
        "flash m.tflite --board bogus",
        "evaluate m.tflite",
        "profile m.tflite --board bogus",
        "bench m.tflite --mode bogus",
        "bench m.tflite",
        "data synth --words yes --engines bogus --out new/speech",
        "data synth --words !! --out new/speech",
        "data import empty --out new/imported",
        "data import nowhere --out new/imported",
        "data download bogus --out new/data",
        "data download speech_commands --mirror empty --out new/data",
        "data build-vww empty --out new/vww",
        "tune bogus --trials 1",
        "compare nowhere --out new/compare",
        "inspect broken.tflite --pictures --out new/pictures",
        "inspect m.tflite --edit --out m.tflite",
        "quantize nowhere --as small",
        "prune nowhere --sparsity 0.5",
        "distill nowhere --teacher m",
        "card nowhere --out new/card.md",
        "monitor nowhere --log new/log.jsonl",
    ],
)
def test_a_refused_command_leaves_nothing(tinyml: Tinyml, place: Path, command: str) -> None:
    before = tree(place)
    tinyml(*command.split(), cwd=place, code=2)
    assert tree(place) == before


def test_a_search_that_trains_nothing_leaves_nothing(
    tinyml: Tinyml, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinyml_cli.tuning import tune

    def work(search: Any, study: Any) -> None:
        study.ask()
        raise TinymlError("It fails")

    monkeypatch.setattr(tune, "work", work)
    before = tree(place)
    tinyml("tune", "kws", "--words", "yes,no", "--trials", "1", cwd=place, code=2)
    assert tree(place) == before


@pytest.mark.parametrize("command", ["train", "pipeline"])
@pytest.mark.parametrize(
    ("error", "code"),
    [(TinymlError("It fails"), 2), (KeyboardInterrupt(), 130), (RuntimeError("Bug in"), 70)],
)
def test_a_training_that_fails_leaves_nothing(
    tinyml: Tinyml,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    error: BaseException,
    code: int,
) -> None:
    monkeypatch.setattr(_Failing, "error", error)
    monkeypatch.setattr(registry, "task", lambda name: _Failing())
    before = tree(place)
    arguments = (command, "kws", "--words", "yes,no", "--run", "new/run", "--quiet")
    tinyml(*arguments, cwd=place, code=code)
    for report in (place / "tmp").glob("tinyml-defect-*.log"):
        report.unlink()
    assert tree(place) == before


_NAMES = st.sampled_from(["model.keras", "manifest.json", "recipe.yaml", "notes.txt", "logs/a", "x/y/z"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    earlier=st.sets(_NAMES),
    written=st.sets(_NAMES),
    has_checkpoint=st.booleans(),
    error=st.sampled_from([TinymlError("no"), OSError(28, "full"), KeyboardInterrupt(), ZeroDivisionError()]),
)
def test_what_was_there_stays_and_what_is_new_goes(
    tmp_path: Path, earlier: set[str], written: set[str], has_checkpoint: bool, error: BaseException
) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as name:
        root = Path(name)
        run = Run(root / "runs" / "a")
        for path in earlier:
            write_atomic(run.file(path), "earlier")
        before = tree(root)

        def work() -> None:
            with run.making():
                for path in written - earlier:
                    write_atomic(run.file(path), "new")
                if has_checkpoint:
                    write_atomic(run.file(CHECKPOINT) / "state.json", "{}")
                raise error

        with pytest.raises(type(error)):
            work()
        after = tree(root)
        assert {path: after.get(path) for path in before} == before
        assert "runs/latest" not in after
        assert not any(Path(path).name.startswith(".") for path in after)
        if has_checkpoint:
            assert all(after[f"runs/a/{path}"] == b"new" for path in written - earlier)
        else:
            tops = {path.split("/")[0] for path in earlier}
            assert {path.split("/")[2] for path in after if path.startswith("runs/a/")} <= tops


def test_latest_moves_when_a_run_was_made_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "runs"))
    first, second = Run(tmp_path / "runs" / "a"), Run(tmp_path / "runs" / "b")
    with first.making():
        write_atomic(first.file(MODEL), b"1")
        assert latest_path(tmp_path / "runs") is None
    with second.making():
        write_atomic(second.file(MODEL), b"2")
        assert latest_path(tmp_path / "runs") == first.path
    assert latest_path(tmp_path / "runs") == second.path
    with second.writing():
        pass
    assert not (tmp_path / "runs" / LATEST / ".lock").exists()


def test_a_variant_that_fails_leaves_the_earlier_one(tmp_path: Path) -> None:
    from tinyml_cli import variants
    from tinyml_cli.outcomes.base import Outcome

    class Made(Outcome):
        run: str

    run = Run.create(tmp_path / "run")
    run.save(Manifest(task="kws", seed=1))

    def make(fails: bool) -> None:
        def work(variant: Run) -> Made:
            write_atomic(variant.file("calibration.npz"), b"samples")
            if whole:  # what is there stays whole until the new one is
                assert {
                    path: data
                    for path, data in tree(tmp_path).items()
                    if "/.tinyml" not in path and Path(path).name not in locks.NAMES
                } == whole
            variant.save(Manifest(task="kws", seed=2))
            if fails:
                raise TinymlError("It fails", str(variant.path))
            return Made(run=str(variant.path))

        assert variants.make(run, "small", work).run == str(run.path / "variants" / "small")

    whole: dict[str, bytes] = {}
    bare = tree(tmp_path)
    with pytest.raises(TinymlError) as refused:
        make(fails=True)
    assert refused.value.where == str(run.path / "variants" / "small")
    assert tree(tmp_path) == bare
    make(fails=False)
    whole = tree(tmp_path)
    with pytest.raises(TinymlError):
        make(fails=True)
    assert tree(tmp_path) == whole


def test_a_bare_model_that_was_of_use_keeps_its_run(tinyml: Tinyml, place: Path) -> None:
    tinyml("export-c-array", "m.tflite", "--engine", "aot", "--quiet", cwd=place, code=0)
    made = tree(place)
    assert "runs/latest" in made
    tinyml("export-c-array", "m.tflite", "--engine", "bogus", cwd=place, code=2)
    assert tree(place) == made
