"""Recorded motions of a hand: takes of gestures from files of any tool, in the board's units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import inventory
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.data.series import alike
from tinyml_cli.data.series.columns import AXES
from tinyml_cli.data.series.read import SUFFIXES, Series, collecting, common_units, read_series
from tinyml_cli.data.series.reading import Reading, summary
from tinyml_cli.data.series.sources import files_in, sources, unused
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe

Samples = NDArray[np.int16]

_LAYOUT = (
    "Give CSV files with a header such as aX,aY,aZ,gX,gY,gZ (acceleration in g, rotation in degrees per "
    "second) and one row per sample, or Edge Impulse's JSON or CBOR. Name the files, or their folders, "
    "after the gestures."
)


@dataclass(frozen=True)
class Take:
    """One motion, or one stretch of motion of one kind.

    Attributes:
        samples: int16 [n, 6], as the `imu` command has them: g / 1000 and 0.1 deg/s.
        label: the gesture.
        name: the file, and the number of the take where it holds several.
        group: what belongs together: the person in LABEL/PERSON/FILE, else the file, or the take where a
            file holds several.
    """

    samples: Samples
    label: str
    name: str
    group: str


@dataclass(frozen=True)
class Takes:
    """All of a folder.

    Attributes:
        takes: in the order of their files.
        rate_hz: samples a second.
        window_samples: the length that all takes share; None where they differ.
        reading: what was understood of the files.
        left_out: files that were not used.
        units: of the files; see `series.read.common_units`.
    """

    takes: tuple[Take, ...]
    rate_hz: float
    window_samples: int | None
    reading: str = ""
    left_out: tuple[LeftOut, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)


def read_takes(
    root: Path,
    rate_hz: float,
    take_samples: int,
    options: SeriesRecipe | None = None,
    assumed: Mapping[str, str] | None = None,
    wanted_hz: float | None = None,
    refused: dict[Path, TinymlError] | None = None,
) -> Takes:
    """The takes of a folder, or of one file.

    Args:
        root: files of gestures, or folders of them.
        rate_hz: of files that do not say it.
        take_samples: of a file that holds takes one after another, with nothing between them.
        options: what the user says about the files.
        assumed: units of files that do not tell; see `read_series`.
        wanted_hz: what all are resampled to; None: the rate of most samples.
        refused: collects what is wrong with single files, which are then left out.

    Raises:
        TinymlError: nothing there that can be read, a damaged file, columns that differ, or a rate that is
            far too low.
    """
    found, others = sources(files_in(root, SUFFIXES), refused)
    if not found and not refused:
        why = inventory.explained(unused(root, (), others, SUFFIXES))
        raise TinymlError(f"No recorded motions found{why}", str(root), _LAYOUT)
    options = options or SeriesRecipe()
    series, recorded = read_series(found, options, rate_hz, True, assumed, refused), []
    for each in series:
        with collecting(refused, each.path):
            _check_axes(each)
            recorded.append(each)
    alike.check_columns(recorded)
    target_hz = wanted_hz or alike.usual_rate(recorded) or rate_hz
    recorded = alike.all_at_rate(recorded, target_hz, "--set imu.rate_hz", refused)
    takes = tuple(take for each in recorded for take in _takes_of(each, root, take_samples))
    lengths = {len(take.samples) for take in takes}
    return Takes(
        takes,
        round(target_hz, 3),
        lengths.pop() if len(lengths) == 1 else None,
        summary([_without_others(each.reading) for each in recorded]),
        tuple(unused(root, found, others, SUFFIXES, refused)),
        common_units(recorded),
    )


def holds_motion(root: Path) -> bool:
    """Whether a folder's first file is a recording of motion, and not of strokes."""
    files = files_in(root, SUFFIXES)
    return bool(files) and (files[0].suffix.lower() != ".json" or not holds_strokes(files[0]))


def holds_strokes(path: Path) -> bool:
    """Whether a JSON file holds strokes."""
    with path.open("rb") as stream:
        return b'"strokes"' in stream.read(200)


def _without_others(reading: Reading) -> Reading:
    """With a remark on the columns that a wand has no use for."""
    if not reading.others:
        return reading
    remarks = [*reading.remarks, f"{', '.join(reading.others)} not used"]
    return replace(reading, others=(), remarks=remarks)


def _check_axes(series: Series) -> None:
    """Refuses a recording that lacks an axis: what stands still in its place would be learnt.

    Raises:
        TinymlError: it has no acceleration of three axes in a known unit, or rotation about one or two.
    """
    columns = f"the columns are {', '.join(series.channels)[:120]}"
    if series.reading.own_units:
        raise TinymlError(
            "Acceleration is in the file's own unit, but boards measure g",
            str(series.path),
            "Set --set data.units.accel to g, mg, m/s2 or the counts per g.",
        )
    for kind, least in (("acceleration", len(AXES)), ("rotation", 0)):
        axes = [axis for axis in AXES if (kind, axis) in series.axes]
        missing = [axis for axis in AXES if axis not in axes]
        if least <= len(axes) and len(axes) in (0, len(AXES)):
            continue
        if axes:
            what = f"There is {kind} for {' and '.join(axes)}, but not for {' and '.join(missing)}; {columns}"
            drop = ", or drop those there are: --set data.columns=[…]" if kind == "rotation" else ""
            raise TinymlError(what, str(series.path), f"Name its column with --set data.columns=[…]{drop}")
        raise TinymlError(
            f"No acceleration column among {', '.join(series.channels)[:120]}", str(series.path), _LAYOUT
        )


def _takes_of(series: Series, root: Path, take_samples: int) -> list[Take]:
    """The takes of one recording: its stretches, or pieces of one length where nothing else parts them."""
    pieces = [(series.motion(each), each.condition) for each in series.stretches]
    if len(pieces) == 1 and series.reading.untimed and len(pieces[0][0]) % take_samples == 0:
        samples, condition = pieces[0]
        starts = range(take_samples, len(samples), take_samples)
        pieces = [(piece, condition) for piece in np.split(samples, starts)]
    name, label, group = series.source.place(root)
    takes = []
    for index, (samples, condition) in enumerate(pieces):
        part = f"{name}:{index + 1}" if len(pieces) > 1 else name
        takes.append(Take(samples, condition or label, part, group or part))
    return takes


def between_rests(samples: Samples, rate_hz: float, rest_s: float = 0.5) -> Samples:
    """The motion int16 [n, 6] with the board held still before and after it, as its ends were held."""
    rests = []
    for sample in (samples[0], samples[-1]):
        force = sample[:3] * (1000 / max(float(np.linalg.norm(sample[:3].astype(float))), 1.0))
        rests.append(np.tile(np.concatenate([np.rint(force), np.zeros(3)]), (round(rest_s * rate_hz), 1)))
    whole: Samples = np.concatenate([rests[0], samples, rests[1]]).astype(np.int16)
    return whole
