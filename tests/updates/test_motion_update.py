"""A wand that sees windows of motion takes a model that was trained again: with its own deviations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tasks.wand import waved_run
from tinyml_cli.build.build import build
from tinyml_cli.build.target import SlotOptions, build_target
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Scores
from tinyml_cli.link.virtual import VirtualDevice, flash_file
from tinyml_cli.run import Run
from tinyml_cli.updates import keys
from tinyml_cli.updates.model_only import UpdateOrder, flash_model


def _wand(path: Path, deviation: float, threshold: float) -> Run:
    imu = waved_run.IMU.model_copy(update={"accelerometer_mg": deviation, "gyroscope_ddps": deviation})
    gesture = GestureInput(input="imu", imu=imu, threshold=threshold)
    return waved_run.make(path, waved_run.motion_model(), gesture)


def _scores(elf: Path, flash: Path | None) -> list[list[int]]:
    rng = np.random.default_rng(2)
    samples = (rng.normal(0, 300, (400, 6)) + np.array([0, 0, 0, 0, 0, 400])).astype(np.int16)
    with VirtualDevice("native", elf, flash=flash) as device, Link(device.url) as link:
        link.wait_ready()
        link.trace("scores")
        for start in range(0, len(samples), 100):
            link.feed_imu(samples[start : start + 100])
        return [event.q for event in link.take_events() if isinstance(event, Scores)]


@pytest.mark.slow
def test_a_wand_of_motion_takes_a_model_with_its_deviations(tmp_path: Path) -> None:
    first, second = _wand(tmp_path / "first", 200.0, 0.8), _wand(tmp_path / "second", 900.0, 0.6)
    key = keys.new(tmp_path / "key.pem")
    target = build_target("native", "aot")
    elf = Path(build(first, replace(target, slots=SlotOptions(key.public, 10))).elf)
    plain = Path(build(second, target).elf)
    before = _scores(elf, None)
    sent = flash_model(second, target, UpdateOrder(key, release=20, firmware=first))
    assert sent.slot == "a"
    expected = _scores(plain, None)
    assert len(expected) >= 3 and expected != before
    assert _scores(elf, flash_file(elf)) == expected
