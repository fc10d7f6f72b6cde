"""Recording: sessions with keys, a real terminal, long recordings, and sound that comes back from a board."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import Tinyml
from tests.corpus import whistle
from tests.doubles import fake_run
from tinyml_cli.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.collect.record_session import Recorder, WordPlan
from tinyml_cli.collect.record_source import BoardSource, WavSource
from tinyml_cli.collect.record_view import RecordView
from tinyml_cli.console import console
from tinyml_cli.data.speakers import speaker_id
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.protocol import Audio, Ready

RATE_HZ = 16_000
_MICROPHONE = Path(__file__).parent / "microphone"
RECORD = ("data", "record", "words")


def _takes(path: Path, words: list[str | None], seconds: float = 2.0, rate_hz: int = RATE_HZ) -> Path:
    """A file of takes: a whistle in the middle of each, or nothing but faint noise."""
    pieces = []
    for index, word in enumerate(words):
        take = np.random.default_rng(index).normal(0, 30, int(seconds * rate_hz))
        if word is not None:
            sound = whistle(word, index, 0)
            begin = (len(take) - len(sound)) // 2
            take[begin : begin + len(sound)] += sound
        pieces.append(take)
    soundfile.write(path, np.concatenate(pieces).astype(np.int16), rate_hz)
    return path


class _Typed:
    """Keys typed in advance."""

    def __init__(self, keys: str) -> None:
        self._keys = iter(keys)

    def read(self, timeout_s: float | None = None) -> str:
        return "" if timeout_s is not None else next(self._keys)

    def flush(self) -> None:
        pass


def _plan(folder: Path, words: tuple[str, ...] = ("up",), count: int = 2, **changed: object) -> WordPlan:
    return WordPlan(words, "anna", folder, count, countdown_s=0.0, **changed)  # type: ignore[arg-type]


def _recorder(plan: WordPlan, takes: Path, keys: str) -> Recorder:
    return Recorder(plan, WavSource(takes, RATE_HZ), RecordView(lambda _: None, "test"), _Typed(keys))


def test_keeps_rejects_repeats_and_quits(tmp_path: Path) -> None:
    takes = _takes(tmp_path / "takes.wav", ["up", "up", None, "up", "up"])
    # Keeps the first; repeats the second, whose repetition is silent; keeps that; drops the last.
    outcome = _recorder(_plan(tmp_path / "rec", count=4), takes, "\n\n\na\n\n\nq").run()
    assert (outcome.kept, outcome.rejected, outcome.quit) == ({"up": 2}, {"up": 3}, True)
    paths = sorted((tmp_path / "rec" / "up").iterdir())
    assert [path.name for path in paths] == ["anna_nohash_0.wav", "anna_nohash_1.wav"]
    for path in paths:
        audio, rate_hz = soundfile.read(path, dtype="int16")
        assert (rate_hz, len(audio)) == (RATE_HZ, RATE_HZ)
        loud = np.flatnonzero(np.abs(audio) > 2_000)
        assert abs((loud[0] + loud[-1]) / 2 - RATE_HZ / 2) < 0.1 * RATE_HZ


def test_goes_on_where_it_stopped_and_overwrites_nothing(tmp_path: Path) -> None:
    takes = _takes(tmp_path / "takes.wav", ["up"] * 6)
    _recorder(_plan(tmp_path / "rec"), takes, "\n\nq").run()
    first = (tmp_path / "rec/up/anna_nohash_0.wav").read_bytes()
    (tmp_path / "rec/up/ben_nohash_0.wav").write_bytes(first)
    outcome = _recorder(_plan(tmp_path / "rec"), takes, "\n\n").run()
    assert outcome.kept == {"up": 1} and not outcome.quit
    assert (tmp_path / "rec/up/anna_nohash_0.wav").read_bytes() == first
    assert _plan(tmp_path / "rec").missing() == 0 and len(list((tmp_path / "rec/up").iterdir())) == 3


def test_words_in_turn_skips_and_keeping_unasked(tmp_path: Path) -> None:
    takes = _takes(tmp_path / "takes.wav", ["up"] * 8)
    plan = _plan(tmp_path / "rec", ("up", "down"), 3, keep_good=True)
    assert _recorder(plan, takes, "\n").run().kept == {"up": 3, "down": 3}
    plan = _plan(tmp_path / "other", ("up", "down"), 2)
    outcome = _recorder(plan, takes, "s\n\n\n\n").run()
    assert sorted(outcome.kept.values()) == [0, 2]


def test_a_broken_source_keeps_what_was_kept(tmp_path: Path) -> None:
    takes = _takes(tmp_path / "takes.wav", ["up"])
    with pytest.raises(TinymlError, match="has ended"):
        _recorder(_plan(tmp_path / "rec"), takes, "\n\n\n").run()
    assert len(list((tmp_path / "rec/up").iterdir())) == 1


def test_a_long_recording_is_cut(tinyml: Tinyml, tmp_path: Path) -> None:
    _takes(tmp_path / "long.wav", ["up", None, "up", "up", "up"], seconds=1.4)
    command = (*RECORD, "--words", "up", "--speaker", "Ann A.", "--from-wav", "long.wav", "--json")
    document = tinyml(*command, cwd=tmp_path).json
    assert (document["n"], document["complete"], document["speaker"]) == (4, False, "Ann-A")
    assert tinyml(*command, "--count", "5", cwd=tmp_path).json["n"] == 1
    paths = sorted((tmp_path / "recordings/up").iterdir())
    assert len(paths) == 5
    peaks = [np.argmax(np.abs(soundfile.read(path)[0])) / RATE_HZ for path in paths]
    assert all(0.2 < peak < 0.8 for peak in peaks)
    answer = tinyml(*command[:4], "up,down", *command[5:], cwd=tmp_path, code=2)
    assert "single word" in answer.json["error"]["what"]


@pytest.fixture(scope="module")
def native_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose firmware is a process of this computer."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    console.quiet = True
    run = fake_run.make(tmp_path_factory.mktemp("board") / "run")
    build.build(run, build_target("native"))
    return run.path


def test_through_a_board_the_clips_are_the_same(tinyml: Tinyml, tmp_path: Path, native_run: Path) -> None:
    _takes(tmp_path / "long.wav", ["up", "up"], seconds=1.4)
    command = (*RECORD, "--words", "up", "--speaker", "anna", "--from-wav", "long.wav", "--json")
    tinyml(*command, "--out", "file", cwd=tmp_path)
    board = ("--board", "native", "--run", native_run)
    document = tinyml(*command, *board, "--out", "board", cwd=tmp_path).json
    assert document["source"] == "long.wav through native" and document["n"] == 2
    for name in ("anna_nohash_0.wav", "anna_nohash_1.wav"):
        assert (tmp_path / "board/up" / name).read_bytes() == (tmp_path / "file/up" / name).read_bytes()
    # A board without a microphone cannot be asked to listen, and that needs a terminal anyway.
    answer = tinyml(*command[:6], "anna", *board, "--json", cwd=tmp_path, code=2)
    assert "terminal" in answer.json["error"]["what"]


class _Terminal:
    """`tinyml` in a pseudo terminal."""

    def __init__(self, arguments: list[str], cwd: Path, environment: dict[str, str]) -> None:
        import pty

        self.text = ""
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.environ.update({"TERM": "xterm", "COLUMNS": "100", "LINES": "30", **environment})
            os.execv(sys.executable, [sys.executable, "-m", "tinyml_cli", *arguments])

    def wait_for(self, text: str, timeout_s: float = 20.0) -> None:
        """Reads until the terminal has shown a text that was not there before."""
        import select

        deadline = time.monotonic() + timeout_s
        start = len(self.text)
        while text not in self.text[start:]:
            assert time.monotonic() < deadline, self.text[-3000:]
            if select.select([self._descriptor], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self._descriptor, 65_536).decode(errors="replace")
                except OSError:
                    break
        assert text in self.text[start:], self.text[-3000:]

    def press(self, key: str) -> None:
        os.write(self._descriptor, key.encode())

    def end(self) -> int:
        try:
            while data := os.read(self._descriptor, 65_536):
                self.text += data.decode(errors="replace")
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def microphone(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a computer whose microphone hears whistles at 48 kHz."""
    slow = _takes(tmp_path / "slow.wav", ["up", "up", None, "up"])
    audio, _ = soundfile.read(slow)
    positions = np.arange(3 * len(audio)) / 3
    fast = np.interp(positions, np.arange(len(audio)), audio)
    soundfile.write(tmp_path / "mic.wav", fast, 48_000, subtype="PCM_16")
    yield {"PYTHONPATH": str(_MICROPHONE), "FAKE_MICROPHONE": str(tmp_path / "mic.wav")}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_in_a_terminal(tmp_path: Path, microphone: dict[str, str]) -> None:
    options = [*RECORD, "--words", "up", "--speaker", "anna", "--count=3", "--countdown=0.3"]
    terminal = _Terminal(options, tmp_path, microphone)
    terminal.wait_for("Enter records")
    assert "Test Microphone" in terminal.text and "clip 1 of 3" in terminal.text
    terminal.press("\n")
    terminal.wait_for("above the background")
    terminal.press("k")
    terminal.wait_for("clip 2 of 3")
    terminal.press("\n")
    terminal.wait_for("above the background")
    terminal.press("\n")
    terminal.wait_for("clip 3 of 3")
    terminal.press("\n")
    terminal.wait_for("no word is louder")
    terminal.press("q")
    assert terminal.end() == 0
    assert "Run the same command to continue" in terminal.text
    assert len(list((tmp_path / "recordings/up").iterdir())) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_interrupted_the_terminal_is_put_back(tmp_path: Path, microphone: dict[str, str]) -> None:
    options = [*RECORD, "--words", "up", "--speaker", "anna"]
    terminal = _Terminal(options, tmp_path, microphone)
    terminal.wait_for("Enter records")
    terminal.press("\x03")
    assert terminal.end() == 130
    # As one line, though the terminal is narrower: it can be copied.
    assert f"its clips are kept. To resume: tinyml {' '.join(options)}\r\n" in terminal.text
    assert "\x1b[?25h" in terminal.text  # the cursor is back


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_no_microphone_and_no_package(tmp_path: Path) -> None:
    options = [*RECORD, "--words", "up", "--speaker", "anna", "--json"]
    environment = {"PYTHONPATH": str(_MICROPHONE), "FAKE_MICROPHONE": "none"}
    terminal = _Terminal(options, tmp_path, environment)
    assert terminal.end() == 2
    error = json.loads(next(line for line in terminal.text.splitlines() if line.startswith('{"error"')))
    assert "Error querying device" in error["error"]["what"]
    (tmp_path / "broken").mkdir()
    for content, what in [
        ("raise ImportError('no')", "needs the package"),
        ("raise OSError('PortAudio library not found')", "apt install libportaudio2"),
    ]:
        (tmp_path / "broken" / "sounddevice.py").write_text(content)
        terminal = _Terminal(options, tmp_path, {"PYTHONPATH": str(tmp_path / "broken")})
        assert terminal.end() == 2
        assert what in terminal.text.replace("\r\n", "")


def test_without_a_terminal(tinyml: Tinyml, tmp_path: Path) -> None:
    answer = tinyml(*RECORD, "--words", "up", "--speaker", "a", "--json", cwd=tmp_path, code=2)
    assert "--from-wav" in answer.json["error"]["next_step"]


@pytest.mark.parametrize(("name", "expected"), [("Ann A.", "Ann-A"), ("../x/y", "x-y"), ("Zoë", "Zoë")])
def test_names_of_speakers(name: str, expected: str) -> None:
    assert speaker_id(name) == expected
    for useless in ("..", " ", "a_nohash_1", "x" * 81):
        with pytest.raises(TinymlError, match="valid speaker name"):
            speaker_id(useless)


class _LossyLink:
    """A link whose board loses something in the middle of a take."""

    url = "test"

    def __init__(self, samples: list[int], overruns: list[int]) -> None:
        self._events = [
            Audio(sample=sample, overruns=lost, data=bytes(3_200))
            for sample, lost in zip(samples, overruns, strict=True)
        ]

    def reset(self) -> None:
        pass

    def trace(self, *modes: str) -> None:
        pass

    def take_events(self) -> list[Audio]:
        return []

    def events(self, duration_s: float) -> Iterator[Audio]:
        yield from self._events


@pytest.mark.parametrize(
    ("samples", "overruns", "whole"),
    [
        ([0, 1_600, 3_200], [5, 5, 5], True),
        ([0, 1_600, 4_800], [0, 0, 0], False),
        ([0, 1_600], [0, 1], False),
    ],
)
def test_a_take_with_losses_is_refused(samples: list[int], overruns: list[int], whole: bool) -> None:
    ready = Ready(
        protocol=1, tinyml="0", app="kws", board="nano33ble", engine="aot", model="", sensors=["microphone"]
    )
    source = BoardSource(_LossyLink(samples, overruns), ready)  # type: ignore[arg-type]
    if whole:
        assert len(source.record(0.3, lambda block: None)) == 4_800
    else:
        with pytest.raises(TinymlError, match="were lost"):
            source.record(0.3, lambda block: None)
