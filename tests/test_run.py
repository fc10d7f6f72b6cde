"""Run directories: artifacts written whole, staleness found, `latest` followed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tinyml_cli import files, recipes
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import CALIBRATION, MODEL, Run, default_name


def _trained(folder: Path) -> tuple[Run, Manifest]:
    run = Run.create(folder / "runs" / "a")
    manifest = Manifest(task="kws", seed=1)
    files.write_atomic(run.file(MODEL), b"weights")
    run.record(manifest, MODEL, "tinyml train")
    files.write_atomic(run.file(CALIBRATION), b"samples")
    run.record(manifest, CALIBRATION, "tinyml quantize", [MODEL])
    run.save(manifest)
    return run, manifest


def test_manifest_round_trip(tmp_path: Path) -> None:
    run, manifest = _trained(tmp_path)
    assert run.manifest() == manifest


def test_fresh_artifacts_are_accepted(tmp_path: Path) -> None:
    run, manifest = _trained(tmp_path)
    assert run.require(manifest, CALIBRATION) == run.file(CALIBRATION)


def test_an_artifact_of_an_older_input_is_stale(tmp_path: Path) -> None:
    run, manifest = _trained(tmp_path)
    files.write_atomic(run.file(MODEL), b"retrained")
    run.record(manifest, MODEL, "tinyml train")
    with pytest.raises(TinymlError, match="stale") as caught:
        run.require(manifest, CALIBRATION)
    assert "tinyml quantize" in caught.value.next_step


def test_an_artifact_changed_by_hand_is_refused(tmp_path: Path) -> None:
    run, manifest = _trained(tmp_path)
    run.file(MODEL).write_bytes(b"edited")
    with pytest.raises(TinymlError, match="not the file"):
        run.require(manifest, CALIBRATION)


def test_latest_follows_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        with Run.at(Path("runs", name)).making():
            Path("runs", name, "recipe.yaml").touch()
    assert Run.open().path.name == "b"
    assert Run.open("a").path.name == "a"


def test_a_run_elsewhere_leaves_no_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Run.create(tmp_path / "out").make_latest()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_default_name_is_safe() -> None:
    assert default_name("kws", ["ja", "../nein", "a b"]) == "kws-ja-_nein-a_b"


def test_a_failed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model"
    files.write_atomic(path, b"old")
    with pytest.raises(ZeroDivisionError), files.atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        _ = 1 / 0
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model"
    files.write_atomic(path, b"old")
    program = (
        "import sys, time, pathlib; from tinyml_cli.files import atomic_path\n"
        "with atomic_path(pathlib.Path(sys.argv[1])) as t:\n"
        "    t.write_bytes(b'half'); print('writing', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "model"
    files.write_atomic(path, b"old")
    with (
        pytest.raises(TinymlError, match="No space left") as caught,
        files.atomic_path(path),
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        full.write(b"x")
    assert caught.value.where == str(path)
    assert path.read_bytes() == b"old"


def test_write_if_changed_keeps_the_time(tmp_path: Path) -> None:
    path = tmp_path / "a.h"
    assert files.write_if_changed(path, "x")
    os.utime(path, (1, 1))
    assert not files.write_if_changed(path, "x")
    assert path.stat().st_mtime == 1
    assert files.write_if_changed(path, "y")


def test_recipe_precedence(tmp_path: Path) -> None:
    config = tmp_path / "r.yaml"
    config.write_text("words: [up]\ntraining: {epochs: 3}\nseed: 5\n")
    resolved = recipes.resolve("kws", config, ["training.epochs=9"], {"words": ["down"], "seed": None})
    assert resolved.words == ["down"]
    assert resolved.training.epochs == 9
    assert resolved.seed == 5
    saved = tmp_path / "recipe.yaml"
    saved.write_text(resolved.to_yaml())
    assert recipes.load(saved) == resolved
