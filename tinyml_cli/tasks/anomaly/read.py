"""Reads recordings from a user's folder or file: their kind, what is normal, and which belong together."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tinyml_cli.data import inventory
from tinyml_cli.data.audio_file import AUDIO_SUFFIXES, UnreadableAudioError, length_of, read_audio
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.data.series import alike, windows
from tinyml_cli.data.series.read import (
    BOARD_CHANNELS,
    SUFFIXES,
    Series,
    collecting,
    common_units,
    read_series,
)
from tinyml_cli.data.series.reading import summary
from tinyml_cli.data.series.sources import SeriesSource, files_in, sources, unused
from tinyml_cli.data.series.table import TABLES
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.anomaly_settings import Sensor
from tinyml_cli.recipes.series import SeriesRecipe
from tinyml_cli.tasks.anomaly.pool import MachineRecording

NORMAL = "normal"
_SUFFIXES = tuple(dict.fromkeys((*AUDIO_SUFFIXES, *SUFFIXES, *windows.SUFFIXES)))
_FAULT_NAMES = ("anomaly", "anomalous", "abnormal", "fault", "faulty", "broken")
_SPLIT_FOLDERS = ("training", "testing", "train", "test")
# `id_02` and the like in ToyADMOS, MIMII and DCASE tell machines of one type apart.
_MACHINE_ID = re.compile(r"(?:^|[_/\\-])(id_?\d+|case\d+|section_?\d+)(?=[_./\\-]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """What was read.

    Attributes:
        sensor: `imu` (int16 in mg and tenths of a degree per second: acceleration of three axes, and
            perhaps rotation, and nothing else), `microphone` (int16 audio) or `series`.
        channels: names.
        rate_hz: samples a second.
        window_samples: of data that comes in windows; None where any stretch can be cut out.
        reading: what was understood of the files.
        left_out: files that were not used.
        units: of the files; see `series.read.common_units`.
    """

    recordings: tuple[MachineRecording, ...]
    sensor: Sensor
    channels: tuple[str, ...]
    rate_hz: float
    window_samples: int | None = None
    reading: str = ""
    left_out: tuple[LeftOut, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)


def read(
    path: Path,
    normal: Collection[str],
    rate_hz: float | None,
    audio_rate_hz: int,
    options: SeriesRecipe | None = None,
    assumed: Mapping[str, str] | None = None,
    wanted_hz: float | None = None,
    refused: dict[Path, TinymlError] | None = None,
) -> Found:
    """Reads a folder (or one file) of recordings, all of one kind.

    Its condition is its label column, else what its own name or a folder's name says.

    Args:
        path: folder or file.
        normal: conditions that count as normal; empty: `normal` alone (for tables of windows: `1`).
        rate_hz: of series without a time column.
        audio_rate_hz: what sound is resampled to.
        options: what the user says about files of series.
        assumed: units of files that do not tell; see `read_series`.
        wanted_hz: what series are resampled to; None: the rate of most samples.
        refused: collects what is wrong with single files, which are then left out.

    Raises:
        TinymlError: nothing that can be read, kinds or columns that are mixed, damaged files, or a rate that
            is far too low.
    """
    files = _files(path)
    options = options or SeriesRecipe()
    options = options.model_copy(update={"rate_hz": options.rate_hz or rate_hz})
    sounds = [file for file in files if file.suffix.lower() in AUDIO_SUFFIXES]
    if refused is not None and len(sounds) < len(files):
        sounds = _readable(sounds, refused)
    if sounds:
        if other := _series_among(files, sounds, options, refused):
            raise TinymlError(
                f"The folder mixes sound (`{sounds[0].name}`) and other kinds (`{other.name}`)",
                str(path),
                "Give a folder with one kind of file.",
            )
        found = _sound(path, sounds, _judge(normal), audio_rate_hz, refused)
    elif in_windows := _in_windows(files, options, refused):
        if other := _series_among(files, in_windows, options, refused):
            raise TinymlError(
                f"The folder mixes one-window-per-line files (`{in_windows[0].name}`) and series "
                f"(`{other.name}`)",
                str(path),
                "Give a folder with one kind of file.",
            )
        found = _tables(path, in_windows, _judge(normal or ("1",)), options.rate_hz, refused)
    else:
        recordings, others = sources([file for file in files if file not in (refused or {})], refused)
        series = read_series(recordings, options, rate_hz, assumed=assumed, refused=refused)
        found = _series(path, series, _judge(normal), wanted_hz, refused)
        return replace(found, left_out=tuple(unused(path, recordings, others, _SUFFIXES, refused)))
    used = [SeriesSource(file) for file in (sounds or in_windows)]
    return replace(found, left_out=tuple(unused(path, used, {}, _SUFFIXES, refused)))


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise TinymlError("The data does not exist", str(path), "Give a folder or file to --data.")
    files = files_in(path, _SUFFIXES)
    if not files:
        why = inventory.explained(unused(path, (), {}, _SUFFIXES))
        raise TinymlError(f"No readable files found{why}", str(path), f"Supported: {', '.join(_SUFFIXES)}.")
    return files


def _in_windows(
    files: list[Path], options: SeriesRecipe, refused: dict[Path, TinymlError] | None
) -> list[Path]:
    """The tables that hold a window in each line; a recipe that names columns has none."""
    found = []
    for file in files if options.columns is None else ():
        if file.suffix.lower() in (*TABLES, *windows.SUFFIXES):
            with collecting(refused, file):
                found += [file] if windows.holds_windows(file) else []
    return found


def _series_among(
    files: list[Path], known: list[Path], options: SeriesRecipe, refused: dict[Path, TinymlError] | None
) -> Path | None:
    """The first of the other files; with `refused`, the first that can be read as a series."""
    others = [file for file in files if file not in {*known, *(refused or {})}]
    if refused is None or not others:
        return next(iter(others), None)
    if in_windows := [file for file in others if windows.is_windows(file)]:
        return in_windows[0]
    series = read_series(sources(others, refused)[0], options, refused=refused)
    return series[0].path if series else None


def _judge(normal: Collection[str]) -> Callable[[str], bool]:
    names = {name.strip().lower() for name in normal} or {NORMAL}
    return lambda condition: condition.strip().lower() in names


def condition_of(file: Path, root: Path) -> str:
    """What the nearest folder or the file's own name says: `normal`, a fault, or any other folder's name.

    Edge Impulse names files LABEL.ID, in folders `training` and `testing`.
    """
    stem, _, number = file.stem.partition(".")
    parts = [stem, *(p.name for p in file.parents if root in (p, *p.parents))]
    for part in parts:
        name = part.lower()
        if name.startswith(NORMAL):
            return NORMAL
        if any(name.startswith(fault) for fault in _FAULT_NAMES):
            return part if part != stem else "anomaly"
    labelled = bool(number) and (
        file.suffix.lower() in (".json", ".cbor") or file.parent.name in _SPLIT_FOLDERS
    )
    return file.parent.name if root not in (file, file.parent) and not labelled else stem


def _name(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file != root else file.name


def _group(file: Path, root: Path) -> str:
    """The machine where the name tells it, else the recording."""
    place = _name(file, root)
    machine = _MACHINE_ID.search(place)
    return machine.group(1).lower() if machine else place


def _sound(
    root: Path,
    files: list[Path],
    is_normal: Callable[[str], bool],
    rate_hz: int,
    refused: dict[Path, TinymlError] | None,
) -> Found:
    recordings: list[MachineRecording] = []
    for file in files:
        with collecting(refused, file):
            recordings.append(_heard(root, file, is_normal, rate_hz))
    inventory.check_any_left(recordings, refused)
    return Found(tuple(recordings), "microphone", ("sound",), float(rate_hz))


def _readable(sounds: list[Path], refused: dict[Path, TinymlError]) -> list[Path]:
    """Those that are sound beyond their ending."""
    for file in sounds:
        try:
            length_of(file)
        except UnreadableAudioError as error:
            refused[file] = _not_heard(file, error)
    return [file for file in sounds if file not in refused]


def _not_heard(file: Path, error: UnreadableAudioError) -> TinymlError:
    return TinymlError(f"Cannot read the audio: {error}", str(file), "Fix or remove it.")


def _heard(root: Path, file: Path, is_normal: Callable[[str], bool], rate_hz: int) -> MachineRecording:
    try:
        audio = read_audio(file, rate_hz)
    except UnreadableAudioError as error:
        raise _not_heard(file, error) from error
    condition = condition_of(file, root)
    folders = () if file == root else file.relative_to(root).parts[:-1]
    held_out = "test" in {part.lower() for part in folders}
    return MachineRecording(
        _name(file, root),
        audio[:, None],
        rate_hz,
        _group(file, root),
        condition,
        is_normal(condition),
        held_out,
    )


def _series(
    root: Path,
    found: list[Series],
    is_normal: Callable[[str], bool],
    wanted_hz: float | None,
    refused: dict[Path, TinymlError] | None,
) -> Found:
    untold = next((each for each in found if each.rate_hz is None), None)
    if untold is not None:
        raise TinymlError("The file has no time column", str(untold.path), "Give the sample rate: --rate HZ")
    alike.check_columns(found)
    target_hz = wanted_hz or alike.usual_rate(found) or 0.0
    found = alike.all_at_rate(found, target_hz, "--rate", refused)
    moved = found[0].is_only_motion
    channels = found[0].channels
    names = BOARD_CHANNELS[: len(channels)] if moved else tuple(name.lower() for name in channels)
    recordings: list[MachineRecording] = []
    for series in found:
        file = series.path.parent if series.source.whole else series.path
        name, _, _ = series.source.place(root)
        for index, stretch in enumerate(series.stretches):
            samples = series.motion(stretch, len(channels)) if moved else stretch.values.astype(np.float32)
            condition = stretch.condition or condition_of(file, root)
            part = f"{name}:{index}" if len(series.stretches) > 1 else name
            recordings.append(
                MachineRecording(
                    part, samples, target_hz, _group(file, root), condition, is_normal(condition)
                )
            )
    kind: Sensor = "imu" if moved else "series"
    reading = summary([each.reading for each in found])
    return Found(tuple(recordings), kind, names, target_hz, reading=reading, units=common_units(found))


def _tables(
    root: Path,
    files: list[Path],
    is_normal: Callable[[str], bool],
    rate_hz: float | None,
    refused: dict[Path, TinymlError] | None,
) -> Found:
    recordings: list[MachineRecording] = []
    widths = set()
    for file in files:
        with collecting(refused, file):
            values, labels = windows.read_windows(file)
            widths.add(values.shape[1])
            for index, (row, label) in enumerate(zip(values, labels, strict=True)):
                name = f"{_name(file, root)}:{index + 1}"
                recordings.append(
                    MachineRecording(
                        name, row[:, None], rate_hz or float(values.shape[1]), name, label, is_normal(label)
                    )
                )
    inventory.check_any_left(recordings, refused)
    if len(widths) > 1:
        raise TinymlError(
            f"The files hold windows of {' and '.join(map(str, sorted(widths)))} samples",
            str(root),
            "Use files with windows of the same length.",
        )
    # Without a rate a window counts as one second: nothing but the clock of the reports depends on it.
    width = widths.pop()
    return Found(tuple(recordings), "series", ("value",), rate_hz or float(width), width)
