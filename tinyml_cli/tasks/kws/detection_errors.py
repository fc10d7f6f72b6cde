"""Matches detections with spoken words: hits with their latency, misses, repeats and false accepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_cli.tasks.kws.recognizer import ReportedWord

# The model's window contains a word for up to a second after its end.
GRACE_MS = 1000


@dataclass(frozen=True)
class Target:
    """A spoken target word.

    Attributes:
        start_ms, end_ms: since the start of the stream.
        label: index into the labels.
        snr_db: level above the background, if known.
        scene: the scene it is in, if known.
    """

    start_ms: int
    end_ms: int
    label: int
    snr_db: float | None = None
    scene: str | None = None


@dataclass(frozen=True)
class Passage:
    """What is heard from `start_ms` to `end_ms` of a stream: a word that somebody says, or a scene."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True)
class Matched:
    """The outcome of every target and every detection of one stream.

    Attributes:
        hits: targets with their detection.
        misses: targets without a detection.
        repeats: further detections of a target that already has one.
        false_accepts: detections without a target.
    """

    hits: list[tuple[Target, ReportedWord]]
    misses: list[Target]
    repeats: list[ReportedWord]
    false_accepts: list[ReportedWord]

    @property
    def latencies_ms(self) -> list[int]:
        """From the end of each word to its detection; negative if the detection came before the end."""
        return [detection.time_ms - target.end_ms for target, detection in self.hits]


def match(targets: Sequence[Target], detections: Sequence[ReportedWord], grace_ms: int = GRACE_MS) -> Matched:
    """Assigns each detection to a target of its label that contains it or ended at most `grace_ms` before.

    If there are several, the one whose time runs out first is used, which minimises misses. A detection of a
    target that already has one is a repeat; one without a target of its label, even on another word, is a
    false accept.

    Args:
        targets: of one stream, in any order.
        detections: of the same stream, in the order of their times.
        grace_ms: how late a detection may come.
    """
    order = sorted(targets, key=lambda target: (target.end_ms, target.start_ms))
    reported: dict[int, ReportedWord] = {}
    repeats: list[ReportedWord] = []
    false_accepts: list[ReportedWord] = []
    for detection in detections:
        fitting = [
            index
            for index, target in enumerate(order)
            if target.label == detection.label
            and target.start_ms <= detection.time_ms <= target.end_ms + grace_ms
        ]
        unreported = next((index for index in fitting if index not in reported), None)
        if unreported is not None:
            reported[unreported] = detection
        elif fitting:
            repeats.append(detection)
        else:
            false_accepts.append(detection)
    return Matched(
        [(order[index], reported[index]) for index in sorted(reported)],
        [target for index, target in enumerate(order) if index not in reported],
        repeats,
        false_accepts,
    )
