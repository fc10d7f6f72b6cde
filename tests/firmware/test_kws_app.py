"""The whole keyword spotting application, as a host process and on the virtual board, as a host sees it."""

from __future__ import annotations

import base64
import json
import random
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doubles import fake_run
from tests.firmware.board_tools import require_tools
from tinyml_cli.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.features.audio_frontend import extract
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.link.protocol import Status
from tinyml_cli.link.virtual import qemu_command
from tinyml_cli.tasks.kws.sound_level import SoundLevel

Event = dict[str, Any]


class Device:
    """A firmware in a child process, its serial link on a pipe."""

    def __init__(self, board: str, elf: Path) -> None:
        command = qemu_command(elf) if board == "sim" else [str(elf)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines: list[str] = []

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def command(self, text: str, bulk: bytes | None = None) -> Event:
        """Sends one command; returns its answer, and keeps what came before in `lines`."""
        line = text.encode()
        if bulk is not None:
            line += b" " + base64.b64encode(bulk)
            line += b" %08x" % zlib.crc32(line)
        self.send(line + b"\n")
        return self.wait("ack", "nak", "output", "sensors")

    def wait(self, *events: str) -> Event:
        assert self.process.stdout is not None
        self.lines = []
        while line := self.process.stdout.readline().decode():
            if line.startswith("{"):
                event: Event = json.loads(line)
                if event["event"] in events:
                    return event
            self.lines.append(line.rstrip("\n"))
        raise AssertionError(f"the device ended; it had said {self.lines}")

    def events(self, name: str) -> list[Event]:
        found = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [event for event in found if event["event"] == name]

    def play(self, samples: np.ndarray, first_seq: int = 1) -> list[str]:
        """Feeds int16 samples in lines of 640; returns everything the device said."""
        said = []
        for index, start in enumerate(range(0, len(samples), 640)):
            seq = first_seq + index
            answer = self.command(f"pcm {seq}", samples[start : start + 640].astype("<i2").tobytes())
            assert answer == {"event": "ack", "seq": seq}
            said += self.lines
        self.lines = said
        return said


@pytest.fixture(scope="module", params=["native", "sim"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    board = request.param
    require_tools(board)
    console.quiet = True
    run = fake_run.make(tmp_path_factory.mktemp("app") / "run")
    return board, Path(build.build(run, build_target(board)).elf)


@pytest.fixture
def device(program: tuple[str, Path]) -> Iterator[Device]:
    device = Device(*program)
    try:
        assert device.wait("ready")["board"] == program[0]
        yield device
    finally:
        device.process.kill()
        device.process.wait()


def noise(seconds: float, seed: int, amplitude: int = 8000) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(-amplitude, amplitude, int(seconds * 16000)).astype(np.int16)


def test_info_repeats_the_banner(device: Device) -> None:
    assert device.command("info 7") == {"event": "ack", "seq": 7}
    (ready,) = device.events("ready")
    assert ready["protocol"] == 1
    assert (ready["app"], ready["engine"], ready["model"]) == ("kws", "aot", "0123456789ab")
    assert (ready["input_bytes"], ready["output_bytes"], ready["arena_bytes"]) == (1960, 4, 2048)
    assert ready["sample_rate_hz"] == 16000
    assert (ready["input_type"], ready["output_type"], ready["sensors"]) == ("int8", "int8", [])
    assert ready["labels"] == ["silence", "unknown", 'a "word"', "no"]


def test_features_equal_the_host_s(device: Device) -> None:
    samples = noise(1.5, seed=1)
    expected = extract(samples, AudioFrontendSettings())
    device.command("trace 1 features")
    device.play(samples)
    frames = device.events("features")
    assert [frame["frame"] for frame in frames] == list(range(len(expected)))
    actual = np.array([np.frombuffer(bytes.fromhex(frame["data"]), "<u2") for frame in frames])
    assert np.array_equal(actual, expected)


def test_audio_comes_back_sample_by_sample(device: Device) -> None:
    samples = noise(0.5, seed=3)
    device.command("trace 1 audio")
    device.play(samples[:-7])
    heard = device.events("audio")
    assert [event["sample"] for event in heard] == list(range(0, len(samples) - 7, 640))
    assert {event["overruns"] for event in heard} == {0}
    data = b"".join(base64.b64decode(event["data"], validate=True) for event in heard)
    assert data == samples[:-7].astype("<i2").tobytes()
    device.command("trace 2 off")
    device.play(samples[:640], first_seq=100)
    assert device.events("audio") == []


def test_reset_makes_a_stream_repeatable(device: Device) -> None:
    samples = noise(1.3, seed=2)
    device.command("trace 1 scores")
    first = device.play(samples)
    assert [event["t_ms"] for event in device.events("scores")] == [990, 1090, 1190, 1290]
    assert device.command("reset 2")["event"] == "ack"
    assert device.play(samples) == first


def test_a_word_is_heard_shown_and_put_out(device: Device) -> None:
    loud_then_quiet = np.concatenate([noise(0.6, seed=3), np.zeros(32000, np.int16)])
    said = device.play(loud_then_quiet)
    (detection,) = device.events("detection")
    assert detection["label"] == 'a "word"'
    assert 0.7 <= detection["score"] <= 1
    heard = f'Heard a "word" ({round(100 * detection["score"])}%) @{detection["t_ms"]}ms'
    assert heard in said
    on, off = device.events("led")
    assert (on["r"], on["g"], on["b"], on["t_ms"]) == (0, 255, 0, detection["t_ms"])
    assert (off["r"], off["g"], off["b"]) == (0, 0, 0)
    assert 600 <= off["t_ms"] - on["t_ms"] <= 640


def test_a_repeated_line_is_heard_once(device: Device) -> None:
    device.command("trace 1 features")
    block = noise(0.04, seed=4).tobytes()
    device.command("pcm 5", block)
    assert len(device.events("features")) == 1
    assert device.command("pcm 5", block) == {"event": "ack", "seq": 5}
    assert device.events("features") == []
    device.command("pcm 6", block)
    assert len(device.events("features")) == 2
    for _ in range(2):
        device.command("pcm 0", block)
        assert len(device.events("features")) == 2


def test_one_inference_on_given_input(device: Device, program: tuple[str, Path]) -> None:
    loud = bytes([100]) + bytes(1959)
    for start in range(0, 1960, 700):
        assert device.command(f"in 3 {start}", loud[start : start + 700])["event"] == "ack"
    output = device.command("run 9")
    assert (output["event"], output["seq"], output["data"]) == ("output", 9, "80807f80")
    if program[0] == "sim":
        assert 20 <= output["instructions"] <= 400
    else:
        assert output["instructions"] == 0
    assert 0 <= output["inference_us"] < 1_000_000
    assert device.command("run 9") == output
    assert device.command("in 4 1960", b"1") == {"event": "nak", "seq": 4, "reason": "range"}
    assert device.command("in 4 999999999", b"1") == {"event": "nak", "seq": 4, "reason": "range"}


def test_led_shows_what_the_host_wants(device: Device) -> None:
    """Until the next colour: the time that a detection's colour is held does not end it."""
    assert device.command("led 3 1 2 255") == {"event": "ack", "seq": 3}
    assert device.events("led") == [{"event": "led", "r": 1, "g": 2, "b": 255, "t_ms": 0}]
    device.play(np.zeros(16000, np.int16))
    assert device.events("led") == []


def test_sensors_that_are_not_there_are_left_out(device: Device) -> None:
    assert device.command("sensors 4") == {"event": "sensors", "seq": 4, "imu": "none"}


def test_status_once_a_second(device: Device, program: tuple[str, Path]) -> None:
    if program[0] == "sim":
        pytest.skip("the virtual board's clock stands still while it waits for the host")
    device.command("trace 1 status,scores")
    device.play(noise(1.0, seed=6))
    first = device.events("status") or [device.wait("status")]
    second = device.wait("status")
    assert len(first) == 1 and 900 <= second["uptime_ms"] - first[0]["uptime_ms"] <= 1500
    assert second["inference_us"] < 1_000_000
    assert (second["audio_rms"], second["clipped"], second["overruns"]) == (0, 0, 0)
    # White noise of this RMS: the estimate has come most of the way within a second.
    level = SoundLevel(AudioFrontendSettings())
    level.take(Status(**second))
    rms_dbfs = 20 * np.log10(8000 / np.sqrt(3) / 32768)
    assert level.noise_dbfs == pytest.approx(rms_dbfs, abs=3)


def test_a_model_that_does_not_fit_is_a_fault_and_info_still_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    settings = fake_run.MODEL_SETTINGS_H.replace("_FRAMES 49", "_FRAMES 48")
    monkeypatch.setattr(fake_run, "MODEL_SETTINGS_H", settings)
    console.quiet = True
    built = build.build(fake_run.make(tmp_path / "run"), build_target("native"))
    device = Device("native", Path(built.elf))
    try:
        fault = device.wait("fault")
        assert "input or output does not have the size" in fault["what"]
        assert device.wait("ready")["input_bytes"] == 0
        assert device.command("run 3") == {"event": "nak", "seq": 3, "reason": "command"}
        assert device.command("in 4 0", b"1") == {"event": "nak", "seq": 4, "reason": "command"}
        assert device.play(noise(1.2, seed=7)) == []  # the front end runs, the model does not
        assert device.command("info 5") == {"event": "ack", "seq": 5}
    finally:
        device.process.kill()
        device.process.communicate()


def test_junk_is_refused_and_survived(device: Device) -> None:
    assert device.command("pcm 5 AAAA 00000000") == {"event": "nak", "seq": 5, "reason": "crc"}
    assert device.command("dance 5") == {"event": "nak", "seq": 0, "reason": "command"}
    device.send(b"\n\r\n\n" + b"x" * 6000 + b"\n")
    assert device.wait("ack", "nak") == {"event": "nak", "seq": 0, "reason": "length"}
    junk = random.Random(5).randbytes(3000)
    device.send(junk + b"\n")
    for line in junk.split(b"\n"):
        if line not in (b"", b"\r"):
            assert device.wait("ack", "nak") == {"event": "nak", "seq": 0, "reason": "command"}
    assert device.command("info 8") == {"event": "ack", "seq": 8}
