"""The motion model against physics that can be computed another way."""

from __future__ import annotations

import numpy as np

from tinyml_cli.tasks.wand import hand, kinematics
from tinyml_cli.tasks.wand.kinematics import Grip, perfect_sensor, wave


def drawn(grip: Grip, digit: str = "6", seed: int = 1) -> kinematics.SimulatedMotion:
    rng = np.random.default_rng(seed)
    return wave(hand.draw(digit, hand.random_writer(rng), rng), grip, perfect_sensor(), rng)


def test_integrating_the_gyroscope_gives_the_rotation_back() -> None:
    moved = drawn(Grip(roll_rad=0.8, roll_swing=0.3, heading_rad=2.0, elevation_rad=0.2))
    rotation = moved.rotations[0]
    for rate in moved.samples[1:, 3:] / kinematics.TENTHS_PER_RADIAN / kinematics.SAMPLE_RATE_HZ:
        angle = np.linalg.norm(rate) + 1e-12
        x, y, z = rate / angle
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        rotation = rotation @ (np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)
    assert np.abs(rotation - moved.rotations[-1]).max() < 2e-3


def test_at_rest_the_accelerometer_feels_gravity_along_the_world_s_up() -> None:
    moved = drawn(Grip(roll_rad=1.1, elevation_rad=0.4))
    for index in (3, -3):
        up = moved.rotations[index] @ (moved.samples[index, :3] / 1000)
        np.testing.assert_allclose(up, [0, 0, 1], atol=3e-3)


def test_a_turning_lever_is_pulled_inwards() -> None:
    """A wand that sweeps with a constant rate w feels w^2 r / g towards the wrist, along +x."""
    radians_per_second, lever_m, seconds = 3.0, 0.3, 0.5
    angles = radians_per_second * np.linspace(-seconds / 2, seconds / 2, 60)
    path = np.stack([np.sin(angles), np.zeros(60)], axis=1)
    moved = wave(
        path, Grip(lever_m=lever_m, hand_m=0.0), perfect_sensor(), np.random.default_rng(0), (0.5, 0.5)
    )
    middle = (moved.start + moved.end) // 2
    measured = moved.samples[middle - 5 : middle + 5].mean(axis=0)
    rate = np.linalg.norm(measured[3:]) / kinematics.TENTHS_PER_RADIAN
    assert abs(rate - radians_per_second) < 0.1
    expected = 1000 * radians_per_second**2 * lever_m / kinematics.GRAVITY
    assert abs(measured[0] - expected) < 0.1 * expected


def test_the_tip_draws_the_path() -> None:
    grip = Grip(reach=1.2, heading_rad=1.0)
    moved = drawn(grip, "2")
    pointing = moved.rotations @ kinematics.POINTING
    right = np.array([-np.sin(1.0), np.cos(1.0), 0.0])
    np.testing.assert_allclose(pointing @ right, moved.path[:, 0], atol=1e-9)
    np.testing.assert_allclose(pointing[:, 2], moved.path[:, 1], atol=1e-9)


def test_a_seed_fixes_everything_and_values_stay_within_the_sensor_s_range() -> None:
    def once() -> np.ndarray:
        rng = np.random.default_rng(4)
        path = hand.draw("0", hand.random_writer(rng), rng)
        moved = wave(path, kinematics.random_grip(rng), kinematics.random_sensor(rng), rng)
        return np.concatenate([moved.samples, kinematics.tumble(2.0, kinematics.random_sensor(rng), rng)])

    first = once()
    np.testing.assert_array_equal(first, once())
    assert np.abs(first[:, :3]).max() <= kinematics.MILLI_G_LIMIT
    assert first.dtype == np.int16
