"""One motion in several hundred dialects is read back as the same samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data.series import dialects
from tests.data.series.dialects import ACCELERATION, RATE_HZ, ROTATION, SAMPLES, Dialect, motion
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe, UnitsRecipe
from tinyml_cli.tasks.wand.takes import read_takes

SECONDS = np.arange(SAMPLES) / RATE_HZ
VALUES = motion(SECONDS)
BOARD = np.rint(VALUES * ([1000.0] * 3 + [10.0] * 3))


@pytest.mark.parametrize("seed", range(25))
def test_a_motion_reads_the_same_in_any_dialect(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for number in range(10):
        dialect = dialects.draw(rng)
        path = tmp_path / f"wave.{number}.csv"
        dialects.write(dialect, path, SECONDS, VALUES)
        # Counts tell their range to nobody while the sensor moves.
        units = UnitsRecipe()
        if dialect.acceleration.isdigit() or (dialect.units == "none" and dialect.rotation != "deg/s"):
            units.gyro = dialect.rotation.replace("°", "deg")
        if dialect.acceleration.isdigit():
            units.accel = dialect.acceleration
        try:
            recorded = read_takes(path, 119, 119, SeriesRecipe(units=units))
        except TinymlError as error:
            pytest.fail(f"{dialect}: {error}")
        (take,) = recorded.takes
        assert recorded.rate_hz == pytest.approx(RATE_HZ, rel=1e-3), dialect
        assert take.samples.shape == BOARD.shape, (dialect, recorded.reading)
        np.testing.assert_allclose(take.samples, BOARD, atol=2, err_msg=str(dialect))


@pytest.mark.parametrize("suffix", [".json", ".cbor"])
@pytest.mark.parametrize("acceleration", ["g", "mg", "m/s2"])
@pytest.mark.parametrize("rotation", ["deg/s", "rad/s", "mdps"])
def test_edge_impulse_says_its_units(tmp_path: Path, suffix: str, acceleration: str, rotation: str) -> None:
    path = tmp_path / f"wave.1{suffix}"
    dialects.write_acquisition(path, VALUES, acceleration, rotation)
    (take,) = read_takes(path, 119, 119).takes
    np.testing.assert_allclose(take.samples, BOARD, atol=1)
    assert take.label == "wave"


def test_there_are_enough_dialects() -> None:
    drawn = {dialects.draw(np.random.default_rng(seed)) for seed in range(300)}
    assert len(drawn) > 280
    assert {d.acceleration for d in drawn} == set(ACCELERATION) and {d.rotation for d in drawn} == set(
        ROTATION
    )
    assert Dialect() not in drawn
