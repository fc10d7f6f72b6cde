"""Feeds recorded motion or strokes to a wand, and compares its answers with their labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import inventory
from tinyml_cli.data.series.sources import files_in
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.gesture_settings import UNKNOWN
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import MAX_IMU_SAMPLES, Event, Gesture
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.tasks.wand.kinematics import Grip, perfect_sensor, wave
from tinyml_cli.tasks.wand.strokes import UNITS, read_folder
from tinyml_cli.tasks.wand.takes import between_rests, holds_motion, holds_strokes, read_takes

OnEvent = Callable[[Event], None]


@dataclass(frozen=True)
class ReplayedMotion:
    """What a wand is moved through.

    Attributes:
        name: where it comes from.
        label: what it shows.
        samples: int16 [n, 6], with rests before and after.
    """

    name: str
    label: str
    samples: NDArray[np.int16]


def motions(source: Path, manifest: Manifest) -> list[ReplayedMotion]:
    """Motion files as they are; strokes as a wand's sensor would feel them that draws them.

    Raises:
        TinymlError: nothing that can be read, or strokes for a model of raw motion.
    """
    assert manifest.gesture is not None
    if not source.exists():
        raise TinymlError("The recording or folder does not exist", str(source), "Give one to --replay.")
    rate_hz = manifest.gesture.rate_hz
    if manifest.gesture.imu is not None and _holds_strokes(source):
        raise TinymlError(
            "The model expects raw motion; these are strokes", str(source), "Give CSV files of motion."
        )
    if manifest.gesture.imu is not None or holds_motion(source):
        window = manifest.gesture.imu.window_samples if manifest.gesture.imu else round(rate_hz)
        units = {} if manifest.data is None else manifest.data.units
        recorded = read_takes(source, rate_hz, window, assumed=units, wanted_hz=rate_hz)
        console.info(f"Read as {recorded.reading}")
        inventory.tell(recorded.left_out)
        return [
            ReplayedMotion(take.name, take.label, between_rests(take.samples, recorded.rate_hz))
            for take in recorded.takes
        ]
    strokes, left_out = read_folder(source)
    inventory.tell(left_out)
    rng = np.random.default_rng(0)  # of noise and tremor, of which there is none
    return [
        ReplayedMotion(
            f"{stroke.source}:{index}",
            stroke.label,
            wave(stroke.points / UNITS, Grip(), perfect_sensor(), rng).samples,
        )
        for index, stroke in enumerate(strokes)
    ]


def _holds_strokes(source: Path) -> bool:
    return any(holds_strokes(each) for each in files_in(source, (".json",)))


def replay_motions(
    link: Link,
    played: list[ReplayedMotion],
    labels: list[str],
    on_event: OnEvent,
    stop_at: float | None = None,
) -> Iterator[PlayedClip]:
    """Feeds each motion to the board, after a reset.

    Args:
        link: an open device.
        played: what to feed.
        labels: the model's; any other is expected to be refused.
        on_event: told every event as it comes.
        stop_at: `time.monotonic()` to stop at.

    Yields:
        What was recognised of each; `detected` is the gesture with the best score.

    Raises:
        TinymlError: the device stops answering.
    """
    for motion in played:
        if stop_at is not None and time.monotonic() >= stop_at:
            return
        found = [event for event in _feed(link, motion.samples, on_event) if event.label != UNKNOWN]
        best = max(found, key=lambda event: event.score, default=None)
        yield PlayedClip.of(
            motion.name,
            motion.label if motion.label in labels else UNKNOWN,
            None if best is None else best.label,
            detections=[event.as_dict() for event in found],
        )


def _feed(link: Link, samples: NDArray[np.int16], on_event: OnEvent) -> Iterator[Gesture]:
    link.take_events()
    link.reset()
    for start in range(0, len(samples), MAX_IMU_SAMPLES):
        link.feed_imu(samples[start : start + MAX_IMU_SAMPLES])
        for event in link.take_events():
            on_event(event)
            if isinstance(event, Gesture):
                yield event
