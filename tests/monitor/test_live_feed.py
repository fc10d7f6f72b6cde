"""A virtual board hears and sees by this computer's microphone and camera, both played from files."""

from __future__ import annotations

import sys
import time
from pathlib import Path

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
from tinyml_cli.link.protocol import Event
from tinyml_cli.monitor import live_feed
from tinyml_cli.senses.microphone import Microphone
from tinyml_cli.senses.webcam import Webcam

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


def test_every_sample_is_fed_at_the_models_rate(microphone: Path) -> None:
    link, heard = FedLink(), live_feed.Heard()
    live_feed.hear(link, Microphone(), RATE_HZ, lambda event: None, time.monotonic() + 0.5, heard)  # type: ignore[arg-type]
    sound = soundfile.read(microphone, dtype="int16")[0] / np.float32(32768)
    expected = np.rint(32768 * resample(sound, OWN_RATE_HZ, RATE_HZ)).clip(-32768, 32767)
    fed = np.concatenate(link.samples)[: len(expected) - 100]
    assert len(fed) > RATE_HZ and np.array_equal(fed, expected[: len(fed)])
    assert heard.blocks > 0 and heard.lost == 0


def test_lost_samples_are_counted(microphone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Microphone()
    blocks = [(np.zeros(2400, np.int16), at % 2 == 1) for at in range(10)]
    monkeypatch.setattr(source, "blocks", lambda: (block for block in blocks))
    heard = live_feed.Heard()
    live_feed.hear(FedLink(), source, RATE_HZ, lambda event: None, None, heard)  # type: ignore[arg-type]
    assert (heard.blocks, heard.lost) == (10, 5)


def test_frames_are_those_of_the_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DEVICES / "webcam")
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.setenv("FAKE_WEBCAM", str(tmp_path))
    pixels = np.random.default_rng(1).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    link, image = FedLink(), looking_run.IMAGE
    live_feed.look(link, Webcam(), image, lambda event: None, time.monotonic() + 0.05)  # type: ignore[arg-type]
    expected = pack_frame(pixels, image.frame_width, image.frame_height, image.frame_format)
    assert link.frames and set(link.frames) == {expected}


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
