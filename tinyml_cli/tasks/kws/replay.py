"""Plays recordings to a device's own code, and compares its detections with folder names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio
from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.data.folder import BACKGROUND_FOLDER, SILENCE_FOLDER, recordings_below
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import MAX_PCM_SAMPLES, Detection, Event, printable
from tinyml_cli.outcomes.monitoring import PlayedClip

# The model looks at one second: with as much before and after a clip, a word anywhere in it passes through
# the whole window, and the smoothed posterior has time to rise and fall.
LEAD_IN_MS = 1000
TAIL_MS = 1000
# A microphone is never digitally silent; about -78 dBFS.
_ROOM_NOISE_LSB = 4.0
_NOISE_SEED = 20_180_409

OnEvent = Callable[[Event], None]
OnRecording = Callable[[str, NDArray[np.int16]], None]


def _ignore(event: Event) -> None:
    """For callers that want the detections alone."""


def _play_unseen(name: str, audio: NDArray[np.int16]) -> None:
    """For callers that do not want the sound."""


def replay_file(
    link: Link,
    audio: NDArray[np.int16],
    sample_rate_hz: int = 16_000,
    on_event: OnEvent = _ignore,
    stop_at: float | None = None,
) -> list[Detection]:
    """Plays one recording to a device, after a reset, with quiet before and after it.

    Args:
        link: an open device.
        audio: int16 [samples] at `sample_rate_hz`.
        sample_rate_hz: the device's own rate, from its banner.
        on_event: told every event as it comes.
        stop_at: `time.monotonic()` to stop at, perhaps in the middle.

    Returns:
        What was heard; `t_ms` counts from the start of the lead-in, LEAD_IN_MS before the recording.

    Raises:
        TinymlError: the device stops answering, or boots again and again.
    """
    for _ in range(2):
        reboots = link.reboots
        detections = []
        for event in _play(link, with_quiet(audio, sample_rate_hz), stop_at):
            on_event(event)
            if isinstance(event, Detection):
                detections.append(event)
        if link.reboots == reboots:
            return detections
    raise TinymlError(
        "The device rebooted twice during the recording",
        link.url,
        "Check its power supply, or build and flash again: tinyml flash",
    )


def replay_dir(
    link: Link,
    folder: Path,
    labels: Sequence[str],
    sample_rate_hz: int = 16_000,
    on_event: OnEvent = _ignore,
    stop_at: float | None = None,
    on_recording: OnRecording = _play_unseen,
) -> Iterator[PlayedClip]:
    """Plays every recording of a folder (or one file) and says what was heard.

    The name of a recording's folder says what is expected: a word of `labels`; "silence" for `_silence_` and
    `_background_noise_`; "unknown" for any other word. Files with no such folder have no expectation (None).

    Args:
        folder: the root of folders named by words, one such folder, or a file.
        labels: the model's labels.
        link, sample_rate_hz, on_event, stop_at: as for `replay_file`.
        on_recording: told name and sound, the quiet round it included, of each before it is played.

    Yields:
        What was heard of each; `detections` are in the time of the board's stream.

    Raises:
        TinymlError: no recordings there; or, after all others were played, those that could not be read.
    """
    damaged: list[tuple[Path, str]] = []
    for path in recordings(folder):
        try:
            audio = read_audio(path, sample_rate_hz)
        except UnreadableAudioError as error:
            damaged.append((path, str(error)))
            continue
        name = path.relative_to(folder).as_posix() if path != folder else path.name
        on_recording(name, with_quiet(audio, sample_rate_hz))
        detections = replay_file(link, audio, sample_rate_hz, on_event, stop_at)
        if stop_at is not None and time.monotonic() >= stop_at:
            return
        best = max(detections, key=lambda detection: detection.score, default=None)
        yield PlayedClip.of(
            name,
            expected_label(path, folder, labels),
            best.label if best else None,
            recording_ms=best.t_ms - LEAD_IN_MS if best else None,
            detections=[detection.as_dict() for detection in detections],
        )
    if damaged:
        raise _unreadable(damaged)


def recordings(path: Path, tell: bool = False) -> list[Path]:
    """The recordings of a folder and its folders, sorted, or the file itself; see `recordings_below`."""
    return recordings_below(path, "Give a file or folder to --replay.", tell)


def expected_label(path: Path, root: Path, labels: Sequence[str]) -> str | None:
    """What the folder of `path` promises, see `replay_dir`; a stranger's name counts only below `root`."""
    name = path.resolve().parent.name
    if name in (SILENCE_FOLDER, BACKGROUND_FOLDER, SILENCE):
        return SILENCE
    if name in labels:
        return name
    return UNKNOWN if path.parent != root and path != root else None


def _play(link: Link, audio: NDArray[np.int16], stop_at: float | None) -> Iterator[Event]:
    link.take_events()
    link.reset()
    for start in range(0, len(audio), MAX_PCM_SAMPLES):
        if stop_at is not None and time.monotonic() >= stop_at:
            return
        link.feed_pcm(audio[start : start + MAX_PCM_SAMPLES])
        yield from link.take_events()


def with_quiet(audio: NDArray[np.int16], sample_rate_hz: int) -> NDArray[np.int16]:
    """A recording with LEAD_IN_MS of faint noise before and TAIL_MS after it, always the same; int16."""
    before, after = (milliseconds * sample_rate_hz // 1000 for milliseconds in (LEAD_IN_MS, TAIL_MS))
    noise = np.random.default_rng(_NOISE_SEED).normal(0.0, _ROOM_NOISE_LSB, before + after)
    quiet = np.rint(noise).astype(np.int16)
    return np.concatenate([quiet[:before], audio, quiet[before:]])


def _unreadable(damaged: Sequence[tuple[Path, str]]) -> TinymlError:
    path, why = damaged[0]
    more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
    return TinymlError(
        f"`{printable(path.name)}`{more} cannot be read as audio: {why}",
        str(path),
        "All other recordings were played. Fix or remove it and run the command again.",
    )
