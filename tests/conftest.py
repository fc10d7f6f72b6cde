"""Fixtures that every test may use."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import other_systems

if system := os.environ.get(other_systems.VARIABLE):
    other_systems.simulate(system)

from tests import store
from tinyml_cli.console import console
from tinyml_cli.run import Run

pytest_plugins = ["tests.doubles.fixtures", "tests.run_fixtures"]

REPOSITORY = Path(__file__).resolve().parent.parent

# Time says how busy the computer is, not whether the code is right.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")

# Modules import TensorFlow while tests are collected, a sixth of which would be looking for garbage.
gc.set_threshold(200_000, 20, 20)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


# Processor time of each is above 8 s; those that share a run stand apart.
_LONGEST = (
    "tests/test_pipeline.py",
    "tests/compression/test_compression.py",
    "tests/training/test_fit.py",
    "tests/tasks/vww/test_vww.py",
    "tests/compression/test_compression_run.py",
    "tests/tasks/kws/test_stream_command.py",
    "tests/tuning/test_tune.py",
    "tests/models/test_bring.py",
    "tests/tasks/anomaly/test_firmware.py",
    "tests/tasks/kws/test_streaming_model.py",
    "tests/tasks/kws/test_kws.py",
    "tests/tasks/anomaly/test_task.py",
    "tests/tasks/wand/test_wand_app.py",
    "tests/training/test_image_fit.py",
    "tests/tasks/kws/test_kws_training.py",
    "tests/training/test_trainer.py",
    "tests/comparison/test_compare.py",
    "tests/drift/test_drift.py",
    "tests/tasks/wand/test_wand_command.py",
    "tests/evaluation/test_evaluate_command.py",
    "tests/build/test_build.py",
    "tests/engines/test_operators.py",
    "tests/examples/test_clap_counter.py",
    "tests/tasks/vww/test_mask.py",
    "tests/profile/test_profile_command.py",
    "tests/conversion/test_converter.py",
    "tests/conversion/test_convert.py",
    "tests/engines/test_aot_host.py",
    "tests/quantization/test_quantize_methods.py",
    "tests/data/test_recordings.py",
    "tests/models/test_speech_models.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is nightly is slow. The longest files first: a worker that began one last would be waited for."""
    for item in items:
        if item.get_closest_marker("nightly"):
            item.add_marker("slow")
    rank = {name: number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: rank.get(item.nodeid.partition("::")[0], len(rank)))


def pytest_collection_finish() -> None:
    """What was imported so far stays: the garbage collector need not look through it again and again."""
    gc.freeze()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Once for all workers."""
    if not hasattr(session.config, "workerinput"):
        store.forget_old()


@pytest.fixture(autouse=True)
def _state_of_the_process() -> Iterator[None]:
    """What a command sets for its process must not reach the next test."""
    yield
    console.json = console.quiet = False
    Run.accepts_partial = False


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data and third-party models; a checkout need not have them."""
    path = Path(os.environ.get("TINYML_SHARED", REPOSITORY.parent / "shared"))
    if not (path / "data").is_dir():
        pytest.skip("no shared test data here (set TINYML_SHARED to a folder with data/ and models/)")
    return path


@dataclass(frozen=True)
class Answer:
    """What the command line answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        lines = [line for line in self.out.splitlines() if line.strip()]
        assert len(lines) == 1, f"expected one line on stdout, got {self.out!r} (stderr: {self.err[-2000:]})"
        return json.loads(lines[0])


Tinyml = Callable[..., Answer]


@pytest.fixture(scope="session")
def tinyml() -> Tinyml:
    """Runs the command line: tinyml("train", "kws", cwd=..., code=0).

    In this process, so that TensorFlow is loaded once; `process=True` takes a process of its own, for what is
    about processes: start-up, imports, a module that must be missing.
    """

    def call(
        *arguments: str | Path,
        cwd: Path,
        code: int | None = 0,
        env: dict[str, str] | None = None,
        process: bool = False,
    ) -> Answer:
        run = _in_a_process if process else _in_this_process
        answer = run([str(argument) for argument in arguments], cwd, env or {})
        if code is not None:
            assert answer.code == code, f"exit {answer.code}\n{answer.out[-3000:]}\n{answer.err[-5000:]}"
        return answer

    return call


def _in_a_process(arguments: list[str], cwd: Path, env: dict[str, str]) -> Answer:
    process = subprocess.run(
        [sys.executable, "-m", "tinyml_cli", *arguments],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        encoding=os.environ.get("PYTHONIOENCODING"),  # what the child was told to write
        timeout=500,
        check=False,
    )
    return Answer(process.returncode, process.stdout, process.stderr)


def _in_this_process(arguments: list[str], cwd: Path, env: dict[str, str]) -> Answer:
    """As `main` runs, with streams that are no terminals; what it sets for the process is taken back."""
    from tinyml_cli.main import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["tinyml", *arguments])
        patch.setattr(sys, "stdin", io.StringIO())
        patch.setattr(console, "json", False)
        patch.setattr(console, "quiet", False)
        patch.setattr("tinyml_cli.run.Run.accepts_partial", False)
        os.chdir(cwd)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main()
                code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            os.chdir(before)
    return Answer(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))
