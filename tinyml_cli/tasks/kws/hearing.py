"""A recording, or a place in one, as the firmware hears it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.features.audio_frontend import extract
from tinyml_cli.manifest import Manifest
from tinyml_cli.tasks.kws.recognizer import Recognizer, RecognizerConfig, RecognizerStep
from tinyml_cli.tasks.kws.replay import LEAD_IN_MS, with_quiet
from tinyml_cli.tasks.kws.stream_scores import features_of

# What is shown around a place.
BEFORE_MS, AFTER_MS = 6000, 4000


@dataclass(frozen=True)
class Hearing:
    """A recording, or a place in one, as the firmware hears it.

    Attributes:
        audio: int16 [samples].
        sample_rate_hz: of the audio.
        features: uint16 [frames, channels].
        scores: float64 [inferences, labels], the model's own.
        steps: what the recogniser made of each inference, in the time of the stream.
        starts_ms: when `audio` starts, from the start of the recording; negative for quiet before it.
        zero_ms: when the recording starts in the time of the stream.
    """

    audio: npt.NDArray[np.int16]
    sample_rate_hz: int
    features: npt.NDArray[np.uint16]
    scores: npt.NDArray[np.float64]
    steps: list[RecognizerStep]
    starts_ms: int = -LEAD_IN_MS
    zero_ms: int = LEAD_IN_MS


def hear(audio: npt.NDArray[np.int16], model: Int8Model, manifest: Manifest) -> Hearing:
    """Runs int16 [samples] through front end, model and recogniser, as firmware does after a reset.

    Quiet comes before and after it.
    """
    settings = features_of(manifest)
    heard = with_quiet(audio, settings.sample_rate_hz)
    features = extract(heard, settings)
    scores, steps = _infer(features, 0, model, manifest)
    return Hearing(heard, settings.sample_rate_hz, features, scores, steps)


def hear_place(audio: npt.NDArray[np.int16], at_ms: int, model: Int8Model, manifest: Manifest) -> Hearing:
    """The seconds around a place of int16 [samples], heard after everything before it, as in a stream."""
    settings, recognizer = features_of(manifest), manifest.recognizer
    rate_hz = settings.sample_rate_hz
    stride_ms = recognizer.inference_stride_frames * settings.stride_ms
    first = max(0, at_ms - BEFORE_MS) // stride_ms
    end = min(len(audio), (at_ms + AFTER_MS) * rate_hz // 1000)
    features = extract(audio[:end], settings)
    # What the recogniser remembers: its average, and the last report.
    remembered_ms = recognizer.average_window_ms + 2 * recognizer.suppression_ms + manifest.clip_ms
    warm = max(0, first - -(-remembered_ms // stride_ms))
    scores, steps = _infer(features, warm * recognizer.inference_stride_frames, model, manifest)
    starts_ms = first * stride_ms
    shown = next((n for n, step in enumerate(steps) if step.time_ms >= starts_ms), len(steps))
    return Hearing(
        audio[starts_ms * rate_hz // 1000 : end],
        rate_hz,
        features[first * recognizer.inference_stride_frames :],
        scores[shown:],
        steps[shown:],
        starts_ms,
        0,
    )


def _infer(
    features: npt.NDArray[np.uint16], first: int, model: Int8Model, manifest: Manifest
) -> tuple[npt.NDArray[np.float64], list[RecognizerStep]]:
    """Scores and steps of the windows from frame `first` on."""
    settings, recognizer = features_of(manifest), manifest.recognizer
    rate_hz = settings.sample_rate_hz
    frames = settings.frames(manifest.clip_ms * rate_hz // 1000)
    starts = range(first, len(features) - frames + 1, recognizer.inference_stride_frames)
    windows = np.stack([features[start : start + frames] for start in starts])
    outputs, _ = model.reference(model.inputs(windows))
    smoother = Recognizer(RecognizerConfig.of(recognizer, manifest.labels, model.output))
    steps = []
    for start, scores in zip(starts, outputs, strict=True):
        samples = settings.window_samples + (start + frames - 1) * settings.stride_samples
        steps.append(smoother.push(samples * 1000 // rate_hz, scores))
    return model.scores(outputs), steps
