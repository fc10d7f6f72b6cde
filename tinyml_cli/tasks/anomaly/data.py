"""From a recipe's data to windows: for training, for the threshold, and held out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import inventory
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.anomaly_settings import SignalInput, SoundInput
from tinyml_cli.recipes.anomaly import AnomalyRecipe
from tinyml_cli.tasks.anomaly import simulate
from tinyml_cli.tasks.anomaly.pool import (
    FaultRecordings,
    MachineRecording,
    NormalRecordings,
    NormalSplits,
    NormalWindows,
    cut_normal,
    separate,
    split_normal,
)
from tinyml_cli.tasks.anomaly.read import Found, read
from tinyml_cli.tasks.anomaly.windows import WindowInput
from tinyml_cli.wording import counted

_BANDS = 16
_WINDOW_WITH_BANDS = 128
_WINDOW_WITHOUT = 64
# The largest sample of normal running takes this much of int16: a fault may be four times as strong.
_FULL_SCALE = 8192
# Deviations below half a unit of an integer feature are rounding.
_LEAST_DEVIATION = 0.5


@dataclass(frozen=True)
class PreparedRecordings:
    """Everything that training needs, and the faults that it does not get.

    Attributes:
        found: kind of data.
        source: how windows are cut, and what is computed from each.
        splits: normal recordings by use.
        faults: for evaluation.
        notes: where the data comes from, how it was read, and what was not used.
    """

    found: Found
    source: WindowInput
    splits: NormalSplits
    faults: FaultRecordings
    notes: tuple[str, ...]

    def windows(self, part: NormalRecordings) -> NormalWindows:
        """Windows of a part of the normal recordings."""
        source = self.source
        return cut_normal(part, source.window_samples, source.stride_samples, source.sample_scale)


@dataclass(frozen=True)
class Standard:
    """What is normal for each feature: int [features] and float [features]; deviation 0 leaves one out."""

    offsets: list[int]
    deviations: list[float]


def prepare(recipe: AnomalyRecipe) -> PreparedRecordings:
    """Reads or simulates, parts normal from faulty, splits, and settles how windows are cut.

    Raises:
        TinymlError: unusable data.
    """
    found = load(recipe)
    where = recipe.data_path or "simulated machine"
    normal, faults = separate(found.recordings, where)
    training = recipe.training
    splits = split_normal(normal, training.threshold_share, training.test_share, recipe.seed, where)
    source = window_input(found, splits.train, recipe)
    _check_channels(splits.train, found)
    note = (
        f"{len(normal)} normal and {counted(len(faults), 'other recording')}, normal ones split by "
        f"{splits.by}"
    )
    return PreparedRecordings(
        found,
        source,
        splits,
        faults,
        tuple(filter(None, (note, found.reading, *inventory.sentences(found.left_out)))),
    )


def load(recipe: AnomalyRecipe) -> Found:
    """The recordings of the recipe's data, or of a simulated machine.

    Raises:
        TinymlError: unusable data.
    """
    if recipe.data_path is not None:
        rate_hz = recipe.sound.frontend.sample_rate_hz
        found = read(
            Path(recipe.data_path),
            recipe.normal,
            recipe.rate_hz,
            rate_hz,
            recipe.data,
            wanted_hz=recipe.rate_hz,
        )
        if found.reading:
            console.info(f"Read as {found.reading}")
        inventory.tell(found.left_out)
        return found
    of = recipe.simulation
    recordings = simulate.simulate(
        of.normal_sessions, of.fault_sessions, of.session_s, of.drift_share, recipe.seed
    )
    return Found(tuple(recordings), "imu", simulate.CHANNELS, simulate.RATE_HZ)


def window_input(found: Found, train: NormalRecordings, recipe: AnomalyRecipe) -> WindowInput:
    """How windows are cut; the scale of samples comes from the training part alone.

    Raises:
        TinymlError: settings that the firmware cannot hold.
    """
    if found.sensor == "microphone":
        sound = SoundInput(frames=recipe.sound.frames, stride_frames=recipe.sound.stride_frames)
        return WindowInput(None, sound, recipe.sound.frontend)
    of = recipe.signal
    bands = of.bands if of.bands is not None else 0 if found.window_samples else _BANDS
    window = of.window_samples or found.window_samples or (_WINDOW_WITH_BANDS if bands else _WINDOW_WITHOUT)
    stride = of.stride_samples or (window if found.window_samples else max(1, window // 2))
    try:
        signal = SignalInput(
            sample_rate_hz=found.rate_hz,
            window_samples=window,
            stride_samples=stride,
            channels=list(found.channels),
            sample_scale=_scale(train),
            bands=bands,
            floor_lsb=of.floor_lsb,
        )
    except ValueError as error:
        raise TinymlError(
            f"Cannot make windows ({error})", "signal", "For the valid ranges: tinyml recipes show anomaly"
        ) from error
    return WindowInput(signal, None, None)


def standard(features: NDArray[np.int32], source: WindowInput, aligned: bool) -> Standard:
    """Mean and deviation of each feature of normal windows.

    Args:
        features: int32 [n, features], normal.
        source: where they come from.
        aligned: whether the same place in each window means the same (as in heartbeats). If not, all places
            of one channel share their figures: what place a window starts at is chance.

    Raises:
        TinymlError: no window, or nothing that changes.
    """
    if not len(features):
        raise TinymlError(
            f"No normal recording is long enough for a window of {counted(source.window_samples, 'sample')}",
            "data",
            "Record for longer, or choose a smaller signal.window_samples or sound.frames.",
        )
    per_step = source.values_per_step
    values = features.astype(np.float64)
    if per_step and not aligned:
        values = values.reshape(-1, per_step)
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    repeats = features.shape[1] // values.shape[1]
    kept = np.where(deviation > 0, np.maximum(deviation, _LEAST_DEVIATION), 0.0)
    if not kept.any():
        raise TinymlError("The normal data is constant", "data", "Check the sensor, and record again.")
    offsets = np.tile(np.rint(mean).astype(int), repeats)
    return Standard(offsets.tolist(), np.tile(kept.round(4), repeats).tolist())


def keep(recordings: list[MachineRecording], most_samples: int) -> list[MachineRecording]:
    """As many recordings of each condition, in order, as fit."""
    conditions = sorted({each.condition for each in recordings})
    kept: list[MachineRecording] = []
    for condition in conditions:
        room = most_samples // len(conditions)
        for each in recordings:
            if each.condition == condition and each.samples.size <= room:
                room -= each.samples.size
                kept.append(each)
    return kept


def _scale(train: NormalRecordings) -> float:
    """A power of two that brings float samples to about a quarter of int16; 1 for samples that are int16."""
    peak = max((float(np.abs(e.samples).max()) for e in train if e.samples.dtype != np.int16), default=0.0)
    return 2.0 ** math.floor(math.log2(_FULL_SCALE / peak)) if peak > 0 else 1.0


def _check_channels(train: NormalRecordings, found: Found) -> None:
    lowest = np.min([each.samples.min(axis=0) for each in train], axis=0)
    highest = np.max([each.samples.max(axis=0) for each in train], axis=0)
    still = [name for name, low, high in zip(found.channels, lowest, highest, strict=True) if low == high]
    if still:
        console.warn(f"constant in normal running and ignored: {', '.join(still)}")
