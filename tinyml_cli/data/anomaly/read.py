"""From a folder or file of the user's to recordings: their kind, what is normal, what belongs together."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinyml_cli.data.anomaly.edge_impulse import CHANNELS, read_motion
from tinyml_cli.data.anomaly.pool import Recording, to_int16
from tinyml_cli.data.anomaly.series import read_csv, read_windows
from tinyml_cli.data.audio_file import AUDIO_SUFFIXES, UnreadableAudioError, read_audio
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.anomaly_settings import Sensor

NORMAL = "normal"
_FAULT_NAMES = ("anomaly", "anomalous", "abnormal", "fault", "faulty", "broken")
_RATE_TOLERANCE = 0.01
# `id_02` and the like in ToyADMOS, MIMII and DCASE tell machines of one type apart.
_MACHINE_ID = re.compile(r"(?:^|[_/\\-])(id_?\d+|case\d+|section_?\d+)(?=[_./\\-]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """What was read.

    Attributes:
        sensor: `imu` (int16 in mg and tenths of a degree per second; JSON, or CSV with the columns of
            CHANNELS or the first three), `microphone` (int16 audio) or `series`.
        channels: names.
        rate_hz: samples a second.
        window_samples: of data that comes in windows; None where any stretch can be cut out.
    """

    recordings: tuple[Recording, ...]
    sensor: Sensor
    channels: tuple[str, ...]
    rate_hz: float
    window_samples: int | None = None


def read(path: Path, normal: Collection[str], rate_hz: float | None, audio_rate_hz: int) -> Found:
    """Reads a folder (or one file) of recordings, all of one kind.

    Its condition is its label column, else what its own name or a folder's name says.

    Args:
        path: folder or file.
        normal: conditions that count as normal; empty: `normal` alone (for tables of windows: `1`).
        rate_hz: of series without a time column.
        audio_rate_hz: what sound is resampled to.

    Raises:
        TinymlError: nothing that can be read, kinds or rates that are mixed, damaged files.
    """
    files = _files(path)
    kinds = {file.suffix.lower() for file in files}
    is_normal = _judge(normal)
    if kinds <= set(AUDIO_SUFFIXES):
        return _sound(path, files, is_normal, audio_rate_hz)
    if len(kinds) > 1:
        raise TinymlError(
            f"The folder mixes {', '.join(sorted(kinds))}", str(path), "Give a folder with one kind of file."
        )
    match kinds.pop():
        case ".json":
            return _motion(path, files, is_normal)
        case ".csv":
            return _series(path, files, is_normal, rate_hz)
        case _:
            return _tables(path, files, _judge(normal or ("1",)), rate_hz)


def _files(path: Path) -> list[Path]:
    suffixes = (*AUDIO_SUFFIXES, ".json", ".csv", ".txt", ".tsv", ".ts")
    if not path.exists():
        raise TinymlError("There is no such data", str(path), "Give a folder or file to --data.")
    found = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    files = [
        p for p in found if p.suffix.lower() in suffixes and not p.name.startswith((".", "README", "LICENSE"))
    ]
    if not files:
        raise TinymlError(
            "There is nothing here that can be read", str(path), f"Known kinds: {', '.join(suffixes)}."
        )
    return files


def _judge(normal: Collection[str]) -> Callable[[str], bool]:
    names = {name.strip().lower() for name in normal} or {NORMAL}
    return lambda condition: condition.strip().lower() in names


def condition_of(file: Path, root: Path) -> str:
    """What the nearest folder or the file's own name says: `normal`, a fault, or any other folder's name."""
    parts = [file.stem, *(p.name for p in file.parents if root in (p, *p.parents))]
    for part in parts:
        name = part.lower()
        if name.startswith(NORMAL):
            return NORMAL
        if any(name.startswith(fault) for fault in _FAULT_NAMES):
            return part if part != file.stem else "anomaly"
    return file.parent.name if file.parent != root else file.stem


def _group(file: Path, root: Path) -> str:
    """The machine where the name tells it, else the recording."""
    place = file.relative_to(root).as_posix() if file != root else file.name
    machine = _MACHINE_ID.search(place)
    return machine.group(1).lower() if machine else place


def _sound(root: Path, files: list[Path], is_normal: Callable[[str], bool], rate_hz: int) -> Found:
    recordings = []
    for file in files:
        try:
            audio = read_audio(file, rate_hz)
        except UnreadableAudioError as error:
            raise TinymlError(
                f"The sound cannot be read: {error}", str(file), "Mend or remove it."
            ) from error
        condition = condition_of(file, root)
        held_out = (
            "test" in {part.lower() for part in file.relative_to(root).parts[:-1]} if file != root else False
        )
        name = file.name if file == root else file.relative_to(root).as_posix()
        recordings.append(
            Recording(
                name, audio[:, None], rate_hz, _group(file, root), condition, is_normal(condition), held_out
            )
        )
    return Found(tuple(recordings), "microphone", ("sound",), float(rate_hz))


def _motion(root: Path, files: list[Path], is_normal: Callable[[str], bool]) -> Found:
    recordings = []
    for file in files:
        samples, rate_hz, condition = read_motion(file)
        recordings.append(Recording(file.name, samples, rate_hz, file.name, condition, is_normal(condition)))
    return Found(tuple(recordings), "imu", CHANNELS, _one_rate(root, recordings))


def _series(root: Path, files: list[Path], is_normal: Callable[[str], bool], rate_hz: float | None) -> Found:
    recordings: list[Recording] = []
    channels: dict[tuple[str, ...], Path] = {}
    for file in files:
        stretches = read_csv(file)
        for index, stretch in enumerate(stretches):
            rate = stretch.rate_hz or rate_hz
            if rate is None:
                raise TinymlError(
                    "The file has no time column", str(file), "Say how many samples a second: --rate HZ"
                )
            condition = stretch.condition or condition_of(file, root)
            name = file.name if file == root else file.relative_to(root).as_posix()
            name += f":{index}" if len(stretches) > 1 else ""
            channels[stretch.channels] = file
            recordings.append(
                Recording(name, stretch.samples, rate, _group(file, root), condition, is_normal(condition))
            )
    if len(channels) > 1:
        (one, first), (other, second) = list(channels.items())[:2]
        raise TinymlError(
            f"`{first.name}` has the columns {', '.join(one)}, `{second.name}` {', '.join(other)}",
            str(root),
            "Give files with the same columns.",
        )
    names, rate_of_all = next(iter(channels)), _one_rate(root, recordings)
    if names in (CHANNELS[:3], CHANNELS):
        whole = (replace(each, samples=to_int16(each.samples, 1.0)) for each in recordings)
        return Found(tuple(whole), "imu", names, rate_of_all)
    return Found(tuple(recordings), "series", names, rate_of_all)


def _tables(root: Path, files: list[Path], is_normal: Callable[[str], bool], rate_hz: float | None) -> Found:
    recordings: list[Recording] = []
    widths = set()
    for file in files:
        values, labels = read_windows(file)
        widths.add(values.shape[1])
        for index, (row, label) in enumerate(zip(values, labels, strict=True)):
            name = f"{file.name}:{index + 1}"
            recordings.append(
                Recording(
                    name, row[:, None], rate_hz or float(values.shape[1]), name, label, is_normal(label)
                )
            )
    if len(widths) > 1:
        raise TinymlError(
            f"The files hold windows of {' and '.join(map(str, sorted(widths)))} samples",
            str(root),
            "Give files with windows of one length.",
        )
    # Without a rate a window counts as one second: nothing but the clock of the reports depends on it.
    width = widths.pop()
    return Found(tuple(recordings), "series", ("value",), rate_hz or float(width), width)


def _one_rate(root: Path, recordings: list[Recording]) -> float:
    rates = np.array([recording.rate_hz for recording in recordings])
    usual = float(np.median(rates))
    strange = np.abs(rates - usual) > _RATE_TOLERANCE * usual
    if strange.any():
        other = recordings[int(np.flatnonzero(strange)[0])]
        raise TinymlError(
            f"The data mixes rates: {usual:.4g} samples a second, but `{other.name}` has {other.rate_hz:.4g}",
            str(root),
            "Resample it to one rate, or keep one rate's files.",
        )
    return usual
