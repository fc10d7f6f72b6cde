"""What a keyword spotter's board computes while the validation voices live around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import recipes
from tinyml_cli.console import console
from tinyml_cli.drift import page_test
from tinyml_cli.drift.watch import NormalRunning
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.features.audio_frontend import extract
from tinyml_cli.manifest import Manifest
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.run import MODEL_INT8, MODEL_STREAM, RECIPE, Run
from tinyml_cli.tasks.kws.default_point import STREAM_S, streams_of
from tinyml_cli.tasks.kws.stream_scores import features_of, score_stream

_DAY_S = 86_400


def normal_running(run: Run, hours: float) -> NormalRunning:
    """So many hours of streams; their words, voices and rooms are those by which thresholds are chosen.

    Raises:
        TinymlError: no recipe, data that is gone, or a model that is stale.
    """
    manifest = run.manifest()
    if not run.file(RECIPE).is_file():
        raise TinymlError(
            "The run has no recipe, so nobody knows whose voices were kept from its training",
            str(run.path),
            "Use a run of `tinyml train kws`.",
        )
    recipe = recipes.load_as(run.file(RECIPE), KwsRecipe)
    model = Int8Model(run.require(manifest, MODEL_INT8).read_bytes())
    streams = streams_of(recipe, "validation")
    count = max(1, round(hours * 3600 / STREAM_S))
    with console.progress(count, "Listening") as bar:
        found = []
        for number in range(count):
            audio = streams.make(number, STREAM_S).audio
            found.append(watched(audio, score_stream(audio, model, manifest).scores, model, manifest))
            bar.advance(1)
    return NormalRunning(
        found,
        inferences_per_day(manifest),
        f"{count * STREAM_S / 3600:.1f} h of streams by the validation voices ({streams.mix.name})",
    )


def inferences_per_day(manifest: Manifest) -> float:
    """Of a board that listens all day."""
    settings = features_of(manifest)
    hop = manifest.recognizer.inference_stride_frames * settings.stride_samples
    return _DAY_S * settings.sample_rate_hz / hop


def watched(
    audio: NDArray[np.int16], scores: NDArray[np.int8], model: Int8Model, manifest: Manifest
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both signals [n] of sound int16 [samples] and its scores int8 [n, labels]."""
    settings, hop = features_of(manifest), manifest.recognizer.inference_stride_frames
    frames = settings.frames(manifest.clip_ms * settings.sample_rate_hz // 1000)
    taken = hop if MODEL_STREAM in manifest.artifacts else frames
    rows = model.inputs(extract(audio, settings))
    sums = np.concatenate([[0], np.cumsum(rows.sum(axis=1, dtype=np.int64))])
    ends = np.arange(len(scores)) * hop + frames
    inputs = (sums[ends] - sums[ends - taken]) * page_test.STEP // (taken * rows.shape[1])
    return page_test.of_labels(scores), inputs
