"""The monitor in a terminal: what is drawn, and that the terminal is left as it was."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.doubles.reference_device import LABELS
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Artifact, Quantization, TensorQuantization
from tinyml_cli.run import MODEL_INT8, Run

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are POSIX", allow_module_level=True)

import pty
import termios

from tinyml_cli.monitor.live import probabilities_of
from tinyml_cli.monitor.views import duration, level_dbfs

pytestmark = pytest.mark.serial

SOFTMAX = TensorQuantization(scale=1 / 256, zero_point=-128)
HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"


@pytest.fixture
def run(tmp_path: Path, native_double: Callable[..., Path]) -> Run:
    """A run whose firmware for `native` is a protocol test double."""
    run = Run.create(tmp_path / "run")
    manifest = Manifest(task="kws", seed=1, labels=LABELS)
    manifest.quantization = Quantization(method="ptq", calibration_samples=1, output=SOFTMAX)
    manifest.artifacts[MODEL_INT8] = Artifact(sha256="0123456789ab" + "0" * 52, bytes=1, made_by="test")
    run.save(manifest)
    native_double(to=run.path / "firmware" / "native" / "firmware.elf")
    return run


class Terminal:
    """A command in a pseudo-terminal of 100 x 30 characters."""

    def __init__(self, *arguments: str | Path) -> None:
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (30, 100))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tinyml_cli", *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color"},
        )
        self.seen = b""

    def read_until(self, text: bytes, timeout_s: float = 30.0) -> None:
        deadline = time.monotonic() + timeout_s
        while text not in self.seen and time.monotonic() < deadline:
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65_536)
        assert text in self.seen, self.seen.decode(errors="replace")

    def end(self) -> int:
        """Waits for the command; its exit code."""
        code = self.process.wait(timeout=30)
        while select.select([self.master], [], [], 0.2)[0]:
            self.seen += os.read(self.master, 65_536)
        return code


def plain(output: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.decode())


def test_scores_and_state_are_drawn_below_what_was_heard(run: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", np.full(8000, 8000, np.int16), 16_000)
    terminal = Terminal("monitor", run.path, "--board", "native", "--replay", tmp_path / "loud.wav")
    assert terminal.end() == 0
    screen = plain(terminal.seen)
    assert "Heard yes (94%) @1040ms" in screen
    assert re.search(r"yes +━+ +100%", screen), screen
    assert "inference 62.5 ms (host)" in screen and "-40 dBFS" in screen and "overruns 1" in screen
    assert "1 detection in" in screen.rstrip().splitlines()[-1]


def test_ctrl_c_leaves_the_terminal_clean(run: Run) -> None:
    terminal = Terminal("monitor", run.path, "--board", "native")
    terminal.read_until(HIDE_CURSOR)
    terminal.read_until(b"no status yet")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == 0
    assert terminal.seen.rindex(SHOW_CURSOR) > terminal.seen.rindex(HIDE_CURSOR)
    assert termios.tcgetattr(terminal.slave) == terminal.before
    assert "0 detections in" in plain(terminal.seen)


def test_probabilities() -> None:
    scores = [-128, 0, 127]
    assert probabilities_of(scores, SOFTMAX, 3) == [0.0, 0.5, 255 / 256]
    assert probabilities_of(scores, SOFTMAX, 2) == [0.0, 0.0]
    assert probabilities_of(None, SOFTMAX, 2) == [0.0, 0.0]


def test_levels_and_durations() -> None:
    assert round(level_dbfs(32_768)) == 0
    assert round(level_dbfs(327)) == -40
    assert level_dbfs(0) == -60
    assert (duration(0), duration(3_723_999)) == ("0:00:00", "1:02:03")
