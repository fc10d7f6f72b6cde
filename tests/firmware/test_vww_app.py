"""The application that looks, as a host process and on the virtual board, as a host sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.doubles import looking_run
from tests.firmware.board_tools import BOARDS, require_tools
from tests.firmware.test_kws_app import Device
from tinyml_cli.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.features.image import (
    pack_frame,
    pixel_transform,
    quantize_pixels,
    to_input_size,
    unpack_frame,
)
from tinyml_cli.link.protocol import MAX_INPUT_BYTES
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

FRAME_BYTES = looking_run.IMAGE.frame_bytes


@pytest.fixture(scope="module", params=BOARDS)
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, Run]:
    board = request.param
    require_tools(board)
    console.quiet = True
    run = looking_run.make(tmp_path_factory.mktemp("app") / "run")
    return board, Path(build.build(run, build_target(board)).elf), run


@pytest.fixture
def device(program: tuple[str, Path, Run]) -> Iterator[Device]:
    device = Device(*program[:2])
    try:
        assert device.wait("ready")["app"] == "vww"
        yield device
    finally:
        device.process.kill()
        device.process.wait()


def frame_of(grey: int) -> bytes:
    return bytes([grey]) * FRAME_BYTES


def show(device: Device, frame: bytes, first_seq: int = 1) -> dict[str, list[dict[str, Any]]]:
    """Sends one frame; returns what the device said to it, by event."""
    said: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("image", "person", "class", "input", "led")
    }
    for index, offset in enumerate(range(0, len(frame), MAX_INPUT_BYTES)):
        answer = device.command(
            f"frame {first_seq + index} {offset}", frame[offset : offset + MAX_INPUT_BYTES]
        )
        assert answer["event"] == "ack", answer
        for name, events in said.items():
            events += device.events(name)
    return said


def test_scores_are_those_of_the_model_on_the_host(device: Device, program: tuple[str, Path, Run]) -> None:
    model = program[2].file(MODEL_INT8).read_bytes()
    source, _ = interpret.io_quantization(parse(model))
    rng = np.random.default_rng(3)
    assert device.command("trace 900 features")["event"] == "ack"
    for number in range(1, 4):
        frame = rng.integers(0, 256, FRAME_BYTES, np.uint8).tobytes()
        said = show(device, frame)
        pixels = to_input_size(unpack_frame(frame, 176, 144, "grey"), looking_run.IMAGE.size, 1)
        transform = pixel_transform(source.scale, source.zero_point, 0.0, 1.0)
        inputs = quantize_pixels(pixels, transform)
        assert said["input"][0]["data"] == inputs.tobytes().hex()
        expected = interpret.run_int8(model, inputs[None], "litert")[0]
        assert np.abs(np.array(said["image"][0]["q"]) - expected).max() <= 1
        assert said["image"][0]["frame"] == number
        assert said["image"][0]["frame_us"] >= said["image"][0]["inference_us"]


def test_somebody_appears_and_goes_with_hysteresis(device: Device) -> None:
    bright, dark = frame_of(looking_run.PERSON_GREY), frame_of(looking_run.NOBODY_GREY)
    seen = [
        show(device, frame, 1 + 20 * index)["person"] for index, frame in enumerate([bright] * 3 + [dark] * 4)
    ]
    assert [len(events) for events in seen] == [0, 1, 0, 0, 0, 1, 0]
    assert (seen[1][0]["label"], seen[1][0]["present"]) == ("person", True)
    assert seen[1][0]["score"] > 0.6
    assert (seen[5][0]["label"], seen[5][0]["present"]) == ("none", False)


def test_the_light_is_green_for_somebody_and_off_for_nobody(device: Device) -> None:
    bright, dark = frame_of(looking_run.PERSON_GREY), frame_of(looking_run.NOBODY_GREY)
    lights = []
    for index, frame in enumerate([bright] * 2 + [dark] * 3):
        lights += [(led["r"], led["g"], led["b"]) for led in show(device, frame, 1 + 20 * index)["led"]]
    assert lights == [(0, 255, 0), (0, 0, 0)]


def test_a_piece_sent_twice_is_taken_once(device: Device) -> None:
    frame = frame_of(looking_run.PERSON_GREY)
    show(device, frame)
    last = (len(frame) - 1) // MAX_INPUT_BYTES
    offset = last * MAX_INPUT_BYTES
    assert device.command(f"frame {1 + last} {offset}", frame[offset:])["event"] == "ack"
    assert device.events("image") == []
    assert device.command(f"frame {500} {offset}", frame[offset:])["event"] == "ack"
    assert [event["frame"] for event in device.events("image")] == [2]


def test_reset_forgets_who_was_there(device: Device) -> None:
    frame = frame_of(looking_run.PERSON_GREY)
    show(device, frame)
    assert device.command("reset 400")["event"] == "ack"
    assert show(device, frame, 401)["person"] == []
    assert len(show(device, frame, 431)["person"]) == 1
    assert device.command("reset 460")["event"] == "ack"
    assert [led["g"] for led in device.events("led")] == [0]


@pytest.mark.parametrize(("offset", "count"), [(FRAME_BYTES, 1), (FRAME_BYTES - 1, 2), (999_999_999, 4)])
def test_bytes_beyond_the_frame_are_refused(device: Device, offset: int, count: int) -> None:
    assert device.command(f"frame 7 {offset}", bytes(count)) == {"event": "nak", "seq": 7, "reason": "range"}


def test_other_senses_are_not_this_application_s(device: Device) -> None:
    assert device.command("pcm 3", bytes(64))["reason"] == "command"


def test_an_image_file_packs_to_the_frame_that_it_came_from(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (144, 176), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert pack_frame(np.asarray(image)[..., None], 176, 144, "grey") == pixels.tobytes()
