"""The monitor of a board that looks: images in, verdicts out, frames in the terminal and as files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console, RenderableType

from tests.conftest import Tinyml
from tests.doubles import looking_run
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.link.frames import half_blocks, pixels_of
from tinyml_cli.link.protocol import Image as ImageEvent
from tinyml_cli.link.protocol import Input, Person, Ready, encode_frame
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.tasks.vww.replay import expected_label
from tinyml_cli.tasks.vww.view import FrameView

PLAIN = TensorQuantization(scale=1 / 255, zero_point=-128)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    console.quiet = True
    run = looking_run.make(tmp_path_factory.mktemp("monitor") / "run")
    build(run, build_target("native"))
    return run.path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    shades = {
        "person/a.png": looking_run.PERSON_GREY,
        "street/b.png": looking_run.NOBODY_GREY,
        "person/dark.png": looking_run.NOBODY_GREY,
        "none/bright.png": looking_run.PERSON_GREY,
    }
    for name, grey in shades.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(looking_run.picture(grey)).save(path)
    return tmp_path / "photos"


def test_images_are_judged_by_their_folders(
    run_dir: Path, photos: Path, tinyml: Tinyml, tmp_path: Path
) -> None:
    answer = tinyml(
        "monitor",
        run_dir,
        "--board",
        "native",
        "--replay",
        photos,
        "--png",
        tmp_path / "png",
        "--json",
        cwd=tmp_path,
    )
    events = [json.loads(line) for line in answer.out.splitlines()]
    clips = {
        event["file"]: (event["expected"], event["detected"]) for event in events if event["event"] == "clip"
    }
    assert clips == {
        "none/bright.png": ("none", "person"),
        "person/a.png": ("person", "person"),
        "person/dark.png": ("person", None),
        "street/b.png": ("none", None),
    }
    summary = events[-1]
    assert (summary["hits"], summary["misses"], summary["false_accepts"], summary["rejections"]) == (
        1,
        1,
        1,
        1,
    )
    assert (summary["n"], summary["detections"]) == (4, 2)
    frames = sorted((tmp_path / "png").glob("*.png"))
    assert len(frames) == 8  # two for each image, as the firmware's hysteresis asks for
    with Image.open(frames[0]) as frame:
        assert frame.size == (looking_run.SIZE, looking_run.SIZE)
        assert np.asarray(frame).mean() == pytest.approx(looking_run.PERSON_GREY, abs=1)


def test_damaged_and_missing_images_are_told(
    run_dir: Path, photos: Path, tinyml: Tinyml, tmp_path: Path
) -> None:
    (photos / "person" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 no image")
    deep = np.arange(96 * 96, dtype=np.uint16).reshape(96, 96) % 4096
    Image.fromarray(deep).save(photos / "deep.png")
    answer = tinyml("monitor", run_dir, "--board", "native", "--replay", photos, cwd=tmp_path, code=2)
    assert "deep.png: greys of 12 bits" in answer.err + answer.out
    assert "`cut.jpg` cannot be read as an image" in answer.err
    assert "expected person, saw person" in answer.out
    (tmp_path / "empty").mkdir()
    answer = tinyml(
        "monitor", run_dir, "--board", "native", "--replay", tmp_path / "empty", cwd=tmp_path, code=2
    )
    assert "contains no images" in answer.err


def test_folders_promise_labels() -> None:
    root, labels = Path("photos"), ["none", "person"]
    assert expected_label(root / "person" / "a.png", root, labels) == "person"
    assert expected_label(root / "cats" / "a.png", root, labels) == "none"
    assert expected_label(root / "a.png", root, labels) is None
    assert expected_label(root / "cats" / "a.png", root, ["open", "closed"]) is None


def test_half_blocks_show_two_pixels_a_character() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[0, 0] = [255, 0, 0]
    pixels[1, 0] = [0, 0, 255]
    picture = half_blocks(pixels, 4)
    assert picture.plain == "▀▀▀▀\n▀▀▀▀\n"
    style = picture.spans[0].style
    assert str(style) == "#ff0000 on #0000ff"


def test_pixels_come_back_from_the_input() -> None:
    image = ImageInput(size=16, colour="rgb", low=-1.0, high=1.0)
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    data = (pixels.astype(int) - 128).astype(np.int8).tobytes()
    quantization = TensorQuantization(scale=2 / 255, zero_point=0)
    back = pixels_of(data, image, quantization)
    assert back is not None
    assert np.abs(back.astype(int) - pixels).max() <= 1
    assert pixels_of(data[1:], image, PLAIN) is None


def test_the_live_view_shows_frame_scores_and_times(run_dir: Path) -> None:
    from tinyml_cli.run import Run

    drawn: list[RenderableType] = []
    draw: Callable[[RenderableType], None] = drawn.append
    console.quiet = True
    view = FrameView(load_board("sim"), Run(run_dir).manifest(), draw)
    view._drawn_s = -1e9
    view.start(
        Ready(
            protocol=1, tinyml="0", app="vww", board="sim", engine="aot", model="x", labels=["none", "person"]
        )
    )
    view.event(Input(frame=1, data=bytes(looking_run.SIZE**2)))
    view.event(ImageEvent(frame=1, t_ms=5, frame_us=1500, inference_us=400, q=[-128, 127]))
    view._drawn_s = -1e9
    view.event(Person(label="person", present=True, score=1.0, frame=1, t_ms=5))
    screen = Console(width=100, force_terminal=True, color_system="truecolor", record=True)
    with screen.capture() as captured:
        screen.print(drawn[-1])
    text = captured.get()
    assert "▀" in text
    assert "100%" in text
    assert "there" in text
    assert "1.5 ms (emulated)" in text


def test_frames_are_cut_into_lines_that_fit() -> None:
    line = encode_frame(7, 2048, bytes(2048))
    assert line.startswith(b"frame 7 2048 ")
    assert len(line) < 4096
    for data in (b"", bytes(2049)):
        with pytest.raises(ValueError, match="frame accepts"):
            encode_frame(1, 0, data)
