"""Twenty classes and no background on a board: the scores of the host, a light and a line for every class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.doubles import looking_run
from tests.firmware.board_tools import require_tools
from tests.firmware.test_kws_app import Device
from tests.firmware.test_vww_app import show
from tinyml_cli.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.engines.settings_parts import label_colors
from tinyml_cli.features.image import (
    pack_frame,
    pixel_transform,
    quantize_pixels,
    to_input_size,
    unpack_frame,
)
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

Program = tuple[str, Path, Run]


@pytest.fixture(scope="module", params=["native", pytest.param("sim", marks=pytest.mark.slow)])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Program:
    require_tools(request.param)
    run = looking_run.of_cells(tmp_path_factory.mktemp("app") / "run")
    return request.param, Path(build.build(run, build_target(request.param)).elf), run


@pytest.fixture
def device(program: Program) -> Iterator[Device]:
    device = Device(*program[:2])
    try:
        device.wait("ready")
        yield device
    finally:
        device.process.kill()
        device.process.wait()


def frame_of(pixels: np.ndarray) -> bytes:
    return pack_frame(pixels[..., None], 176, 144, "grey")


def test_bytes_of_board_and_host_are_equal(device: Device, program: Program) -> None:
    model = program[2].file(MODEL_INT8).read_bytes()
    source, _ = interpret.io_quantization(parse(model))
    transform = pixel_transform(source.scale, source.zero_point, 0.0, 1.0)
    noise = np.random.default_rng(3).integers(0, 256, looking_run.cell(0).shape).astype(np.uint8)
    for number, pixels in enumerate((looking_run.cell(7), noise)):
        frame = frame_of(pixels)
        inputs = quantize_pixels(
            to_input_size(unpack_frame(frame, 176, 144, "grey"), looking_run.SIZE, 1), transform
        )
        expected = interpret.run_int8(model, inputs[None], "tflm")[0]
        assert show(device, frame, 1 + 100 * number)["image"][0]["q"] == expected.tolist()


def test_each_class_has_its_light_and_doubt_has_none(device: Device, program: Program) -> None:
    labels = program[2].manifest().labels
    colors = label_colors(labels, ())
    seq = 1
    for index in (0, 19, 7):
        frame = frame_of(looking_run.cell(index))
        assert show(device, frame, seq)["class"] == []
        said = show(device, frame, seq + 30)
        assert [(each["label"], each["present"]) for each in said["class"]] == [(labels[index], True)]
        assert [(led["r"], led["g"], led["b"]) for led in said["led"]] == [colors[index]]
        seq += 60
    grey = frame_of(np.full_like(looking_run.cell(0), 128))
    gone = [show(device, grey, seq + 30 * turn) for turn in range(3)]
    assert [len(said["class"]) for said in gone] == [0, 0, 1]
    assert "label" not in gone[2]["class"][0] and gone[2]["class"][0]["present"] is False
    assert [(led["r"], led["g"], led["b"]) for led in gone[2]["led"]] == [(0, 0, 0)]
