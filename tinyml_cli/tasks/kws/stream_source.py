"""Streams for evaluation: built from held-out speakers, or a user's own recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_cli.data.audio_file import UnreadableAudioError, audio_blocks, length_of
from tinyml_cli.data.folder import recordings_below
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.tasks.kws.detection_errors import Passage, Target
from tinyml_cli.tasks.kws.stream_audio import (
    Int16Array,
    Material,
    build_stream,
    plan_targets,
    stream_lengths,
)
from tinyml_cli.tasks.kws.truth import GroundTruth, read_truth


@dataclass(frozen=True)
class OpenStream:
    """One stream as it is heard: blocks int16 [samples], to be taken once, and what is known of them.

    The other attributes are those of LabelledStream.
    """

    blocks: Iterable[Int16Array]
    targets: list[Target]
    said: list[Passage] | None = None
    scenes: Sequence[Passage] = ()


@dataclass(frozen=True)
class StreamPart:
    """One stream, processed from a reset to its end.

    Attributes:
        name: the file's, below the folder that was given, or `stream-1` and so on.
        samples: its approximate length, at the model's rate.
        open: returns its audio and ground truth, the same each time.
    """

    name: str
    samples: int
    open: Callable[[], OpenStream]


def built(material: Material, labels: list[str], seconds: int, seed: list[int]) -> list[StreamPart]:
    """Streams of 20 minutes, and the rest, from one split's material."""
    rows = plan_targets(material, labels, seconds, [*seed, 0])
    return [
        StreamPart(
            f"stream-{index + 1}",
            length * material.sample_rate_hz,
            partial(_build, material, labels, rows[index], length, [*seed, 1, index]),
        )
        for index, length in enumerate(stream_lengths(seconds))
    ]


def _build(
    material: Material, labels: list[str], rows: npt.NDArray[np.int64], seconds: int, seed: list[int]
) -> OpenStream:
    stream = build_stream(material, labels, rows, seconds, seed)
    return OpenStream([stream.audio], stream.targets, stream.said, stream.scenes)


def recorded(path: Path, truth: Path | None, manifest: Manifest, sample_rate_hz: int) -> list[StreamPart]:
    """A recording, or each of a folder, sorted by name.

    Raises:
        TinymlError: no recording, unreadable or too short audio, or a ground truth that does not fit.
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
            partial(_open, file, sample_rate_hz, known.get(name)),
        )
        for name, file in named.items()
    ]


def sounds_at(parts: Sequence[StreamPart], places: Sequence[tuple[int, int, int]]) -> list[Int16Array]:
    """The sound of some places (part, first sample, end), int16 [samples] each; every part is opened once."""
    sounds: dict[int, Int16Array] = {}
    for part in sorted({place[0] for place in places}):
        rows = [index for index, place in enumerate(places) if place[0] == part]
        for at, sound in cut(parts[part].open().blocks, [places[index][1:] for index in rows]):
            sounds[rows[at]] = sound
    return [sounds[index] for index in range(len(places))]


def cut(blocks: Iterable[Int16Array], places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, Int16Array]]:
    """The sound of places (first sample, end) in blocks int16 [samples], without what lies outside them.

    Yields:
        (number of the place, int16 [samples]), each as soon as it is complete.
    """
    waiting = sorted(range(len(places)), key=lambda number: places[number])
    begun: dict[int, list[Int16Array]] = {}
    at = 0
    for block in blocks:
        end = at + len(block)
        while waiting and places[waiting[0]][0] < end:
            begun[waiting.pop(0)] = []
        for number in list(begun):
            first, last = places[number]
            begun[number].append(block[max(0, first - at) : max(0, last - at)].copy())
            if last <= end:
                yield number, np.concatenate(begun.pop(number))
        at = end
    for number in [*begun, *waiting]:
        yield number, np.concatenate([np.empty(0, np.int16), *begun.get(number, [])])


def _duration_ms(file: Path, clip_ms: int) -> int:
    try:
        samples, rate_hz = length_of(file)
    except UnreadableAudioError as error:
        raise _unreadable(file, str(error)) from error
    duration_ms = samples * 1000 // rate_hz
    if duration_ms < clip_ms:
        raise TinymlError(
            f"The recording lasts {duration_ms / 1000:g} s, but the model needs {clip_ms / 1000:g} s",
            str(file),
            "Use longer recordings.",
        )
    return duration_ms


def _open(file: Path, sample_rate_hz: int, truth: GroundTruth | None) -> OpenStream:
    blocks = _blocks(file, sample_rate_hz)
    return OpenStream(blocks, []) if truth is None else OpenStream(blocks, truth.targets, truth.said)


def _blocks(file: Path, sample_rate_hz: int) -> Iterator[Int16Array]:
    try:
        yield from audio_blocks(file, sample_rate_hz)
    except UnreadableAudioError as error:
        raise _unreadable(file, str(error)) from error


def _unreadable(file: Path, why: str) -> TinymlError:
    return TinymlError(f"Cannot read the recording: {why}", str(file), "Give another recording.")
