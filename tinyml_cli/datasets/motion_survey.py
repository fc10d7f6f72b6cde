"""Reads every series of a data folder once and records what checks need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series.read import Series

_SPLITS = ("train", "training", "val", "validation", "valid", "test", "testing")
# What a hand or a running machine does is more than this; the noise of a sensor that lies still is less.
_STILL = {"acceleration": 0.01, "rotation": 1.0}
# A sensor that cannot say more says its largest value again and again.
_PLATEAU = 3
# The peak of a smooth motion is flat too, but its sides are not so steep.
_EDGE = 0.01
_LEAST_CLIPPED = {"acceleration": 1.5, "rotation": 200.0}
_SHAPE_POINTS = 64
_NEAR_SHARE = 0.08


@dataclass(frozen=True)
class SurveyedMotion:
    """One recording.

    Attributes:
        path: relative to the data folder.
        label: what it is an example of, by its folder or the beginning of its name.
        person: who did it; empty where no folder says so.
        split: the folder `train`, `test` or the like that it lies in; empty where none does.
        series: what was read.
        seconds: its length; 0 where the rate is not known.
        stuck: whether no value ever changes.
        still: whether it moves less than a sensor's noise.
        clipped_share: share of rows at a largest value that is held.
        digest: SHA-256 of its values, whatever the file looks like.
        shape: float32 [points * channels], its course without its level.
    """

    path: Path
    label: str
    person: str
    split: str
    series: Series
    seconds: float
    stuck: bool
    still: bool
    clipped_share: float
    digest: str
    shape: NDArray[np.float32]

    @property
    def takes(self) -> int:
        """Stretches without a gap."""
        return len(self.series.stretches)


def measure(series: Series, root: Path) -> SurveyedMotion:
    """What checks need to know of a recording."""
    values = np.concatenate([stretch.values for stretch in series.stretches])
    label, person, split = place_of(series.path, root, series.source.whole)
    changes = values.max(axis=0) - values.min(axis=0)
    deviations = {
        kind: float(values[:, [c for (k, _), c in series.axes.items() if k == kind]].std(axis=0).max())
        for kind in {kind for kind, _ in series.axes}
    }
    return SurveyedMotion(
        series.path.relative_to(root),
        label,
        person,
        split,
        series,
        len(values) / series.rate_hz if series.rate_hz else 0.0,
        not changes.any(),
        bool(deviations) and all(deviation < _STILL[kind] for kind, deviation in deviations.items()),
        _clipped_share(series, values),
        _digest(series),
        _shape(values),
    )


def near_pairs(recordings: Sequence[SurveyedMotion]) -> Iterator[tuple[SurveyedMotion, SurveyedMotion]]:
    """Recordings of nearly the same motion that splits may part; those that lie in one split do not count."""
    kinds: dict[int, list[SurveyedMotion]] = {}
    for each in recordings:
        if not each.still and not each.stuck:
            kinds.setdefault(len(each.shape), []).append(each)
    for same in kinds.values():
        shapes = np.stack([each.shape for each in same]).astype(np.float64)
        squares = (shapes**2).sum(axis=1)
        for index, each in enumerate(same[1:], start=1):
            distances = squares[:index] + squares[index] - 2 * shapes[:index] @ shapes[index]
            near = np.flatnonzero(distances < _NEAR_SHARE**2 * np.minimum(squares[:index], squares[index]))
            for other in near:
                first = same[int(other)]
                if first.digest != each.digest and not (first.split and first.split == each.split):
                    yield each, first
                    break


def place_of(path: Path, root: Path, whole: bool = False) -> tuple[str, str, str]:
    """(label, person, split) of a file, or of a folder that is one recording, by where it lies."""
    inside = path.relative_to(root)
    parts = list((inside.parent if whole else inside).parts)
    split = parts.pop(0).lower() if len(parts) > 1 and parts[0].lower() in _SPLITS else ""
    *folders, last = parts
    if not folders:
        return last.partition(".")[0], "", split
    return folders[0], folders[1] if len(folders) > 1 else "", split


def _digest(series: Series) -> str:
    digest = hashlib.sha256()
    for stretch in series.stretches:
        values = series.motion(stretch) if series.is_only_motion else stretch.values.astype("<f4")
        digest.update(np.ascontiguousarray(values).tobytes())
        digest.update(b"|")
    return digest.hexdigest()


def _shape(values: NDArray[np.float64]) -> NDArray[np.float32]:
    place = np.linspace(0, len(values) - 1, _SHAPE_POINTS)
    columns = []
    for column in values.T:
        drawn = np.interp(place, np.arange(len(values)), column)
        columns.append(drawn - drawn.mean())
    shape = np.stack(columns)
    spread = np.sqrt((shape**2).mean(axis=1, keepdims=True))
    course: NDArray[np.float32] = (shape / max(float(spread.max()), 1e-9)).astype(np.float32).ravel()
    return course


def _clipped_share(series: Series, values: NDArray[np.float64]) -> float:
    """Share of rows in which some axis holds its largest or smallest value, where that is a large one."""
    clipped = np.zeros(len(values), bool)
    for (kind, _), column in series.axes.items():
        axis = values[:, column]
        for end in (axis.max(), axis.min()):
            if abs(end) >= _LEAST_CLIPPED[kind]:
                for start, stop in _runs(np.abs(axis - end) <= 1e-6 * abs(end)):
                    beside = [axis[i] for i in (start - 1, stop) if 0 <= i < len(axis)]
                    sharp = any(abs(value - end) > _EDGE * abs(end) for value in beside)
                    clipped[start:stop] |= sharp and stop - start >= _PLATEAU
    return float(clipped.mean())


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, one past the last) of each run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
