"""One recording as the firmware hears it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.features.audio_frontend import extract
from tinyml_cli.manifest import Manifest
from tinyml_cli.tasks.kws.recognizer import Recognizer, RecognizerConfig, RecognizerStep
from tinyml_cli.tasks.kws.replay import with_quiet


@dataclass(frozen=True)
class Hearing:
    """One recording as the firmware hears it, with quiet before and after.

    Attributes:
        audio: int16 [samples].
        sample_rate_hz: of the audio.
        features: uint16 [frames, channels].
        scores: float64 [inferences, labels], the model's own.
        steps: what the recogniser made of each inference.
    """

    audio: npt.NDArray[np.int16]
    sample_rate_hz: int
    features: npt.NDArray[np.uint16]
    scores: npt.NDArray[np.float64]
    steps: list[RecognizerStep]


def hear(audio: npt.NDArray[np.int16], model: Int8Model, manifest: Manifest) -> Hearing:
    """Runs int16 [samples] through front end, model and recogniser, as firmware does after a reset."""
    settings, recognizer = manifest.features, manifest.recognizer
    assert settings is not None
    rate_hz = settings.sample_rate_hz
    heard = with_quiet(audio, rate_hz)
    features = extract(heard, settings)
    frames = settings.frames(manifest.clip_ms * rate_hz // 1000)
    starts = range(0, len(features) - frames + 1, recognizer.inference_stride_frames)
    windows = np.stack([features[start : start + frames] for start in starts])
    outputs, _ = model.reference(model.inputs(windows))
    smoother = Recognizer(RecognizerConfig.of(recognizer, manifest.labels, model.output))
    steps = []
    for start, scores in zip(starts, outputs, strict=True):
        samples = settings.window_samples + (start + frames - 1) * settings.stride_samples
        steps.append(smoother.push(samples * 1000 // rate_hz, scores))
    return Hearing(heard, rate_hz, features, model.scores(outputs), steps)
