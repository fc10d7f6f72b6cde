"""Detections against what was said: hits with their delay, misses, repeats and false accepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_cli.evaluation.recognizer import Detection

# The window that the model looks at holds a word for up to a second after its end.
GRACE_MS = 1000


@dataclass(frozen=True)
class Target:
    """A word that was said.

    Attributes:
        start_ms, end_ms: since the stream began.
        label: index into the labels.
        snr_db: how far it lies above the background, where that is known.
        scene: what it lies in, where that is known.
    """

    start_ms: int
    end_ms: int
    label: int
    snr_db: float | None = None
    scene: str | None = None


@dataclass(frozen=True)
class Matched:
    """What became of every target and every detection of one stream.

    Attributes:
        hits: targets with the detection that reported each.
        misses: targets that nothing reported.
        repeats: further reports of a target that had been reported.
        false_accepts: detections without a target.
    """

    hits: list[tuple[Target, Detection]]
    misses: list[Target]
    repeats: list[Detection]
    false_accepts: list[Detection]

    @property
    def latencies_ms(self) -> list[int]:
        """From the end of each word to its report; negative where the report came before the end."""
        return [detection.time_ms - target.end_ms for target, detection in self.hits]


def match(targets: Sequence[Target], detections: Sequence[Detection], grace_ms: int = GRACE_MS) -> Matched:
    """Gives each detection to a target of its label that it falls on, or `grace_ms` after its end at most.

    Where it falls on several it takes the one whose time runs out first, which leaves the fewest misses. A
    detection on a target that has been reported already is a repeat; one on no target of its label, though
    on one of another word, is a false accept.

    Args:
        targets: of one stream, in any order.
        detections: of the same stream, in the order of their times.
        grace_ms: how late a report may come.
    """
    order = sorted(targets, key=lambda target: (target.end_ms, target.start_ms))
    reported: dict[int, Detection] = {}
    repeats: list[Detection] = []
    false_accepts: list[Detection] = []
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
