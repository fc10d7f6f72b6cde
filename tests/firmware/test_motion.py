"""Strokes from motion: the C library against the host's twin, value for value, and both against the truth."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest

from tests.firmware.native import LIBRARIES
from tinyml_cli.features import motion
from tinyml_cli.tasks.wand import hand, kinematics

RATE_HZ = kinematics.SAMPLE_RATE_HZ
EVENTS = (None, "started", "done", "too long")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc here")
    path = tmp_path_factory.mktemp("motion") / "motion.so"
    command = ["gcc", "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
    command += ["-fsanitize=undefined", "-fno-sanitize-recover=all", f"-I{LIBRARIES / 'raster'}"]
    sources = sorted((LIBRARIES / "motion").glob("*.c"))
    subprocess.run([*command, *sources, "-o", path], check=True)
    return ctypes.CDLL(str(path))


class Firmware:
    """WandStroke of the C library, as an opaque piece of memory."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._memory = ctypes.create_string_buffer(16_384)
        library.wand_stroke_reset(self._memory, ctypes.c_uint32(RATE_HZ * 1000))
        library.wand_stroke_points.restype = ctypes.c_size_t

    def push(self, sample: list[int]) -> str | None:
        return EVENTS[self._library.wand_stroke_push(self._memory, (ctypes.c_int16 * 6)(*sample))]

    def points(self) -> np.ndarray:
        points = np.zeros((motion.MAX_POINTS, 2), np.int8)
        count = self._library.wand_stroke_points(self._memory, points.ctypes.data_as(ctypes.c_void_p))
        return points[:count]

    @property
    def quaternion(self) -> list[int]:
        return list(np.frombuffer(self._memory.raw[:16], "<i4"))

    @property
    def bias_q8(self) -> list[int]:
        return list(np.frombuffer(self._memory.raw[16:28], "<i4"))


def both(library: ctypes.CDLL, samples: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Feeds firmware and host, which must agree at every sample; yields what happened and the points."""
    firmware, host = Firmware(library), motion.WandStroke(RATE_HZ)
    for sample in samples.tolist():
        event = host.push(sample)
        assert firmware.push(sample) == event
        assert firmware.quaternion == host.attitude.quaternion
        assert firmware.bias_q8 == host.attitude.bias_q8
        if event is not None:
            np.testing.assert_array_equal(firmware.points(), host.points())
            yield event, host.points()


def waved(digit: str, seed: int, roll_rad: float = 0.5) -> kinematics.SimulatedMotion:
    rng = np.random.default_rng(seed)
    path = hand.draw(digit, hand.random_writer(rng), rng)
    grip = kinematics.random_grip(rng, roll_rad)
    return kinematics.wave(path, grip, kinematics.random_sensor(rng), rng)


def test_firmware_and_host_agree_on_drawn_digits(library: ctypes.CDLL) -> None:
    for seed, digit in enumerate("0123456789"):
        events = [event for event, _ in both(library, waved(digit, seed).samples)]
        assert events == ["started", "done"], digit


def hostile(kind: str, rng: np.random.Generator) -> np.ndarray:
    drawn = [waved(digit, 40 + int(digit)).samples for digit in "348"]
    if kind == "constant":
        return np.tile(np.array([0, 0, 1000, 0, 0, 0], np.int16), (200, 1))
    if kind == "free fall":
        return np.concatenate([np.zeros((100, 6), np.int16), drawn[0]])
    if kind == "saturated":
        return rng.choice(np.array([-32768, 32767], np.int16), (300, 6))
    if kind == "noise":
        return np.concatenate([drawn[0], rng.integers(-32768, 32768, (400, 6)).astype(np.int16), drawn[1]])
    if kind == "gaps":
        whole = np.concatenate(drawn)
        return whole[(np.arange(len(whole)) // 17) % 3 != 1]
    if kind == "upside down":
        return np.concatenate([np.tile(np.array([0, 0, -1000, 0, 0, 0], np.int16), (60, 1)), drawn[2]])
    return np.concatenate(
        [drawn[0][:120], np.tile(drawn[0][150:170], (40, 1)), drawn[0], drawn[1]]
    )  # endless


@pytest.mark.parametrize(
    "kind", ["constant", "free fall", "saturated", "noise", "gaps", "upside down", "endless"]
)
def test_firmware_and_host_agree_on_anything(library: ctypes.CDLL, kind: str) -> None:
    events = [event for event, _ in both(library, hostile(kind, np.random.default_rng(7)))]
    if kind == "constant":
        assert events == []
    if kind == "endless":
        assert "too long" in events and events[-1] == "done"


def error_of(moved: kinematics.SimulatedMotion) -> float:
    """Distance of the stroke's end from the true one, both seen from its start, over the stroke's length."""
    wand, start = motion.WandStroke(RATE_HZ), 0
    for index, sample in enumerate(moved.samples.tolist()):
        event = wand.push(sample)
        if event == "started":
            start = index - 14  # what is kept from before: _BEFORE + _START_SAMPLES samples
        if event == "done":
            points = wand.points() / 128
            true = moved.path[start : index - 25]
            length = np.hypot(*np.diff(true, axis=0).T).sum()
            return float(np.hypot(*((points[-1] - points[0]) - (true[-1] - true[0]))) / length)
    raise AssertionError("no stroke was found")


def test_the_end_of_a_stroke_is_within_five_percent_of_its_length() -> None:
    errors = [error_of(waved(str(seed % 10), 100 + seed)) for seed in range(40)]
    assert max(errors) < 0.05
    assert float(np.mean(errors)) < 0.015


def test_two_seconds_with_a_large_bias_and_gravity_far_from_any_axis() -> None:
    rng = np.random.default_rng(5)
    for turn in (-2.5, -1.2, 0.7, 3.0):
        path = hand.draw("8", hand.random_writer(rng), rng)
        path = path[np.linspace(0, len(path) - 1, 2 * RATE_HZ).astype(int)]
        sensor = kinematics.random_sensor(rng, rate_bias=150.0)
        grip = kinematics.Grip(roll_rad=turn, roll_swing=0.2, elevation_rad=0.3)
        assert error_of(kinematics.wave(path, grip, sensor, rng)) < 0.05


def test_however_the_wand_is_turned_in_the_hand_the_stroke_is_the_same() -> None:
    drawn = []
    for roll in (0.0, 1.0, np.pi / 2, -2.8):
        rng = np.random.default_rng(3)
        path = hand.draw("2", hand.random_writer(rng), rng)
        moved = kinematics.wave(path, kinematics.Grip(roll_rad=roll), kinematics.perfect_sensor(), rng)
        drawn += list(motion.strokes_of(moved.samples, RATE_HZ))
    assert len(drawn) == 4
    for points in drawn[1:]:
        assert abs(len(points) - len(drawn[0])) <= 1
        ends = (points[-1] - points[0].astype(int)) - (drawn[0][-1] - drawn[0][0].astype(int))
        assert np.abs(ends).max() <= 2


def test_turning_a_stroke_makes_it_begin_above_its_middle(library: ctypes.CDLL) -> None:
    rng = np.random.default_rng(9)
    for count in (1, 2, 30, motion.MAX_POINTS):
        points = rng.integers(-90, 90, (count, 2)).astype(np.int8)
        turned = motion.turned(points)
        given = np.ascontiguousarray(points)
        library.wand_stroke_turn(given.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(count))
        np.testing.assert_array_equal(given, turned)
        if count > 2:
            begins = turned[0] - turned.mean(axis=0)
            assert abs(begins[0]) < 2 and begins[1] > 0
    quarter = np.stack([-points[:, 1], points[:, 0]], axis=1)
    assert np.abs(motion.turned(quarter).astype(int) - turned).max() <= 2


def test_a_wand_that_points_up_or_hardly_moves_draws_nothing() -> None:
    rng = np.random.default_rng(11)
    path = hand.draw("3", hand.random_writer(rng), rng)
    steep = kinematics.Grip(elevation_rad=1.5)
    small = kinematics.Grip(reach=0.02)
    for grip in (steep, small):
        moved = kinematics.wave(path, grip, kinematics.perfect_sensor(), rng)
        assert list(motion.strokes_of(moved.samples, RATE_HZ)) == []
