"""Held-out recordings for evaluation: normal ones used for no training, and faults."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.files import atomic_path, write_arrays, write_atomic
from tinyml_cli.run import Run
from tinyml_cli.tasks.anomaly.data import keep
from tinyml_cli.tasks.anomaly.pool import FaultRecordings, MachineRecording, NormalRecordings, to_int16
from tinyml_cli.tasks.anomaly.windows import WindowInput

HELD_OUT = "held_out.npz"
REPLAY = "replay"

_MOST_SAMPLES = 30_000_000
_REPLAY_S = 30.0


def save(run: Run, test: NormalRecordings, faults: FaultRecordings, scale: float) -> int:
    """Writes them as int16, as a board sees them; returns how many."""
    kept = keep([*test, *faults], _MOST_SAMPLES)
    samples = [to_int16(each.samples, scale) for each in kept]
    arrays: dict[str, NDArray[Any]] = {
        "samples": np.concatenate(samples) if samples else np.empty((0, 1), np.int16),
        "lengths": np.array([len(each) for each in samples], np.int64),
        "rates_hz": np.array([each.rate_hz for each in kept]),
        "names": np.array([each.name for each in kept], dtype=np.str_),
        "groups": np.array([each.group for each in kept], dtype=np.str_),
        "conditions": np.array([each.condition for each in kept], dtype=np.str_),
        "is_normal": np.array([each.is_normal for each in kept], bool),
    }
    write_arrays(run.file(HELD_OUT), arrays)
    return len(kept)


def load(run: Run) -> list[MachineRecording]:
    """The recordings that `save` wrote.

    Raises:
        TinymlError: they are missing or changed.
    """
    with np.load(run.require(run.manifest(), HELD_OUT)) as archive:
        arrays = {name: archive[name] for name in archive.files}
    ends = np.cumsum(arrays["lengths"])
    return [
        MachineRecording(
            name=str(arrays["names"][index]),
            samples=arrays["samples"][end - length : end],
            rate_hz=float(arrays["rates_hz"][index]),
            group=str(arrays["groups"][index]),
            condition=str(arrays["conditions"][index]),
            is_normal=bool(arrays["is_normal"][index]),
        )
        for index, (end, length) in enumerate(zip(ends, arrays["lengths"], strict=True))
    ]


def write_replay(run: Run, per_condition: int) -> Path:
    """Writes held-out recordings as `replay/CONDITION/NAME`: WAV for sound, CSV in the data's unit otherwise.

    Normal running is as much as all faults together. Short ones (heartbeats) are joined.
    """
    source = WindowInput.of(run.manifest())
    recordings = load(run)
    folder = run.file(REPLAY)
    faults = sorted({each.condition for each in recordings if not each.is_normal})
    for condition in sorted({each.condition for each in recordings}):
        mine = [each for each in recordings if each.condition == condition]
        most = per_condition * max(1, len(faults)) if mine[0].is_normal else per_condition
        for index, samples in enumerate(_takes(mine, source)[:most]):
            name = f"{_safe(condition)}-{index}"
            write_take(folder / _safe(condition) / name, samples, source)
    return folder


def _takes(recordings: list[MachineRecording], source: WindowInput) -> list[NDArray[np.int16]]:
    """Stretches of at most _REPLAY_S; recordings of a single window are joined to takes of eight."""
    most = max(source.window_samples, round(_REPLAY_S * source.rate_hz))
    pieces = [to_int16(each.samples, 1.0) for each in recordings]
    if all(len(piece) < 2 * source.window_samples for piece in pieces):
        whole = [piece for piece in pieces if len(piece) == source.window_samples]
        return [np.concatenate(whole[start : start + 8]) for start in range(0, len(whole), 8)]
    return [piece[-most:] for piece in pieces if len(piece) >= source.window_samples]


def write_take(path: Path, samples: NDArray[np.int16], source: WindowInput) -> None:
    if source.signal is None:
        import soundfile

        with atomic_path(path.with_suffix(".wav")) as temporary:
            soundfile.write(temporary, samples, round(source.rate_hz), subtype="PCM_16", format="WAV")
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(source.signal.channels)
    scale = source.signal.sample_scale
    writer.writerows((samples / scale if scale != 1.0 else samples).tolist())
    write_atomic(path.with_suffix(".csv"), text.getvalue())


def _safe(condition: str) -> str:
    return re.sub(r"[^\w-]+", "_", condition)
