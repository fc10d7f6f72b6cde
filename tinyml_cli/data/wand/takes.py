"""Recorded motions of a hand: takes of gestures from files of any tool, in the board's units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import inventory
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.data.series.read import SUFFIXES, Series, common_units, read_series
from tinyml_cli.data.series.reading import summary
from tinyml_cli.data.series.sources import files_in, sources, unused
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe

Samples = NDArray[np.int16]

CHANNELS = 6
_LAYOUT = (
    "Give CSV files with a header such as aX,aY,aZ,gX,gY,gZ (acceleration in g, rotation in degrees per "
    "second) and one row per sample, or Edge Impulse's JSON or CBOR. Name the files, or their folders, "
    "after the gestures."
)
_RATE_TOLERANCE = 0.02


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
) -> Takes:
    """The takes of a folder, or of one file.

    Args:
        root: files of gestures, or folders of them.
        rate_hz: of files that do not say it.
        take_samples: of a file that holds takes one after another, with nothing between them.
        options: what the user says about the files.
        assumed: units of files that do not tell; see `read_series`.

    Raises:
        TinymlError: nothing there that can be read, a damaged file, or rates that are mixed.
    """
    found, others = sources(files_in(root, SUFFIXES))
    if not found:
        why = inventory.explained(unused(root, (), others, SUFFIXES))
        raise TinymlError(f"No recorded motions found{why}", str(root), _LAYOUT)
    recorded = read_series(found, options or SeriesRecipe(), rate_hz, motion=True, assumed=assumed)
    takes = tuple(take for each in recorded for take in _takes_of(each, root, take_samples))
    rates = {each.rate_hz or rate_hz: each.path for each in reversed(recorded)}
    slowest, fastest = min(rates), max(rates)
    if fastest > slowest * (1 + _RATE_TOLERANCE):
        raise TinymlError(
            f"The data mixes rates: {slowest:g} samples per second in `{rates[slowest].name}`, "
            f"{fastest:g} in "
            f"`{rates[fastest].name}`",
            str(root),
            "Keep the files of one rate.",
        )
    lengths = {len(take.samples) for take in takes}
    return Takes(
        takes,
        round(slowest, 3),
        lengths.pop() if len(lengths) == 1 else None,
        summary([each.reading for each in recorded]),
        tuple(unused(root, found, others, SUFFIXES)),
        common_units(recorded),
    )


def holds_motion(root: Path) -> bool:
    """Whether a folder's first file is a recording of motion, and not of strokes."""
    files = files_in(root, SUFFIXES)
    if not files:
        return False
    if files[0].suffix.lower() != ".json":
        return True
    with files[0].open("rb") as stream:
        return b'"strokes"' not in stream.read(200)


def _takes_of(series: Series, root: Path, take_samples: int) -> list[Take]:
    """The takes of one recording: its stretches, or pieces of one length where nothing else parts them.

    Raises:
        TinymlError: it holds no acceleration of three axes.
    """
    if not series.is_motion:
        raise TinymlError(
            f"No acceleration column among {', '.join(series.channels)[:120]}", str(series.path), _LAYOUT
        )
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
