"""A single clip as the keyword spotter's model takes it."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.data import folder
from tinyml_cli.data.folder import LabelledRecording
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.audio_frontend import extract_batch
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.inspection.model_input import ModelInput
from tinyml_cli.training.examples import to_float


def clip_input(clip: Path, clip_ms: int, settings: AudioFrontendSettings) -> ModelInput:
    """Its features; a longer clip's loudest part.

    Raises:
        TinymlError: no such file, or no sound.
    """
    if not clip.is_file():
        raise TinymlError("There is no such recording", str(clip), "Give --activations a sound file.")
    samples = clip_ms * settings.sample_rate_hz // 1000
    read = folder.read_recordings([LabelledRecording(clip, "", "", "")], settings.sample_rate_hz, samples)
    features = extract_batch(read.audio, settings)
    return ModelInput(to_float(features), features[0], "features")
