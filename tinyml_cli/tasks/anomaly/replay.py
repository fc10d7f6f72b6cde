"""Feeds recordings to a board in place of its sensor, and compares its alarms with their conditions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import recipes
from tinyml_cli.console import console
from tinyml_cli.data import inventory
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import IMU_SAMPLE_BYTES, MAX_IMU_SAMPLES, MAX_PCM_SAMPLES, Anomaly, Event
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.recipes.anomaly import AnomalyRecipe
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.tasks.anomaly.pool import MachineRecording, to_int16
from tinyml_cli.tasks.anomaly.read import NORMAL, Found, read
from tinyml_cli.tasks.anomaly.windows import WindowInput

ALARM = "alarm"
_IMU_VALUES = IMU_SAMPLE_BYTES // 2

OnEvent = Callable[[Event], None]


def read_as_trained(
    run: Run, manifest: Manifest, source: Path, refused: dict[Path, TinymlError] | None = None
) -> Found:
    """The recordings of a folder or file, as the run's own data is read.

    Args:
        run: a trained run.
        manifest: its manifest.
        source: folder or file.
        refused: collects what is wrong with single files, which are then left out.

    Raises:
        TinymlError: nothing that can be read, or recordings of another kind than the model's.
    """
    recipe = recipes.load_as(run.file(RECIPE), AnomalyRecipe)
    model_hz = WindowInput.of(manifest).rate_hz
    rate_hz = recipe.rate_hz or model_hz
    units = {} if manifest.data is None else manifest.data.units
    found = read(source, recipe.normal, rate_hz, round(model_hz), recipe.data, units, model_hz, refused)
    _check_kind(found, manifest, recipe.signal.window_samples, source)
    if found.reading:
        console.info(f"Read as {found.reading}")
    inventory.tell(found.left_out)
    return found


def _check_kind(found: Found, manifest: Manifest, window_samples: int | None, source: Path) -> None:
    """Refuses another sensor, other columns or another order of them: their values would be mistaken.

    Raises:
        TinymlError: such recordings.
    """
    assert manifest.anomaly is not None
    signal = manifest.anomaly.signal
    wanted = ("sound",) if signal is None else tuple(signal.channels)
    if (found.sensor, found.channels) != (manifest.anomaly.sensor, wanted):
        raise TinymlError(
            f"These are recordings of {', '.join(found.channels)} ({found.sensor}), but the model was "
            f"trained on {', '.join(wanted)} ({manifest.anomaly.sensor})",
            str(source),
            "Use data of the kind the run was trained on, with the same columns in the same order.",
        )
    width = window_samples or found.window_samples
    if found.window_samples and signal is not None and width != signal.window_samples:
        raise TinymlError(
            f"The windows have {width} samples, those of the model {signal.window_samples}",
            str(source),
            "Use data of the kind the run was trained on.",
        )


def replay(
    link: Link,
    recordings: list[MachineRecording],
    manifest: Manifest,
    on_event: OnEvent,
    stop_at: float | None = None,
    reset: bool = True,
) -> Iterator[PlayedClip]:
    """Feeds each recording.

    Args:
        link: an open device.
        recordings: what to feed.
        manifest: says how the sensor's values are scaled.
        on_event: told every event as it comes.
        stop_at: `time.monotonic()` to stop at, perhaps in the middle.
        reset: whether the board begins anew with each recording.

    Yields:
        What became of each; expected is its condition, `normal` for what is normal, detected `alarm` or None.

    Raises:
        TinymlError: the device stops answering.
    """
    source = WindowInput.of(manifest)
    for recording in recordings:
        events: list[Anomaly] = []
        link.take_events()
        if reset:
            link.reset()
        for _ in feed(link, to_int16(recording.samples, source.sample_scale), manifest):
            for event in link.take_events():
                on_event(event)
                if isinstance(event, Anomaly):
                    events.append(event)
            if stop_at is not None and time.monotonic() >= stop_at:
                return
        yield PlayedClip.of(
            recording.name,
            NORMAL if recording.is_normal else recording.condition,
            ALARM if any(event.alarm for event in events) else None,
            windows=len(events),
            alarm_windows=sum(event.alarm for event in events),
            score=max((event.score for event in events), default=None),
        )


def feed(link: Link, samples: NDArray[np.int16], manifest: Manifest) -> Iterator[None]:
    """Sends int16 [n, channels] in the pieces that the protocol allows; yields after each."""
    assert manifest.anomaly is not None
    if manifest.anomaly.sensor == "imu":
        whole = np.zeros((len(samples), _IMU_VALUES), np.int16)
        whole[:, : samples.shape[1]] = samples
        for start in range(0, len(whole), MAX_IMU_SAMPLES):
            link.feed_imu(whole[start : start + MAX_IMU_SAMPLES])
            yield
        return
    flat = samples.reshape(-1)
    for start in range(0, len(flat), MAX_PCM_SAMPLES):
        link.feed_pcm(flat[start : start + MAX_PCM_SAMPLES])
        yield
