"""Simulates the motion sensor in a wand whose tip draws a path: rigid-body kinematics.

The wand points along the board's -x axis (the USB socket is at the hand), and turns about the wrist: its tip
moves on a sphere, so that the tip's displacement across the line of sight is the drawn path. The sensor is
on the wand, away from the wrist, and the whole hand moves slightly with the stroke.

    rotation R(t): board -> world, z up       the gyroscope measures R' dR/dt
    place p(t) = lever x direction + hand     the accelerometer measures R' (d2p/dt2 / g + up)

Ranges and sizes of errors are those of ST's LSM9DS1 at +-4 g and +-2000 deg/s; its data sheet allows 90 mg
and 30 deg/s of offset, of which boards in use have a part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.tasks.wand.hand import SAMPLE_RATE_HZ as HAND_RATE_HZ
from tinyml_cli.tasks.wand.hand import Path

Floats = NDArray[np.float64]

SAMPLE_RATE_HZ = HAND_RATE_HZ
GRAVITY = 9.80665
TENTHS_PER_RADIAN = 1800 / np.pi
MILLI_G_LIMIT = 4000
TENTHS_LIMIT = 20_000
POINTING = np.array([-1.0, 0.0, 0.0])
_OVERSAMPLING = 4
_INERTIA_S = 0.012  # a hand does not turn on the spot: standard deviation of the smoothing
_REST_TREMOR_HZ = 9.0  # physiological tremor, 8 to 12 Hz


@dataclass(frozen=True)
class Grip:
    """How somebody holds and swings the wand.

    Attributes:
        roll_rad: the wand turned in the hand, about its own axis.
        roll_swing: how far it rolls on while it moves sideways, radians per radian.
        heading_rad, elevation_rad: where it points in the middle of what is drawn.
        reach: the tip's displacement in lengths of the wand, for 1 unit of the path.
        lever_m: from the wrist to the sensor.
        hand_m: how far the whole hand moves for 1 unit of the path.
        tremor_rad: amplitude of shaking at rest.
    """

    roll_rad: float = 0.0
    roll_swing: float = 0.0
    heading_rad: float = 0.0
    elevation_rad: float = 0.0
    reach: float = 1.0
    lever_m: float = 0.2
    hand_m: float = 0.05
    tremor_rad: float = 0.0


@dataclass(frozen=True)
class Sensor:
    """One sensor's errors.

    Attributes:
        rate_bias: float64 [3], 0.1 deg/s.
        force_bias: float64 [3], g / 1000.
        gain: float64 [6], of acceleration and rotation.
        rate_noise, force_noise: standard deviations, in the same units.
    """

    rate_bias: Floats
    force_bias: Floats
    gain: Floats
    rate_noise: float = 2.0
    force_noise: float = 4.0


@dataclass(frozen=True)
class SimulatedMotion:
    """What was done, and what the sensor said of it.

    Attributes:
        samples: int16 [n, 6] at SAMPLE_RATE_HZ, as the `imu` command has them: acceleration in g / 1000,
            rotation in 0.1 deg/s.
        rotations: float64 [n, 3, 3], board -> world.
        path: float64 [n, 2], where the tip truly is, right and up, in lengths of the wand.
        start, end: of the stroke, without the rests before and after.
    """

    samples: NDArray[np.int16]
    rotations: Floats
    path: Floats
    start: int
    end: int


def random_grip(rng: np.random.Generator, roll_rad: float = 0.5) -> Grip:
    """Somebody's; `roll_rad` is the standard deviation of the wand's turn in the hand."""
    return Grip(
        roll_rad=float(rng.normal(0, roll_rad)),
        roll_swing=float(rng.normal(0, 0.15)),
        heading_rad=float(rng.uniform(-np.pi, np.pi)),
        elevation_rad=float(rng.normal(0.1, 0.2)),
        reach=float(rng.uniform(0.7, 1.4)),
        lever_m=float(rng.uniform(0.08, 0.35)),
        hand_m=float(rng.uniform(0.0, 0.15)),
        tremor_rad=float(rng.uniform(0.0, 0.0003)),
    )


def random_sensor(rng: np.random.Generator, rate_bias: float = 50.0, force_bias: float = 20.0) -> Sensor:
    """One sensor out of many; the biases are standard deviations, 0.1 deg/s and g / 1000."""
    return Sensor(
        rate_bias=rng.normal(0, rate_bias, 3),
        force_bias=rng.normal(0, force_bias, 3),
        gain=1 + rng.normal(0, 0.01, 6),
    )


def perfect_sensor() -> Sensor:
    """One without errors but for the steps of its numbers."""
    return Sensor(np.zeros(3), np.zeros(3), np.ones(6), 0.0, 0.0)


def wave(
    path: Path, grip: Grip, sensor: Sensor, rng: np.random.Generator, rest_s: tuple[float, float] = (0.8, 0.6)
) -> SimulatedMotion:
    """A wand at rest, then drawing `path` [n, 2] (right and up, at SAMPLE_RATE_HZ), then at rest.

    Args:
        path: what the tip draws.
        grip: how the wand is held.
        sensor: what measures it.
        rng: noise and tremor.
        rest_s: seconds of rest before and after.
    """
    before, after = (round(seconds * SAMPLE_RATE_HZ) for seconds in rest_s)
    held = np.concatenate([np.repeat(path[:1], before, 0), path, np.repeat(path[-1:], after, 0)])
    middle = (path.min(axis=0) + path.max(axis=0)) / 2
    tip = _finely(held - middle) * grip.reach
    tip += grip.tremor_rad * _tremor(len(tip), rng)
    rotations = _rotations(tip, grip)
    step_s = 1 / (SAMPLE_RATE_HZ * _OVERSAMPLING)
    place = grip.lever_m * (rotations @ POINTING) + grip.hand_m / grip.reach * _across(tip, grip)
    force = _specific_force(rotations, place, step_s)
    rates = _body_rates(rotations, step_s) * TENTHS_PER_RADIAN
    every = slice(_OVERSAMPLING // 2, None, _OVERSAMPLING)
    measured = _measure(np.concatenate([force[every] * 1000, rates[every]], axis=1), sensor, rng)
    return SimulatedMotion(measured, rotations[every], tip[every], before, before + len(path))


def tumble(seconds: float, sensor: Sensor, rng: np.random.Generator) -> NDArray[np.int16]:
    """A board that is moved about without meaning, int16 [n, 6]: carried, shaken, turned over."""
    count = round(seconds * SAMPLE_RATE_HZ)
    fine, step_s = count * _OVERSAMPLING, 1 / (SAMPLE_RATE_HZ * _OVERSAMPLING)
    swing = _wander(fine, rng.uniform(0.3, 3.0), rng) * np.exp(rng.normal(0.0, 0.8)) * 1.5
    place = _wander(fine, rng.uniform(0.3, 3.0), rng) * np.exp(rng.normal(0.0, 0.8)) * 0.08
    start = _about(rng.uniform(-np.pi, np.pi, 1), 2) @ _about(rng.uniform(-np.pi, np.pi, 1), 0)
    rotations = _euler(swing[:, 0], swing[:, 1], swing[:, 2]) @ start
    force = _specific_force(rotations, place, step_s)
    rates = _body_rates(rotations, step_s) * TENTHS_PER_RADIAN
    every = slice(_OVERSAMPLING // 2, None, _OVERSAMPLING)
    return _measure(np.concatenate([force[every] * 1000, rates[every]], axis=1), sensor, rng)


def _finely(path: Path) -> Floats:
    """The path [n, 2] at _OVERSAMPLING times its rate, as a hand with inertia follows it."""
    count = len(path)
    at = np.arange(count * _OVERSAMPLING) / _OVERSAMPLING
    fine = np.stack([np.interp(at, np.arange(count), path[:, axis]) for axis in (0, 1)], axis=1)
    return _smooth(fine, _INERTIA_S * SAMPLE_RATE_HZ * _OVERSAMPLING)


def _smooth(values: Floats, deviation: float) -> Floats:
    half = int(4 * deviation) + 1
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / deviation) ** 2)
    padded = np.pad(values, ((half, half), (0, 0)), mode="edge")
    columns = [np.convolve(column, kernel / kernel.sum(), "valid") for column in padded.T]
    return np.stack(columns, axis=1)


def _wander(count: int, hertz: float, rng: np.random.Generator) -> Floats:
    """Smooth noise [count, 3] of standard deviation near 1 and frequencies below about `hertz`."""
    deviation = SAMPLE_RATE_HZ * _OVERSAMPLING / (2 * np.pi * hertz)
    values = _smooth(rng.normal(0, 1, (count, 3)), deviation)
    result: Floats = values / max(float(values.std()), 1e-9)
    return result


def _tremor(count: int, rng: np.random.Generator) -> Floats:
    seconds = np.arange(count)[:, None] / (SAMPLE_RATE_HZ * _OVERSAMPLING)
    hertz = _REST_TREMOR_HZ * rng.uniform(0.9, 1.3, 2)
    shaking: Floats = np.sin(2 * np.pi * hertz * seconds + rng.uniform(0, 2 * np.pi, 2))
    return shaking


def _about(angles: Floats, axis: int) -> Floats:
    """Rotations [n, 3, 3] by angles [n] about an axis."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    rotations = np.tile(np.eye(3), (len(angles), 1, 1))
    rotations[:, first, first] = rotations[:, second, second] = np.cos(angles)
    rotations[:, second, first] = np.sin(angles)
    rotations[:, first, second] = -np.sin(angles)
    return rotations


def _euler(heading: Floats, elevation: Floats, roll: Floats) -> Floats:
    """Board -> world [n, 3, 3]. The wand points along -x: raising its tip turns the board about +y."""
    turned: Floats = _about(heading, 2) @ _about(elevation, 1) @ _about(roll, 0)
    return turned


def _line_of_sight(grip: Grip) -> Floats:
    """The frame of the stroke's middle: the wand looks along -x, right is +y, up is +z."""
    heading, elevation = np.array([grip.heading_rad]), np.array([grip.elevation_rad])
    frame: Floats = _euler(heading, elevation, np.zeros(1))[0]
    return frame


def _rotations(tip: Floats, grip: Grip) -> Floats:
    """Board -> world [n, 3, 3] while the tip is at `tip`, across the line of sight."""
    right, up = tip[:, 0], tip[:, 1]
    far = np.sqrt(np.maximum(1 - right**2 - up**2, 0.05))
    turned = np.arctan2(right, far)
    raised = np.arcsin(np.clip(up / np.sqrt(right**2 + up**2 + far**2), -1, 1))
    rotations: Floats = _line_of_sight(grip) @ _euler(
        -turned, raised, grip.roll_rad + grip.roll_swing * turned
    )
    return rotations


def _across(tip: Floats, grip: Grip) -> Floats:
    """The tip's displacement [n, 3] in the world."""
    return tip @ _line_of_sight(grip)[:, 1:].T


def _body_rates(rotations: Floats, step_s: float) -> Floats:
    """Angular velocity in the board's axes, rad/s [n, 3]: R' dR/dt is its cross-product matrix."""
    turning = np.einsum("nji,njk->nik", rotations, np.gradient(rotations, step_s, axis=0))
    return np.stack([turning[:, 2, 1], turning[:, 0, 2], turning[:, 1, 0]], axis=1)


def _specific_force(rotations: Floats, place: Floats, step_s: float) -> Floats:
    """What an accelerometer feels, in g [n, 3]."""
    acceleration = np.gradient(np.gradient(place, step_s, axis=0), step_s, axis=0) / GRAVITY
    acceleration[:, 2] += 1.0
    force: Floats = np.einsum("nji,nj->ni", rotations, acceleration)
    return force


def _measure(truth: Floats, sensor: Sensor, rng: np.random.Generator) -> NDArray[np.int16]:
    bias = np.concatenate([sensor.force_bias, sensor.rate_bias])
    noise = rng.normal(0, 1, truth.shape) * np.repeat([sensor.force_noise, sensor.rate_noise], 3)
    limit = np.repeat([MILLI_G_LIMIT, TENTHS_LIMIT], 3)
    measured: NDArray[np.int16] = np.clip(np.rint(truth * sensor.gain + bias + noise), -limit, limit).astype(
        np.int16
    )
    return measured
