"""A virtual board hears and sees by this computer's microphone and camera, both played from files."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.conftest import Tinyml
from tests.corpus import RATE_HZ, whistle
from tests.doubles import looking_run
from tests.firmware.board_tools import require_tools
from tinyml_cli.data.resample import resample
from tinyml_cli.features.image import pack_frame
from tinyml_cli.link.protocol import Event, Gate
from tinyml_cli.monitor import live_feed
from tinyml_cli.senses.microphone import Microphone
from tinyml_cli.senses.webcam import Webcam
from tinyml_cli.tasks.cascade.gated_camera import GatedCamera

DEVICES = Path(__file__).parents[1] / "data"
OWN_RATE_HZ = 48_000


class FedLink:
    """Keeps what a board is fed; says nothing."""

    def __init__(self) -> None:
        self.samples: list[np.ndarray] = []
        self.frames: list[bytes] = []

    def feed_pcm(self, samples: np.ndarray) -> None:
        assert 1 <= len(samples) <= 640
        self.samples.append(samples)

    def feed_frame(self, frame: bytes) -> None:
        self.frames.append(frame)

    def take_events(self) -> list[Event]:
        return []


@pytest.fixture
def camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder whose images the camera sees."""
    monkeypatch.syspath_prepend(DEVICES / "webcam")
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.setenv("FAKE_WEBCAM", str(tmp_path))
    return tmp_path


@pytest.fixture
def microphone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the microphone plays; zeros after its end."""
    monkeypatch.syspath_prepend(DEVICES / "microphone")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    wav = tmp_path / "heard.wav"
    quiet = np.random.default_rng(7).normal(0, 30, 2 * RATE_HZ).astype(np.int16)
    sound = np.concatenate([quiet, whistle("up", 3, 1), quiet, whistle("down", 3, 1), quiet])
    soundfile.write(wav, resample(sound / 32768, RATE_HZ, OWN_RATE_HZ), OWN_RATE_HZ, "PCM_16")
    monkeypatch.setenv("FAKE_MICROPHONE", str(wav))
    return wav


def after(seconds: float) -> live_feed.Ended:
    end_s = time.monotonic() + seconds
    return lambda: time.monotonic() >= end_s


def listen(link: FedLink, seconds: float, **options: Any) -> live_feed.Heard:
    heard = live_feed.Heard(**options)
    board: Any = link
    live_feed.hear(board, Microphone(), RATE_HZ, lambda event: None, after(seconds), heard)
    return heard


def test_every_sample_is_fed_at_the_models_rate(microphone: Path) -> None:
    link = FedLink()
    heard = listen(link, 0.5)
    sound = soundfile.read(microphone, dtype="int16")[0] / np.float32(32768)
    expected = np.rint(32768 * resample(sound, OWN_RATE_HZ, RATE_HZ)).clip(-32768, 32767)
    fed = np.concatenate(link.samples)[: len(expected) - 100]
    assert len(fed) > RATE_HZ // 4 and np.array_equal(fed, expected[: len(fed)])
    assert heard.blocks > 0 and heard.lost == 0


@pytest.mark.parametrize(("slowness", "loses"), [(0.0, False), (2.0, True)])
def test_a_board_slower_than_the_microphone_loses_sound_and_that_is_said_once(
    slowness: float, loses: bool, microphone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_MICROPHONE_BUFFER_MS", "150")
    link = FedLink()
    fed = link.feed_pcm

    def slowly(samples: np.ndarray) -> None:
        time.sleep(slowness * len(samples) / RATE_HZ)
        fed(samples)

    monkeypatch.setattr(link, "feed_pcm", slowly)
    told: list[str] = []
    heard = listen(link, 0.6, on_loss=lambda: told.append("lost"))
    assert (heard.lost > 1, told) == ((True, ["lost"]) if loses else (False, []))


def test_frames_are_those_of_the_camera(
    tmp_path: Path, camera: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(camera / "one.png")
    link, image, seen = FedLink(), looking_run.IMAGE, live_feed.FramesSeen()
    board: Any = link
    live_feed.look(board, Webcam(), image, lambda event: None, after(0.05), seen)
    expected = pack_frame(pixels, image.frame_width, image.frame_height, image.frame_format)
    assert len(link.frames) == seen.frames > 0 and set(link.frames) == {expected}


def test_a_cascade_looks_while_its_gate_is_open(camera: Path) -> None:
    for name, grey in (("1", 10), ("2", 250)):
        Image.fromarray(np.full((120, 160, 3), grey, np.uint8)).save(camera / f"{name}.png")
    link, told = FedLink(), []
    board: Any = link
    eye = GatedCamera(board, Webcam(), looking_run.IMAGE, told.append)
    for is_open, expected in ((None, 0), (True, 1), (None, 2), (False, 2), (None, 2), (True, 3)):
        if is_open is not None:
            eye.event(Gate(open=is_open, label="red", t_ms=1))
        eye.look()
        assert len(link.frames) == expected
    assert len(told) == 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--camera",), "does not see"),
        (("--device", "1"), "chooses a microphone or camera"),
        (("--microphone", "--board", "nano33ble"), "microphone of its own"),
        (("--microphone", "--replay", "heard.wav"), "exclude each other"),
    ],
)
def test_what_cannot_be_is_refused(
    options: tuple[str, ...], says: str, microphone: Path, whistle_run: Path, tinyml: Tinyml
) -> None:
    assert says in tinyml("monitor", whistle_run, *options, cwd=microphone.parent, code=2).err


@pytest.mark.slow
def test_words_are_heard_as_they_are_said(
    microphone: Path, whistle_run: Path, tinyml: Tinyml, tmp_path: Path
) -> None:
    require_tools("native")
    tinyml("build", whistle_run, "--board", "native", cwd=tmp_path)
    options = ("--board", "native", "--microphone", "--duration", "3")
    answer = tinyml("monitor", whistle_run, *options, cwd=tmp_path)
    assert [word in answer.out for word in ("Heard up", "Heard down")] == [True, True]
