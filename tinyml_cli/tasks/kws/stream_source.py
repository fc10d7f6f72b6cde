"""Streams for evaluation: built from held-out speakers, or a user's own recordings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tinyml_cli.data.audio_file import UnreadableAudioError, length_of, read_audio
from tinyml_cli.data.folder import recordings_below
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.tasks.kws.stream_audio import (
    Int16Array,
    LabelledStream,
    Material,
    build_stream,
    plan_targets,
    stream_lengths,
)
from tinyml_cli.tasks.kws.truth import GroundTruth, read_truth

MAX_FILE_HOURS = 4


@dataclass(frozen=True)
class StreamPart:
    """One stream, processed from a reset to its end.

    Attributes:
        name: the file's, below the folder that was given, or `stream-1` and so on.
        samples: its approximate length, at the model's rate.
        load: returns its audio and ground truth, the same each time.
    """

    name: str
    samples: int
    load: Callable[[], LabelledStream]


def built(material: Material, labels: list[str], seconds: int, seed: list[int]) -> list[StreamPart]:
    """Streams of 20 minutes, and the rest, from one split's material."""
    rows = plan_targets(material, labels, seconds, [*seed, 0])
    return [
        StreamPart(
            f"stream-{index + 1}",
            length * material.sample_rate_hz,
            partial(build_stream, material, labels, rows[index], length, [*seed, 1, index]),
        )
        for index, length in enumerate(stream_lengths(seconds))
    ]


def recorded(path: Path, truth: Path | None, manifest: Manifest, sample_rate_hz: int) -> list[StreamPart]:
    """A recording, or each of a folder, sorted by name.

    Raises:
        TinymlError: no recording, unreadable or too long audio, or a ground truth that does not fit.
    """
    files = recordings_below(path, "Give a file, or a folder of recordings.")
    named = {file.relative_to(path).as_posix() if file != path else file.name: file for file in files}
    durations_ms = {name: _duration_ms(file, manifest.clip_ms) for name, file in named.items()}
    known: dict[str, GroundTruth] = {}
    if truth is not None:
        known = read_truth(truth, manifest.labels, durations_ms, manifest.labels[2:])
    return [
        StreamPart(
            name,
            durations_ms[name] * sample_rate_hz // 1000,
            partial(_load, file, sample_rate_hz, known.get(name)),
        )
        for name, file in named.items()
    ]


def sounds_at(parts: Sequence[StreamPart], places: Sequence[tuple[int, int, int]]) -> list[Int16Array]:
    """The sound of some places (part, first sample, end), int16 [samples] each; every part is loaded once."""
    cut: dict[int, Int16Array] = {}
    for part in sorted({place[0] for place in places}):
        audio = parts[part].load().audio
        for index, (at, start, end) in enumerate(places):
            if at == part:
                cut[index] = audio[max(0, start) : end].copy()
    return [cut[index] for index in range(len(places))]


def _duration_ms(file: Path, clip_ms: int) -> int:
    try:
        samples, rate_hz = length_of(file)
    except UnreadableAudioError as error:
        raise _unreadable(file, str(error)) from error
    if samples > MAX_FILE_HOURS * 3600 * rate_hz:
        raise TinymlError(
            f"The recording lasts {samples / rate_hz / 3600:.1f} h; the maximum is {MAX_FILE_HOURS} h "
            "per file",
            str(file),
            "Split it into several files and give their folder.",
        )
    duration_ms = samples * 1000 // rate_hz
    if duration_ms < clip_ms:
        raise TinymlError(
            f"The recording lasts {duration_ms / 1000:g} s, but the model needs {clip_ms / 1000:g} s",
            str(file),
            "Use longer recordings.",
        )
    return duration_ms


def _load(file: Path, sample_rate_hz: int, truth: GroundTruth | None) -> LabelledStream:
    try:
        audio = read_audio(file, sample_rate_hz)
    except UnreadableAudioError as error:
        raise _unreadable(file, str(error)) from error
    return LabelledStream(audio, []) if truth is None else LabelledStream(audio, truth.targets, truth.said)


def _unreadable(file: Path, why: str) -> TinymlError:
    return TinymlError(f"Cannot read the recording: {why}", str(file), "Give another recording.")
