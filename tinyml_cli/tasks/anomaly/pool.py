"""The types that keep faults out of training.

Everything that is fitted (standardisation, networks, clusters, thresholds) takes `NormalRecordings` or
`NormalWindows`. Neither can hold a recording of a fault: the constructor refuses it. `separate` divides a
data set once, and its faults are used only for evaluation.
"""

from __future__ import annotations

import hashlib
import itertools
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError

# A data set of one long recording is cut into this many stretches, which are then split like sessions.
_STRETCHES = 10
_PARTS = ("training", "the threshold", "the test")


class FaultInNormalDataError(ValueError):
    """A defect of this program: a fault was handed to something that learns."""


@dataclass(frozen=True)
class MachineRecording:
    """One uninterrupted stretch of one machine.

    Attributes:
        name: where it comes from, for messages.
        samples: int16 [n, channels] as the board sees them, or float32 [n, channels] in the user's own unit.
        rate_hz: samples a second of each channel.
        group: machine or session; a group is never split between training and test.
        condition: what the machine was doing, such as `normal` or `bearing outer race`.
        is_normal: whether that counts as normal.
        held_out: the data set itself says that it is for testing.
    """

    name: str
    samples: NDArray[np.int16] | NDArray[np.float32]
    rate_hz: float
    group: str
    condition: str
    is_normal: bool
    held_out: bool = False


class _Recordings:
    """Recordings of one kind, all with the same channels."""

    def __init__(self, recordings: Iterable[MachineRecording]) -> None:
        self._recordings = tuple(recordings)

    def __iter__(self) -> Iterator[MachineRecording]:
        return iter(self._recordings)

    def __len__(self) -> int:
        return len(self._recordings)

    @property
    def conditions(self) -> Counter[str]:
        """condition -> recordings."""
        return Counter(recording.condition for recording in self._recordings)

    @property
    def groups(self) -> set[str]:
        """Machines or sessions."""
        return {recording.group for recording in self._recordings}

    @property
    def seconds(self) -> float:
        """How long all of them last together."""
        return float(sum(len(each.samples) / each.rate_hz for each in self._recordings))


class NormalRecordings(_Recordings):
    """Recordings of normal running and nothing else.

    Raises:
        FaultInNormalDataError: one of them is a fault.
    """

    def __init__(self, recordings: Iterable[MachineRecording]) -> None:
        super().__init__(recordings)
        for recording in self._recordings:
            if not recording.is_normal:
                raise FaultInNormalDataError(f"{recording.name} is a recording of `{recording.condition}`")


class FaultRecordings(_Recordings):
    """Recordings of faults, for evaluation only."""


@dataclass(frozen=True)
class NormalSplits:
    """Normal recordings by use; no group is in two of them."""

    train: NormalRecordings
    threshold: NormalRecordings
    test: NormalRecordings
    by: str


def separate(recordings: Sequence[MachineRecording], where: str) -> tuple[NormalRecordings, FaultRecordings]:
    """Parts normal running from faults.

    Raises:
        TinymlError: nothing is normal.
    """
    normal = NormalRecordings(each for each in recordings if each.is_normal)
    if not len(normal):
        conditions = sorted({each.condition for each in recordings})
        found = ", ".join(conditions) or "nothing"
        example = shlex.quote(conditions[0]) if len(conditions) == 1 else "NAME[,NAME...]"
        raise TinymlError(
            f"None of the data is normal running (found: {found}), so there is nothing to train on",
            where,
            f"Name the conditions that are normal: --normal {example}",
        )
    return normal, FaultRecordings(each for each in recordings if not each.is_normal)


def split_normal(
    normal: NormalRecordings, threshold_share: float, test_share: float, seed: int, where: str
) -> NormalSplits:
    """Splits by machine or session; each normal condition is spread over all three parts.

    Recordings that the data set holds out go to the test; the rest is then split in two.

    Args:
        normal: what was recorded of normal running.
        threshold_share: share of groups that set the threshold.
        test_share: share of groups kept for evaluation.
        seed: of the draw.
        where: the data, for messages.

    Raises:
        TinymlError: too few recordings.
    """
    recordings = list(normal)
    held_out = [each for each in recordings if each.held_out]
    rest = [each for each in recordings if not each.held_out]
    by = "machine or session"
    if len({each.group for each in rest}) < len(_PARTS):
        rest, by = [replace(each, group=each.name) for each in rest], "recording"
    if len({each.group for each in rest}) < len(_PARTS):
        rest, by = [piece for each in rest for piece in _stretches(each)], "stretch of time"
    parts: tuple[list[MachineRecording], ...] = ([], [], [])
    shares = (threshold_share, 0.0 if held_out else test_share)
    for condition in sorted({each.condition for each in rest}):
        mine = [each for each in rest if each.condition == condition]
        place = _places(sorted({each.group for each in mine}), shares, seed)
        for each in mine:
            parts[place[each.group]].append(each)
    parts[2].extend(held_out)
    for part, use in zip(parts, _PARTS, strict=True):
        if not part:
            raise TinymlError(
                f"Too few normal recordings ({len(recordings)}): none are left for {use}",
                where,
                "Record more normal running: at least ten sessions, or one long recording.",
            )
    train, threshold, test = (NormalRecordings(part) for part in parts)
    return NormalSplits(train, threshold, test, by)


def _places(groups: Sequence[str], shares: tuple[float, float], seed: int) -> dict[str, int]:
    """group -> 0 train, 1 threshold, 2 test, by a hash: the order of the files does not matter."""

    def key(group: str) -> bytes:
        return hashlib.sha256(f"{seed}/{group}".encode()).digest()

    ordered = sorted(groups, key=key)
    threshold, test = (0 if share == 0 else max(1, round(share * len(groups))) for share in shares)
    return {
        group: 1 if rank < threshold else 2 if rank < threshold + test else 0
        for rank, group in enumerate(ordered)
    }


def _stretches(recording: MachineRecording) -> list[MachineRecording]:
    edges = np.linspace(0, len(recording.samples), _STRETCHES + 1).astype(int)
    return [
        replace(recording, samples=recording.samples[start:end], group=f"{recording.group}#{index}")
        for index, (start, end) in enumerate(itertools.pairwise(edges))
        if end > start
    ]


@dataclass(frozen=True)
class Windows:
    """Windows cut from recordings, in order of time within each.

    Attributes:
        samples: int16 [n, window_samples, channels].
        recording: int64 [n], the recording that each comes from.
        conditions: str [recordings].
        names: str [recordings].
    """

    samples: NDArray[np.int16]
    recording: NDArray[np.int64]
    conditions: tuple[str, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.samples)


class NormalWindows(Windows):
    """Windows of normal running; made by `cut_normal` alone, which takes nothing else."""


def cut_normal(normal: NormalRecordings, window: int, stride: int, scale: float) -> NormalWindows:
    """Windows of normal recordings.

    Raises:
        FaultInNormalDataError: these are no normal recordings.
    """
    if not isinstance(normal, NormalRecordings):
        raise FaultInNormalDataError(f"{type(normal).__name__} are not known to be normal")
    return NormalWindows(*_cut(normal, window, stride, scale))


def cut_faults(faults: FaultRecordings, window: int, stride: int, scale: float) -> Windows:
    """Windows of recordings of faults."""
    return Windows(*_cut(faults, window, stride, scale))


def _cut(
    recordings: _Recordings, window: int, stride: int, scale: float
) -> tuple[NDArray[np.int16], NDArray[np.int64], tuple[str, ...], tuple[str, ...]]:
    pieces: list[NDArray[np.int16]] = []
    owners: list[int] = []
    for index, recording in enumerate(recordings):
        samples = to_int16(recording.samples, scale)
        starts = range(0, len(samples) - window + 1, stride)
        pieces += [samples[start : start + window] for start in starts]
        owners += [index] * len(starts)
    each = list(recordings)
    channels = each[0].samples.shape[1] if each else 1
    stacked = np.stack(pieces) if pieces else np.empty((0, window, channels), np.int16)
    return stacked, np.array(owners, np.int64), tuple(e.condition for e in each), tuple(e.name for e in each)


def to_int16(samples: NDArray[np.int16] | NDArray[np.float32], scale: float) -> NDArray[np.int16]:
    """Samples as the board takes them: int16 as they are, others times `scale`, rounded and clipped."""
    if samples.dtype == np.int16:
        return samples.astype(np.int16, copy=False)
    scaled = np.rint(samples.astype(np.float64) * scale)
    clipped: NDArray[np.int16] = np.clip(scaled, -32768, 32767).astype(np.int16)
    return clipped
