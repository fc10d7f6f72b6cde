"""One writer at a time: the second is told who the first is, a dead one's lock is taken over."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tinyml_cli import locks
from tinyml_cli.console import console
from tinyml_cli.data.clip_files import wav_bytes
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic, writing_folder
from tinyml_cli.locks import locked
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MANIFEST, Run

_HOLD = """
import sys, time
from pathlib import Path
from tinyml_cli.locks import locked
sys.argv = ["tinyml", "train", "kws", "--words", "yes,no"]
with locked(Path({path!r}), "run"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _other_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD.format(path=str(path))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        if process.stdin is not None and not process.stdin.closed:
            process.stdin.close()
        process.wait(10)


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    run.save(Manifest(task="kws", seed=1))
    with _other_process(run.path) as other:
        started = time.monotonic()
        with pytest.raises(TinymlError, match=f"process {other.pid} .*tinyml train kws --words yes,no"):
            run.save(Manifest(task="kws", seed=2))
        assert time.monotonic() - started < 2
        assert run.manifest().seed == 1
        assert Run.open(run.path).is_fresh(run.manifest(), "model.keras") is False


@pytest.mark.parametrize(
    "command", [("quantize",), ("convert",), ("prune",), ("cluster",), ("distill", "--teacher", "RUN")]
)
def test_a_second_writer_is_refused_before_tensorflow_is_loaded(
    tinyml: Tinyml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)  # importing it would fail
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    run = Run.create(tmp_path / "run")
    run.save(Manifest(task="kws", seed=1))
    name, *rest = [str(run.path) if part == "RUN" else part for part in command]
    with _other_process(run.path) as other:
        answer = tinyml(name, run.path, *rest, cwd=tmp_path, code=2)
        assert f"in use: process {other.pid}" in answer.err


COCO = {
    "categories": [{"id": 1, "name": "person"}],
    "images": [{"id": 1, "file_name": "1.jpg", "width": 200, "height": 100}],
    "annotations": [],
}
WRITERS_OF_DATA = {
    "fix": ("data", "check", "FOLDER", "--fix"),
    "undo": ("data", "check", "FOLDER", "--undo"),
    "import": ("data", "import", "source", "--out", "FOLDER"),
    "split": ("data", "record", "words", "--words=yes", "--speaker=a", "--from-wav=a.wav", "--out=FOLDER"),
    "build": ("data", "build-vww", "--coco", "coco", "--out", "FOLDER"),
}


@pytest.mark.parametrize("name", WRITERS_OF_DATA)
def test_a_data_folder_has_one_writer(tinyml: Tinyml, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    (folder / "train").mkdir(parents=True)
    (tmp_path / "source").mkdir()
    (tmp_path / "data-quarantine").mkdir()
    (tmp_path / "data-quarantine" / "moved.jsonl").touch()
    write_atomic(tmp_path / "a.wav", wav_bytes(np.zeros(16_000, np.int16), 16_000))
    write_atomic(tmp_path / "coco" / "instances_train2017.json", json.dumps(COCO))
    (tmp_path / "coco" / "1.jpg").touch()
    arguments = [part.replace("FOLDER", str(folder)) for part in WRITERS_OF_DATA[name]]
    before = sorted(path for path in folder.rglob("*"))
    with _other_process(folder) as other:
        held = sorted(path for path in folder.rglob("*"))
        answer = tinyml(*arguments, cwd=tmp_path, code=2)
        assert f"data folder is in use: process {other.pid}" in answer.err
        assert sorted(path for path in folder.rglob("*")) == held
    assert sorted(path for path in folder.rglob("*")) == before


def test_what_a_killed_writer_left_in_a_data_folder_goes(tmp_path: Path) -> None:
    left = tmp_path / "data" / "yes" / ".tinyml-part-999999999-abcdefgh.wav"
    left.parent.mkdir(parents=True)
    left.touch()
    with writing_folder(tmp_path / "data"):
        assert not left.exists()


def test_a_data_folder_that_stays_empty_is_not_left(tmp_path: Path) -> None:
    with writing_folder(tmp_path / "new" / "data"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    with _other_process(tmp_path) as other:
        other.kill()
        other.wait()
        assert json.loads((tmp_path / ".lock.json").read_text())["pid"] == other.pid
        with locked(tmp_path, "run"):
            assert locks.holder_of(tmp_path) == locks.Holder(os.getpid(), locks._command())
    assert list(tmp_path.iterdir()) == []


def test_a_cache_waits_and_says_for_whom(tmp_path: Path) -> None:
    path = tmp_path / "clips.npz"
    with _other_process(path) as other:
        told: list[str] = []

        def tell(text: str) -> None:
            told.append(text)
            assert other.stdin is not None
            other.stdin.close()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(console, "info", tell)
            with locked(path, "synthetic speech", wait=True):
                assert other.wait(5) == 0
        assert told == [
            f"Waiting for process {other.pid} (`tinyml train kws --words yes,no`), which is writing the "
            "synthetic speech."
        ]
    assert list(tmp_path.iterdir()) == []


def test_variants_share_the_lock_of_their_run(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    run.save(Manifest(task="kws", seed=1))
    with _other_process(run.path), pytest.raises(TinymlError, match="in use"):
        Run(run.path / "variants" / "small").save(Manifest(task="kws", seed=1))
    assert sorted(path.name for path in run.path.iterdir()) == [MANIFEST]


@pytest.mark.parametrize(
    "command", [("tune", "wand", "--trials", "1", "--run", "RUN"), ("drift", "RUN", "log.jsonl")]
)
def test_what_is_written_in_the_end_is_asked_for_at_the_start(
    tinyml: Tinyml, tmp_path: Path, command: tuple[str, ...]
) -> None:
    run = Run.create(tmp_path / "run")
    run.save(Manifest(task="wand", seed=1))
    (tmp_path / "log.jsonl").touch()
    with _other_process(run.path) as other:
        arguments = [str(run.path) if part == "RUN" else part for part in command]
        assert f"in use: process {other.pid}" in tinyml(*arguments, cwd=tmp_path, code=2).err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "run"]


def test_a_picture_is_locked_where_it_lies_in_the_run(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    with _other_process(run.path):
        with pytest.raises(TinymlError, match="in use"), run.writing_to(run.file("report/a.png")):
            pass
        with run.writing_to(tmp_path / "a.png"):
            pass


def test_a_lock_may_be_taken_again_inside(tmp_path: Path) -> None:
    with locked(tmp_path, "run"), locked(tmp_path, "run"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    """Each waits, reads a number, writes the next: without mutual exclusion some are lost."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom tinyml_cli.locks import locked\n"
        "path = Path(sys.argv[1])\n"
        "for _ in range(25):\n"
        "    with locked(path.parent, 'number', wait=True):\n"
        "        path.write_text(str(int(path.read_text()) + 1))\n"
    )
    path = tmp_path / "number"
    path.write_text("0")
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path)]) for _ in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    assert path.read_text() == "100"


def _remove(folder: Path) -> None:
    shutil.rmtree(folder)


def _rename(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def _replace(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be removed there")
@pytest.mark.parametrize("harm", [_remove, _rename, _replace])
@pytest.mark.parametrize("writes_again", [True, False])
def test_a_folder_that_vanishes_is_not_made_again(
    tmp_path: Path, harm: Callable[[Path], None], writes_again: bool
) -> None:
    run = Run.at(tmp_path / "runs" / "a")

    def work() -> None:
        with run.making():
            write_atomic(run.file("logs/first"), "1")
            harm(run.path)
            if writes_again:
                write_atomic(run.file("logs/second"), "2")

    with pytest.raises(TinymlError, match="was removed or renamed"):
        work()
    assert not run.file("logs").exists()
    assert not (tmp_path / "runs" / "latest").is_symlink()


def test_a_file_system_without_locks_is_named_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import errno

    import filelock

    def acquire(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    for name in ("a", "b"):
        run = Run.create(tmp_path / name)
        run.save(Manifest(task="kws", seed=1))
        assert run.manifest().seed == 1
    assert capsys.readouterr().err.count("does not support locks") == 1
