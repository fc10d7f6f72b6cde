"""Runs a stream through front end and int8 model, as the firmware does from reset to end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinyml_cli.errors import TinymlError
from tinyml_cli.features.audio_frontend import StreamFrontend
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.tflite.interpret import Int8Array

_WINDOWS_PER_BLOCK = 2048
_BLOCK_S = 120
_MAX_THREADS = 4
# Number of windows per stream that TensorFlow Lite Micro answers too.
_COMPARED_PER_STREAM = 50


class WindowModel(Protocol):
    """A model of windows of features: an int8 model, or one that answers like it."""

    def inputs(self, features: npt.NDArray[np.uint16]) -> npt.NDArray[Any]:
        """Frames as the model takes them, of the same shape."""

    def run(self, inputs: npt.NDArray[Any]) -> Int8Array:
        """Scores [windows, labels] of inputs [windows, frames, channels]."""


@dataclass(frozen=True)
class StreamScores:
    """The model's scores over one stream.

    Attributes:
        times_ms: int64 [n], when each inference ends, in the firmware's whole milliseconds.
        scores: int8 [n, labels].
        duration_ms: of the stream.
        sample: int8 [m, frames * channels], some of the model's inputs, evenly spread.
        sample_at: int64 [m], their inference numbers.
    """

    times_ms: npt.NDArray[np.int64]
    scores: Int8Array
    duration_ms: int
    sample: Int8Array
    sample_at: npt.NDArray[np.int64]


def score_stream(
    audio: npt.NDArray[np.int16],
    model: WindowModel,
    manifest: Manifest,
    advance: Callable[[int], object] = lambda n: None,
) -> StreamScores:
    """`score_blocks` of int16 [samples]."""
    return score_blocks([audio], model, manifest, advance)


def score_blocks(
    blocks: Iterable[npt.NDArray[np.int16]],
    model: WindowModel,
    manifest: Manifest,
    advance: Callable[[int], object] = lambda n: None,
) -> StreamScores:
    """Runs a sound that comes in blocks int16 [samples] through the front end, whose noise estimate carries
    over from start to end, and through the model at the recipe's stride.

    Memory holds no more than a few minutes of it.

    Raises:
        TinymlError: the manifest lacks features, or the sound is shorter than the model's window.
    """
    settings = features_of(manifest)
    rate_hz, hop = settings.sample_rate_hz, manifest.recognizer.inference_stride_frames
    frames = settings.frames(manifest.clip_ms * rate_hz // 1000)
    frontend, sample = StreamFrontend(settings), _EvenSample(_COMPARED_PER_STREAM)
    rows: npt.NDArray[Any] | None = None
    found: list[Int8Array] = []
    samples = start = 0  # of the next window, in rows
    with ThreadPoolExecutor(min(_MAX_THREADS, os.cpu_count() or 1)) as pool:
        for audio in _of_at_most(blocks, _BLOCK_S * rate_hz):
            samples += len(audio)
            new = model.inputs(frontend.push(audio))
            rows = new if rows is None else np.concatenate([rows, new])
            if len(rows) < start + frames:
                continue
            every = np.lib.stride_tricks.sliding_window_view(rows, frames, axis=0).transpose(0, 2, 1)
            windows = every[start::hop]
            sample.add(windows)
            parts = [
                windows[at : at + _WINDOWS_PER_BLOCK] for at in range(0, len(windows), _WINDOWS_PER_BLOCK)
            ]
            for outputs in pool.map(model.run, parts):
                found.append(outputs)
                advance(len(outputs))
            start += len(windows) * hop
            done = min(start, len(rows))
            rows, start = rows[done:].copy(), start - done
    if not found:
        raise TinymlError(
            f"The recording lasts {samples / rate_hz:.2f} s, but the model needs "
            f"{manifest.clip_ms / 1000:g} s",
            "--stream",
            "Use a longer one.",
        )
    scores = np.concatenate(found)
    ends = np.arange(len(scores)) * hop + frames - 1
    chosen, kept = sample.result()
    return StreamScores(
        (settings.window_samples + ends * settings.stride_samples) * 1000 // rate_hz,
        scores,
        samples * 1000 // rate_hz,
        kept,
        chosen,
    )


class _EvenSample:
    """Some of many items that come in blocks, evenly spread, when nobody knows how many will come."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._step = 1
        self._seen = 0
        self._kept: dict[int, npt.NDArray[Any]] = {}

    def add(self, items: npt.NDArray[Any]) -> None:
        """Takes some of [n, ...]: the more there have been, the fewer."""
        first = -self._seen % self._step
        for at in range(first, len(items), self._step):
            self._kept[self._seen + at] = items[at].copy()
        self._seen += len(items)
        while len(self._kept) > 2 * self._count:
            self._step *= 2
            self._kept = {number: item for number, item in self._kept.items() if number % self._step == 0}

    def result(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
        """(numbers int64 [m], items [m, ...]), at most as many as wanted."""
        numbers = np.array(sorted(self._kept), np.int64)
        chosen = numbers[np.unique(np.linspace(0, len(numbers) - 1, self._count).astype(np.int64))]
        return chosen, np.stack([self._kept[int(number)] for number in chosen])


def _of_at_most(blocks: Iterable[npt.NDArray[np.int16]], samples: int) -> Iterator[npt.NDArray[np.int16]]:
    """The same sound in pieces of about `samples`: small blocks are joined, large ones cut."""
    held: list[npt.NDArray[np.int16]] = []
    for block in blocks:
        for at in range(0, len(block), samples):
            held.append(block[at : at + samples])
            if sum(map(len, held)) >= samples:
                yield np.concatenate(held)
                held = []
    if held:
        yield np.concatenate(held)


def inferences(samples: int, manifest: Manifest) -> int:
    """Number of inferences for this many samples."""
    settings = features_of(manifest)
    frames = settings.frames(manifest.clip_ms * settings.sample_rate_hz // 1000)
    windows = settings.frames(samples) - frames + 1
    return max(0, -(-windows // manifest.recognizer.inference_stride_frames))


def features_of(manifest: Manifest) -> AudioFrontendSettings:
    """The audio front end's settings.

    Raises:
        TinymlError: the run does not process sound.
    """
    if manifest.features is None:
        raise TinymlError(
            "The run's model does not take audio",
            "",
            "Evaluate streams with a keyword spotting run: tinyml train kws",
        )
    return manifest.features
