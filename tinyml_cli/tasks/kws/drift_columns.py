"""Computes on the host what a keyword spotter's board reports while recordings are played to it."""

from __future__ import annotations

import numpy as np

from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.drift.columns import reference_of, sound_values
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.features.audio_frontend import extract
from tinyml_cli.features.drift_settings import Reference
from tinyml_cli.manifest import Manifest
from tinyml_cli.tasks.kws.replay import with_quiet
from tinyml_cli.tasks.kws.stream_scores import features_of, score_stream
from tinyml_cli.wording import counted

# Each gives about twenty inferences and two hundred frames.
_CLIPS = 80


def heard_reference(manifest: Manifest, model: Int8Model, examples: EvaluationSet) -> Reference:
    """The reference of scores and frames while some of the clips are played as by `monitor --replay`.

    Clips by themselves have another distribution: the front end adapts to a room, and most windows of a
    stream contain part of a word or none.

    Args:
        manifest: the run's.
        model: the run's int8 model.
        examples: clips, int16 [n, samples] each; 80 of them are used, spread over all labels.
    """
    settings = features_of(manifest)
    order = np.argsort(examples.labels, kind="stable")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, _CLIPS).astype(np.int64))]
    chosen = np.random.default_rng(0).permutation(chosen)  # sorted by label, values would look correlated
    sounds = [with_quiet(examples.audio[row], settings.sample_rate_hz) for row in chosen]
    outputs = np.concatenate([score_stream(sound, model, manifest).scores for sound in sounds])
    frames = np.concatenate([extract(sound, settings) for sound in sounds])
    values = sound_values(manifest.labels, outputs, frames)
    return reference_of(values, f"{counted(len(sounds), 'clip')} with quiet around them; {examples.note}")
