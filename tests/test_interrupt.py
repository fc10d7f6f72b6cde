"""A signal ends a command in time, with its exit code, and the command says what it kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tinyml_cli import interrupt, recipes, registry
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Epochs
from tinyml_cli.outcomes.stages import Trained
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.run import CHECKPOINT, MANIFEST, RECIPE, Run
from tinyml_cli.stages import common as stages
from tinyml_cli.tasks.kws.task import KeywordSpotting
from tinyml_cli.training.checkpoint import Checkpoint, Resume, TrainingProgress

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="sends signals to a child process")
CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}

# Each ends by itself only after a minute; the last one holds the main thread in a system call.
BUSY = {
    "sleeps": "import time; time.sleep(60)",
    "computes": "while True: pass",
    "waits for a thread": (
        "import concurrent.futures, time\n"
        "with concurrent.futures.ThreadPoolExecutor(1) as pool:\n    pool.submit(time.sleep, 60)"
    ),
    "writes a file": (
        "import contextlib, pathlib, time\n"
        "from tinyml_cli.files import atomic_path\n"
        "with atomic_path(pathlib.Path('out.bin')):\n    time.sleep(60)"
    ),
    "is in native code": (
        "import pathlib, re\n"
        "from tinyml_cli.files import atomic_path\n"
        "with atomic_path(pathlib.Path('out.bin')):\n    import ctypes; ctypes.CDLL(None).sleep(60)"
    ),
}
# How a library's C++ calls Python: what is raised there ends the process with SIGABRT.
CALLED_BY_NATIVE_CODE = """
import ctypes, os, time
from tinyml_cli.silence import silenced
call = ctypes.CFUNCTYPE(None)
def work():
    try:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            pass
    except BaseException:
        os.abort()
with silenced():
    call(work)()
time.sleep(60)
"""
BUSY["is called by native code"] = CALLED_BY_NATIVE_CODE
BUSY["is called by TensorFlow"] = CALLED_BY_NATIVE_CODE.replace(
    "with silenced():",
    'work = type(work)(work.__code__, globals() | {"__name__": "tensorflow.python"})\nif True:',
)
HARNESS = """
import sys
from tinyml_cli import interrupt, main
def app(**_):
    print("ready", flush=True)
    exec(sys.argv[1], {})
main.app = app
main.main(is_last=True)
"""


@POSIX
@pytest.mark.parametrize("work", BUSY)
@pytest.mark.parametrize("name", CODES)
def test_a_signal_ends_whatever_a_command_is_doing(work: str, name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HARNESS, BUSY[work]]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        sent = time.monotonic()
        process.send_signal(getattr(signal, name))
        _, err = process.communicate(timeout=30)
        # Two seconds are promised; the rest is for a machine that runs other tests meanwhile.
        assert time.monotonic() - sent < 2 + 2
    assert process.returncode == CODES[name]
    assert err.count("Stopped by") == 1 and "To run it again: tinyml " in err and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


_MAKING = """
import ctypes, os, signal, threading
from pathlib import Path
from tinyml_cli import interrupt, temporary
from tinyml_cli.files import atomic_path
from tinyml_cli.run import Run
mutex, native = ctypes.create_string_buffer(128), ctypes.CDLL(None)
native.pthread_mutex_init(mutex, None)
native.pthread_mutex_lock(mutex)
with interrupt.listening():
    temporary.keep_to_own_folder()
    run = Run.at(Path("runs/x"))
    with run.making(), atomic_path(run.file("logs/model.keras")) as made, temporary.folder("convert"):
        made.write_bytes(b"half")
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        native.pthread_mutex_lock(mutex)  # waits for ever, and no signal ends it
"""


@POSIX
@pytest.mark.parametrize("name", CODES)
def test_a_signal_while_the_commands_are_loaded(name: str, tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)")
    search = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    with subprocess.Popen(
        [sys.executable, "-m", "tinyml_cli"],
        env={**os.environ, "PYTHONPATH": search},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.send_signal(getattr(signal, name))
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (CODES[name], "")


@POSIX
def test_a_process_that_cannot_unwind_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    process = subprocess.run(
        [sys.executable, "-c", _MAKING],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        check=False,
        timeout=60,
    )
    assert process.returncode == 143
    assert [path.name for path in tmp_path.rglob("*")] == ["tmp"]


@POSIX
def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """As under `nohup`."""
    code = "import time; time.sleep(1.5)"
    command = [sys.executable, "-c", HARNESS, code]
    ignoring = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
    ignoring += f"os.execv(sys.executable, {command!r})"
    with subprocess.Popen([sys.executable, "-c", ignoring], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGHUP)
        assert process.wait(30) == 0


@POSIX
@pytest.mark.parametrize("name", CODES)
def test_a_signal_after_the_work_changes_nothing(name: str) -> None:
    """While the interpreter takes its libraries down."""
    code = "import atexit, time; atexit.register(time.sleep, 1); atexit.register(print, 'done', flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert [process.stdout.readline() for _ in range(2)] == ["ready\n", "done\n"]
        process.send_signal(getattr(signal, name))
        assert process.wait(30) == 0 and process.stderr.read() == ""


@POSIX
def test_with_json_the_reason_is_an_object(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, BUSY["sleeps"], "--json"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    error = json.loads(out)["error"]
    assert "Stopped by SIGTERM" in error["what"] and "--json" not in error["next_step"]


def test_the_innermost_account_is_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    def say(what: str) -> interrupt.Account:
        return lambda: TinymlError(what)

    with (
        pytest.raises(KeyboardInterrupt),
        interrupt.account(say("the pipeline")),
        interrupt.account(say("the training")),
    ):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "the training.\n"
    with pytest.raises(KeyboardInterrupt), interrupt.account(say("another")):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "another.\n"


class Patterns(KeywordSpotting):
    """A task whose training takes `stop` epochs and is stopped then."""

    def __init__(self, stop: int) -> None:
        self.stop = stop

    def train(self, run: Run, recipe: BaseRecipe, resume: Resume | bool = False) -> Trained:
        if self.stop:
            progress = TrainingProgress("print", epochs=30, epochs_done=self.stop)
            write_atomic(run.file(CHECKPOINT) / "state.json", json.dumps(vars(progress)))
            write_atomic(run.file(CHECKPOINT) / f"last-{self.stop:04d}.npz", "its weights")
        raise KeyboardInterrupt


@pytest.fixture
def recipe() -> BaseRecipe:
    return recipes.resolve("kws", None, [], {"words": ["yes"]})


def stop_after(epochs: int, run: Run, recipe: BaseRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "task", lambda name: Patterns(epochs))
    with pytest.raises(KeyboardInterrupt):
        stages.train(run, recipe)


def test_a_stopped_training_is_refused_unless_it_is_accepted(
    tmp_path: Path, recipe: BaseRecipe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path / "run")
    stop_after(12, run, recipe, monkeypatch)
    assert "after epoch 12 of 30, which is kept" in capsys.readouterr().err
    with pytest.raises(TinymlError, match="12 of 30") as caught:
        run.manifest()
    assert "--resume" in caught.value.next_step
    assert not stages.is_trained(run, recipe)
    manifest = run.manifest(partial=True)
    assert not manifest.complete and manifest.epochs == Epochs(done=12, planned=30)
    monkeypatch.setattr(Run, "accepts_partial", True)
    assert run.manifest() == manifest


def test_a_training_that_was_killed_is_refused_too(
    tmp_path: Path, recipe: BaseRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path / "run")
    stop_after(12, run, recipe, monkeypatch)
    run.file(MANIFEST).unlink()  # SIGKILL leaves no time for it
    with pytest.raises(TinymlError, match="12 of 30"):
        run.manifest()


def test_before_the_first_epoch_nothing_is_kept(
    tmp_path: Path, recipe: BaseRecipe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path / "run")
    stop_after(0, run, recipe, monkeypatch)
    assert "nothing is kept" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_whole_model_outlives_a_later_training_that_is_stopped(
    tmp_path: Path, recipe: BaseRecipe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path / "run")
    whole = Manifest(task="kws", seed=1)
    run.save(whole)
    write_atomic(run.file(RECIPE), "task: kws\n")
    stop_after(3, run, recipe, monkeypatch)
    assert "the model of an earlier training is unchanged" in capsys.readouterr().err
    assert run.manifest() == whole
    assert run.file(RECIPE).read_text() == "task: kws\n"
    Run.open(run.path)
    assert "a later training of" in capsys.readouterr().err


def test_resume_without_a_checkpoint_is_refused_before_any_work(tmp_path: Path, recipe: BaseRecipe) -> None:
    with pytest.raises(TinymlError, match="No interrupted training"):
        stages.train(Run(tmp_path / "run"), recipe, resume=True)
    assert not (tmp_path / "run").exists()


def test_a_damaged_checkpoint_stops_only_who_asks_for_it(tmp_path: Path) -> None:
    write_atomic(tmp_path / "state.json", "{")
    checkpoint = Checkpoint(tmp_path)
    for resume in (True, Resume.MUST, Resume.AS_IT_IS):
        with pytest.raises(TinymlError, match="damaged"):
            checkpoint.begin("print", 5, resume)
    for resume in (Resume.IF_SAVED, Resume.NEVER):
        write_atomic(tmp_path / "state.json", "{")
        assert checkpoint.begin("print", 5, resume) == (TrainingProgress("print", 5), False)
        assert not (tmp_path / "state.json").exists()


def test_old_manifests_are_complete(tmp_path: Path) -> None:
    document = json.loads(Manifest(task="kws", seed=1).model_dump_json())
    del document["complete"], document["epochs"]
    (tmp_path / MANIFEST).write_text(json.dumps(document))
    assert Run(tmp_path).manifest().complete


def test_the_command_is_quoted_for_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["tinyml", "train", "kws", "--run", "my runs/a;b"])
    if os.name != "nt":
        assert interrupt.same_command("--resume") == "tinyml train kws --run 'my runs/a;b' --resume"
