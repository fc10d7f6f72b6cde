"""However a command ends, none of the processes that it started lives three seconds later."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tinyml_cli.boards.boards import load_board
from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.run import Run

if sys.platform == "win32" or not Path("/proc/self/environ").exists():
    pytest.skip("reads /proc", allow_module_level=True)

# One that is ignored here is ignored by what is started here; a shell does that for Ctrl-C in the background.
SIGNALS = [
    number
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    if signal.getsignal(number) != signal.SIG_IGN
]
RANDOM_KILLS = int(os.environ.get("TINYML_RANDOM_KILLS", "20"))
# Arguments behind `tinyml`, a process that it starts, and how long it takes at most, in seconds.
COMMANDS = {
    "build": (("build", "RUN", "--board", "sim"), "cc1", 20.0),
    "build-native": (("build", "RUN", "--board", "native"), "cc1", 12.0),
    "flash": (("flash", "RUN", "--board", "sim"), "cc1", 20.0),
    "bench": (("bench", "RUN", "--board", "sim"), "cc1", 20.0),
    "profile": (("profile", "RUN"), "cc1", 20.0),
    "monitor": (("monitor", "RUN", "--board", "sim", "--duration", "50"), "qemu-system-arm", 20.0),
    "monitor-native": (("monitor", "RUN", "--board", "native", "--duration", "50"), "firmware.elf", 15.0),
    "speech": (("data", "synth", "--words", "yes,no", "--out", "OUT"), "espeak_worker", 6.0),
    "tune": (
        ("tune", "kws", "--words", "yes,no", "--max-ms", "90", "--workers", "2", "--study", "OUT/study"),
        "--only-work",
        30.0,
    ),
}

BUILD_FIRST = ("build", "build-native", "flash", "bench", "profile")


@pytest.fixture(scope="module")
def built(firmware_run: Run) -> Run:
    """A run whose firmware is there for both virtual boards."""
    for board in ("native", "sim"):
        if not all(need.present for need in load_board(board).needs):
            pytest.skip(f"the board {board} cannot be built here")
        build(firmware_run, build_target(board, "aot"))
    return firmware_run


@pytest.fixture
def cache(built: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, so that compilers run."""
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def family(mark: str) -> dict[int, str]:
    """The command lines of all processes that inherited the mark, by process id; zombies have none."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def wait_for(condition: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@contextmanager
def started(name: str, run: Run, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A running command and the mark of its family."""
    copy, out, mark = folder / "run", folder / "out", f"mark-{secrets.token_hex(8)}"
    build_first = shutil.ignore_patterns("firmware") if name in BUILD_FIRST else None
    shutil.copytree(run.path, copy, ignore=build_first)
    places = {"RUN": str(copy), "OUT": str(out), "OUT/study": str(out / "study")}
    arguments = [places.get(argument, argument) for argument in COMMANDS[name][0]]
    process = subprocess.Popen(
        [sys.executable, "-m", "tinyml_cli", *arguments],
        env={**os.environ, "TINYML_TEST_MARK": mark, "TINYML_RUNS": str(folder / "runs")},
        stdout=subprocess.DEVNULL,
        stderr=(folder / "stderr").open("wb"),
        start_new_session=True,
    )
    try:
        yield process, mark
    finally:
        for pid in family(mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def end(process: subprocess.Popen[bytes], mark: str, how: signal.Signals) -> None:
    """Ends a command, and checks that nothing of it is left."""
    process.send_signal(how)
    process.wait(timeout=10)
    assert wait_for(lambda: not family(mark), 3.0), family(mark)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("build-native", signal.SIGKILL),
        ("build", signal.SIGTERM),
        ("monitor", signal.SIGKILL),
        ("speech", signal.SIGHUP),
    ],
)
def test_nothing_outlives_a_command_that_is_cut_off(
    name: str, how: signal.Signals, cache: Path, built: Run, tmp_path: Path
) -> None:
    with started(name, built, tmp_path) as (process, mark):
        child = COMMANDS[name][1]
        runs = wait_for(
            lambda: process.poll() is not None or any(child in line for line in family(mark).values()), 120.0
        )
        assert runs and process.poll() is None, (tmp_path / "stderr").read_text()
        end(process, mark, how)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_outlives_a_command_that_is_cut_off_at_any_time(
    name: str, cache: Path, built: Run, tmp_path: Path
) -> None:
    rng = random.Random(name)
    for number in range(RANDOM_KILLS):
        (tmp_path / str(number)).mkdir()
        with started(name, built, tmp_path / str(number)) as (process, mark):
            time.sleep(rng.uniform(0.0, COMMANDS[name][2]))
            end(process, mark, rng.choice(SIGNALS))
        shutil.rmtree(tmp_path / str(number))
        if number % 4 == 0:
            shutil.rmtree(cache, ignore_errors=True)  # lest all is built soon
