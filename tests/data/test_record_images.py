"""Images from a webcam and from a board's camera: kept, counted, gone on with, and what is missing said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Tinyml
from tests.doubles import looking_run
from tinyml_cli.collect import record_images
from tinyml_cli.collect.camera_source import BoardCamera
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.images.image_folder import list_images
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event, Input, Ready, Text

_WEBCAM = Path(__file__).parent / "webcam"


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A red and noisy scene, and now and then a covered lens."""
    folder = tmp_path / "scene"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(4):
        pixels = rng.integers(0, 40, (480, 640, 3), np.uint8)
        pixels[:, :320, 0] = 250
        if index == 3:
            pixels[:] = 2
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def environment(scene: Path | str) -> dict[str, str]:
    return {"PYTHONPATH": str(_WEBCAM), "FAKE_WEBCAM": str(scene)}


def test_images_of_a_webcam_train_as_they_lie(tinyml: Tinyml, tmp_path: Path, scene: Path) -> None:
    options = ("data", "record", "images", "--classes", "cup,none", "--every", "0", "--countdown", "0")
    first = tinyml(
        *options, "--count", "2", "--json", cwd=tmp_path, env=environment(scene), process=True
    ).json
    assert (first["n"], first["complete"]) == (4, True)
    again = tinyml(
        *options, "--count", "5", "--json", cwd=tmp_path, env=environment(scene), process=True
    ).json
    assert [(row["class"], row["kept"], row["images"]) for row in again["classes"]] == [
        ("cup", 3, 5), ("none", 3, 5),
    ]  # fmt: skip
    assert sum(row["empty"] for row in again["classes"]) >= 1  # the covered lens was left out
    entries = list_images(tmp_path / "images", ["none", "cup"])
    assert sorted(entry.label for entry in entries) == [0] * 5 + [1] * 5
    with Image.open(entries[0].path) as image:
        assert image.size == (320, 240)
        red, _, blue = np.asarray(image)[:, :100].mean(axis=(0, 1))
    assert red > 200 > 60 > blue  # red first


def test_what_is_missing_is_said(tinyml: Tinyml, tmp_path: Path) -> None:
    options = ("data", "record", "images", "--json")
    answer = tinyml(*options, cwd=tmp_path, code=2, env=environment("none"), process=True)
    assert "Cannot open" in answer.json["error"]["what"]
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "cv2.py").write_text("raise ImportError('libGL.so.1')")
    answer = tinyml(*options, cwd=tmp_path, code=2, env={"PYTHONPATH": str(broken)}, process=True)
    assert "libGL" in answer.json["error"]["what"]
    assert "tinyml-cli[camera]" in answer.json["error"]["next_step"]
    answer = tinyml(*options, "--classes", "a/b", cwd=tmp_path, code=2)
    assert "not a valid folder name" in answer.json["error"]["what"]


def test_a_lens_that_stays_covered_ends_it(tmp_path: Path) -> None:
    class Covered:
        name = "covered"

        def take(self) -> np.ndarray:
            return np.zeros((20, 20, 3), np.uint8)

    console.quiet = True
    plan = record_images.CameraPlan(("cup",), tmp_path / "images", 3, 0, 0)
    with pytest.raises(TinymlError, match="are blank"):
        record_images.record(plan, Covered())
    assert not (tmp_path / "images").exists()


def test_ctrl_c_keeps_what_was_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stopped:
        name = "stopped"
        taken = 0

        def take(self) -> np.ndarray:
            if self.taken == 2:
                raise KeyboardInterrupt
            self.taken += 1
            return np.tile(np.arange(40, dtype=np.uint8)[:, None, None] * 6, (1, 40, 3))

    monkeypatch.setattr("sys.argv", ["tinyml", "data", "record", "images"])
    plan = record_images.CameraPlan(("cup", "none"), tmp_path / "images", 3, 0, 0)
    with pytest.raises(KeyboardInterrupt):
        record_images.record(plan, Stopped())
    assert len(list((tmp_path / "images" / "cup").iterdir())) == 2
    assert "its images are kept. To resume: tinyml data record images" in capsys.readouterr().err


class _Line(Link):
    """A link whose other end is a list of events, where no board with a camera is at hand."""

    def __init__(self, events: list[Event]) -> None:
        self.url = "list"
        self.asked: list[str] = []
        self._coming = events

    def trace(self, name: str) -> None:
        self.asked.append(name)

    def events(self, duration_s: float | None = None) -> Iterator[Event]:
        while self._coming:
            yield self._coming.pop(0)


def banner(**changes: Any) -> Ready:
    values = {"app": "vww", "board": "nano33ble", "engine": "aot", "model": "0" * 12, "sensors": ["ov7675"]}
    return Ready(protocol=1, tinyml="0", **(values | changes))


def test_a_board_gives_what_its_model_sees(tmp_path: Path) -> None:
    console.quiet = True
    manifest = looking_run.make(tmp_path / "run").manifest()
    pixels = np.random.default_rng(1).integers(0, 256, (looking_run.SIZE, looking_run.SIZE, 1), np.uint8)
    seen = (pixels.astype(np.int16) - 128).astype(np.int8).tobytes()
    line = _Line([Text(text="noise"), Input(frame=1, data=seen)])
    camera = BoardCamera(line, banner(), manifest)
    np.testing.assert_array_equal(camera.take(), pixels)
    with pytest.raises(TinymlError, match="no frames"):
        camera.take()
    camera.close()
    assert line.asked == ["features", "off"]
    with pytest.raises(TinymlError, match="does not use a camera"):
        BoardCamera(line, banner(app="kws"), manifest)
    with pytest.raises(TinymlError, match="has no camera"):
        BoardCamera(line, banner(sensors=["microphone"]), manifest)
