"""The raster in C against the host's, byte for byte, and what a picture shows."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.native import LIBRARIES
from tinyml_cli.features import raster
from tinyml_cli.tasks.wand import hand, strokes
from tinyml_cli.tasks.wand.shapes import SHAPES


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    path = tmp_path_factory.mktemp("raster") / "raster.so"
    command = ["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined"]
    command += [
        "-fno-sanitize-recover",
        "-fPIC",
        "-shared",
        str(LIBRARIES / "raster" / "raster.c"),
        "-o",
        str(path),
    ]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(path))


def by_firmware(library: ctypes.CDLL, points: np.ndarray) -> np.ndarray:
    picture = np.full((raster.SIZE, raster.SIZE, raster.CHANNELS), 77, np.uint8)
    given = np.ascontiguousarray(points, np.int8)
    library.raster_draw(
        given.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_size_t(len(given)),
        picture.ctypes.data_as(ctypes.c_void_p),
    )
    return picture


def test_drawn_strokes_give_the_same_bytes(library: ctypes.CDLL) -> None:
    rng = np.random.default_rng(2)
    for name in [*SHAPES, *SHAPES]:
        points = strokes.to_points(hand.draw(name, hand.random_writer(rng), rng))
        np.testing.assert_array_equal(by_firmware(library, points), raster.rasterise(points), err_msg=name)


def test_any_points_give_the_same_bytes(library: ctypes.CDLL) -> None:
    rng = np.random.default_rng(3)
    for count in [1, 2, 3, strokes.MAX_POINTS, *rng.integers(1, strokes.MAX_POINTS, 60)]:
        reach = int(rng.choice([0, 1, 7, 40, 128]))
        points = rng.integers(-reach, max(reach, 1), (count, 2)).astype(np.int8)
        np.testing.assert_array_equal(by_firmware(library, points), raster.rasterise(points))


def test_recorded_strokes_give_the_same_bytes(library: ctypes.CDLL, shared: Path) -> None:
    for path in sorted((shared / "data" / "magic_wand_digit_strokes").glob("*.json")):
        for stroke in strokes.read_strokes(path)[::10]:
            np.testing.assert_array_equal(
                by_firmware(library, stroke.points), raster.rasterise(stroke.points)
            )


def test_time_runs_from_red_over_green_to_blue() -> None:
    picture = raster.rasterise(np.array([[-60, 0], [0, 0], [60, 0]], np.int8))
    row = picture[raster.SIZE // 2]
    drawn = np.flatnonzero(row.any(axis=1))
    assert row[drawn[0]].argmax() == 0
    assert row[raster.SIZE // 2].argmax() == 1
    assert row[drawn[-1]].argmax() == 2
    assert not picture[: raster.SIZE // 2].any()


def test_neither_place_nor_size_matters() -> None:
    rng = np.random.default_rng(5)
    points = rng.integers(-30, 31, (40, 2)).astype(np.int8)
    moved = (points + np.array([20, -25])).astype(np.int8)
    np.testing.assert_array_equal(raster.rasterise(points), raster.rasterise(moved))
    doubled = (2 * points).astype(np.int8)
    np.testing.assert_array_equal(raster.rasterise(points), raster.rasterise(doubled))
