"""A simulated machine with an accelerometer: normal running in many sessions, and labelled faults.

The signal is a sum of the components that vibration diagnosis uses (R. B. Randall, "Vibration-based Condition
Monitoring", 2011, chapter 2): harmonics of the shaft, impacts at a bearing's defect frequency that excite a
resonance of the housing, load that changes speed and level, wear that drifts, and sensor noise. It is
slow (about 15 turns per second) because motion sensors of small boards are: 100 samples per second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.tasks.anomaly.pool import MachineRecording

RATE_HZ = 100.0
CHANNELS = ("ax_mg", "ay_mg", "az_mg")
NORMAL = "normal"

_SENSOR_NOISE_MG = 4.0
_RESONANCE_HZ = 38.0
_RESONANCE_DECAY_S = 0.06
# Defects met per turn of the shaft: n / 2 (1 -+ d / D) with n = 9 balls and d / D = 0.204.
_BPFO = 3.58
_BPFI = 5.42

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class _Machine:
    """One session: how this machine stands and runs today.

    Attributes:
        turn_hz: turns of the shaft a second, float64 [n].
        angle: of the shaft in turns, float64 [n].
        load: 0 (idling) to 1 (full), float64 [n].
        harmonics_mg: amplitude of turns x1, x2, x3 for each axis, float64 [3, 3].
        phases: of the same, in turns.
        gravity_mg: float64 [3].
    """

    turn_hz: FloatArray
    angle: FloatArray
    load: FloatArray
    harmonics_mg: FloatArray
    phases: FloatArray
    gravity_mg: FloatArray


Fault = Callable[[FloatArray, _Machine, float, np.random.Generator], FloatArray]


def simulate(
    normal_sessions: int, fault_sessions: int, session_s: float, drift_share: float, seed: int
) -> list[MachineRecording]:
    """Sessions of one machine.

    Args:
        normal_sessions: sessions of normal running, each with a load and a mounting of its own.
        fault_sessions: sessions of each fault, from faint to strong.
        session_s: length of a session in seconds.
        drift_share: by how much the level of a session may drift while it lasts, at most.
        seed: fixes everything.

    Returns:
        Recordings of three channels in thousandths of g, int16, at RATE_HZ.
    """
    recordings = [
        _record(NORMAL, None, 0.0, index, session_s, drift_share, seed) for index in range(normal_sessions)
    ]
    for name, fault in FAULTS.items():
        for index in range(fault_sessions):
            severity = (index + 1) / fault_sessions
            recordings.append(_record(name, fault, severity, index, session_s, drift_share, seed))
    return recordings


def _record(
    condition: str,
    fault: Fault | None,
    severity: float,
    index: int,
    session_s: float,
    drift_share: float,
    seed: int,
) -> MachineRecording:
    stream = [NORMAL, *FAULTS].index(condition)
    rng = np.random.default_rng([seed, 41, stream, index])
    machine = _machine(round(session_s * RATE_HZ), drift_share, rng)
    signal = _running(machine, rng)
    if fault is not None:
        signal = fault(signal, machine, severity, rng)
    noise = rng.normal(0.0, _SENSOR_NOISE_MG, signal.shape)
    samples = np.clip(np.rint(signal + machine.gravity_mg + noise), -4000, 4000).astype(np.int16)
    name = f"{condition} session {index}"
    return MachineRecording(name, samples, RATE_HZ, name, condition, fault is None)


def _machine(n: int, drift_share: float, rng: np.random.Generator) -> _Machine:
    time_s = np.arange(n) / RATE_HZ
    load = _load(n, rng)
    turn_hz = rng.uniform(15.0, 16.0) - 1.2 * load + 0.05 * np.sin(2 * np.pi * time_s / 7.0)
    drift = 1.0 + rng.uniform(-drift_share, drift_share) * np.linspace(0.0, 1.0, n)
    base = np.array([[60.0, 22.0, 9.0], [52.0, 18.0, 8.0], [20.0, 12.0, 5.0]]) * rng.normal(1, 0.08, (3, 3))
    tilt = rng.normal(0.0, 0.02, 3)
    return _Machine(
        turn_hz=turn_hz,
        angle=np.cumsum(turn_hz) / RATE_HZ + rng.uniform(),
        load=load * drift,
        harmonics_mg=base,
        phases=rng.uniform(0, 1, (3, 3)),
        gravity_mg=1000.0 * np.array([tilt[0], tilt[1], 1.0 - tilt[2] ** 2]),
    )


def _load(n: int, rng: np.random.Generator) -> FloatArray:
    """Steps between loads every 8 to 25 seconds, smoothed over about a second."""
    load = np.empty(n)
    start = 0
    while start < n:
        length = round(rng.uniform(8.0, 25.0) * RATE_HZ)
        load[start : start + length] = rng.uniform(0.0, 1.0)
        start += length
    kernel = np.hanning(round(RATE_HZ) + 2)
    padded = np.pad(load, len(kernel) // 2, mode="edge")
    smooth: FloatArray = np.convolve(padded, kernel / kernel.sum(), mode="valid")[:n]
    return smooth


def _running(machine: _Machine, rng: np.random.Generator) -> FloatArray:
    """float64 [n, 3]: harmonics that grow with the load, and broad noise of flow and friction."""
    level = 0.6 + 0.4 * machine.load
    orders = np.arange(1, 4)
    turns = machine.angle[:, None, None] * orders + machine.phases
    harmonics = (machine.harmonics_mg * np.sin(2 * np.pi * turns)).sum(axis=2)
    friction = rng.normal(0.0, 1.0, harmonics.shape) * np.array([7.0, 7.0, 6.0])
    running: FloatArray = level[:, None] * (harmonics + friction)
    return running


def _imbalance(signal: FloatArray, machine: _Machine, severity: float, _: np.random.Generator) -> FloatArray:
    """A heavy spot: once a turn, radial, growing with the square of the speed."""
    turn = 2 * np.pi * machine.angle
    force = severity * 95.0 * (machine.turn_hz / 15.0) ** 2
    return signal + np.stack([force * np.sin(turn), force * np.cos(turn), 0.1 * force * np.sin(turn)], axis=1)


def _misalignment(
    signal: FloatArray, machine: _Machine, severity: float, _: np.random.Generator
) -> FloatArray:
    """Twice a turn, and along the axis."""
    turn = 2 * np.pi * machine.angle
    amount = severity * 60.0
    axial = amount * (np.sin(2 * turn) + 0.6 * np.sin(turn))
    radial = 0.7 * amount * np.sin(2 * turn + 1.0)
    return signal + np.stack([radial, 0.7 * radial, axial], axis=1)


def _looseness(signal: FloatArray, machine: _Machine, severity: float, _: np.random.Generator) -> FloatArray:
    """A loose foot knocks every second turn: halves of the turn's frequency, cut off at one side."""
    half = np.sin(np.pi * machine.angle)
    knock = severity * 75.0 * np.maximum(half, 0.0) ** 3
    return signal + np.stack([0.5 * knock, 0.4 * knock, knock], axis=1)


def _bearing(order: float, modulated: bool) -> Fault:
    def fault(signal: FloatArray, machine: _Machine, severity: float, rng: np.random.Generator) -> FloatArray:
        """Impacts at the defect's frequency, with a slip of one in a hundred, ring the housing."""
        slipped = machine.angle * order + np.cumsum(rng.normal(0.0, 0.01, len(signal)))
        hits = np.diff(np.floor(slipped), prepend=np.floor(slipped[0])) > 0
        force = severity * 150.0 * (0.5 + 0.5 * machine.load)
        if modulated:  # the inner race carries its defect in and out of the loaded zone
            force = force * (0.5 + 0.5 * np.cos(2 * np.pi * machine.angle))
        decay = np.arange(round(6 * _RESONANCE_DECAY_S * RATE_HZ)) / RATE_HZ
        ring = np.exp(-decay / _RESONANCE_DECAY_S) * np.cos(2 * np.pi * _RESONANCE_HZ * decay)
        rung = np.convolve(hits * force, ring)[: len(signal)]
        faulty: FloatArray = signal + rung[:, None] * np.array([0.7, 0.5, 0.4])
        return faulty

    return fault


def _rubbing(signal: FloatArray, machine: _Machine, severity: float, rng: np.random.Generator) -> FloatArray:
    """Friction in bursts, once a turn."""
    contact = np.maximum(np.sin(2 * np.pi * machine.angle), 0.0) ** 4
    burst = severity * 70.0 * contact[:, None] * rng.normal(0.0, 1.0, signal.shape)
    return signal + burst


def _clogging(signal: FloatArray, machine: _Machine, severity: float, rng: np.random.Generator) -> FloatArray:
    """Air or flow blocked: broad noise grows, slowly swelling."""
    swell = 1.0 + 0.5 * np.sin(2 * np.pi * np.arange(len(signal)) / (2.5 * RATE_HZ))
    noise: FloatArray = rng.normal(0.0, 1.0, signal.shape)
    faulty: FloatArray = signal + severity * 32.0 * swell[:, None] * noise
    return faulty


def _stopped(signal: FloatArray, _: _Machine, severity: float, __: np.random.Generator) -> FloatArray:
    """The slipping belt: the machine no longer moves what it should, the vibration is nearly gone."""
    return signal * (0.35 - 0.3 * severity)


FAULTS: dict[str, Fault] = {
    "imbalance": _imbalance,
    "misalignment": _misalignment,
    "looseness": _looseness,
    "bearing outer race": _bearing(_BPFO, modulated=False),
    "bearing inner race": _bearing(_BPFI, modulated=True),
    "rubbing": _rubbing,
    "clogging": _clogging,
    "slipping belt": _stopped,
}
