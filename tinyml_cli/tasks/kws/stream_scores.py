"""Runs a stream through front end and int8 model, as the firmware does from reset to end."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinyml_cli.errors import TinymlError
from tinyml_cli.features.audio_frontend import extract
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.tflite.interpret import Int8Array

_WINDOWS_PER_BLOCK = 2048
_ROWS_PER_BLOCK = 10_000
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
    """Runs int16 [samples] through the front end, whose noise estimate carries over from start to end, and
    through the model at the recipe's stride.

    Raises:
        TinymlError: the manifest lacks features, or the audio is shorter than the model's window.
    """
    settings = features_of(manifest)
    frames = settings.frames(manifest.clip_ms * settings.sample_rate_hz // 1000)
    features = extract(audio, settings)
    # In blocks: on its way to int8 each value takes eight bytes.
    rows = np.concatenate(
        [model.inputs(part) for part in np.array_split(features, len(features) // _ROWS_PER_BLOCK + 1)]
    )
    if len(rows) < frames:
        raise TinymlError(
            f"The recording lasts {len(audio) / settings.sample_rate_hz:.2f} s, but the model needs "
            f"{manifest.clip_ms / 1000:g} s",
            "--stream",
            "Use a longer one.",
        )
    starts = np.arange(0, len(rows) - frames + 1, manifest.recognizer.inference_stride_frames)
    windows = np.lib.stride_tricks.sliding_window_view(rows, frames, axis=0).transpose(0, 2, 1)[starts]
    blocks = [windows[at : at + _WINDOWS_PER_BLOCK] for at in range(0, len(windows), _WINDOWS_PER_BLOCK)]

    def run(block: npt.NDArray[Any]) -> Int8Array:
        outputs = model.run(block)
        advance(len(block))
        return outputs

    with ThreadPoolExecutor(min(_MAX_THREADS, os.cpu_count() or 1)) as pool:
        scores = np.concatenate(list(pool.map(run, blocks)))
    samples = settings.window_samples + (starts + frames - 1) * settings.stride_samples
    chosen = np.unique(np.linspace(0, len(starts) - 1, _COMPARED_PER_STREAM).astype(np.int64))
    return StreamScores(
        samples * 1000 // settings.sample_rate_hz,
        scores,
        len(audio) * 1000 // settings.sample_rate_hz,
        np.ascontiguousarray(windows[chosen]),
        chosen,
    )


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
