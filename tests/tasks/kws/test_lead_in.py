"""Clips as a device hears them that has been listening for a while."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.corpus import whistle
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.features.audio_frontend import extract, extract_batch, extract_last
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tasks.kws.lead_in import after_background, settled
from tinyml_cli.tasks.kws.stream_scores import score_stream

SETTINGS = AudioFrontendSettings()
RATE_HZ = SETTINGS.sample_rate_hz


def clips(count: int = 3, level: float = 300.0) -> np.ndarray:
    """A burst of a tone in noise, int16 [count, RATE_HZ]."""
    rng = np.random.default_rng(7)
    audio = rng.normal(0, level, (count, RATE_HZ))
    audio[:, 5_000:10_000] += 6_000 * np.sin(2 * np.pi * 900 * np.arange(5_000) / RATE_HZ)
    return audio.astype(np.int16)


@pytest.mark.parametrize("strides", [0, 1, 37, 150])
def test_the_last_frames_are_those_of_the_stream(strides: int) -> None:
    stream = clips(1)[0]
    whole = np.concatenate([np.tile(stream, 4)[: strides * SETTINGS.stride_samples], stream])
    frames = SETTINGS.frames(len(stream))
    np.testing.assert_array_equal(
        extract_last(whole[None], SETTINGS, len(stream))[0],
        extract(whole, SETTINGS)[strides : strides + frames],
    )


def test_a_lead_in_between_two_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="whole number of strides"):
        extract_last(np.zeros((1, RATE_HZ + 1), np.int16), SETTINGS, RATE_HZ)


def test_a_clip_is_heard_as_in_a_stream_with_settled_noise() -> None:
    """The features after two seconds are nearer to those after ten than those after a reset are."""
    audio = clips(8)
    rng = np.random.default_rng(1)
    long = np.concatenate([rng.normal(0, 300, (8, 160_000)).astype(np.int16), audio], axis=1)
    stream = extract_last(long, SETTINGS, RATE_HZ).astype(float)
    cold, warm = extract_batch(audio, SETTINGS).astype(float), settled(audio, SETTINGS).astype(float)
    assert np.abs(warm - stream).mean() < 0.4 * np.abs(cold - stream).mean()


def test_a_clip_scores_as_inside_a_stream(whistle_run: Path) -> None:
    """Whistles in loud noise: what `in_stream` says of clips is what a stream says of them within the 95 %
    interval of its mean score. Clips right after a reset are not: the network hears other features.
    """
    run = Run(whistle_run)
    manifest = run.manifest()
    model = Int8Model(run.file(MODEL_INT8).read_bytes())
    words = ("flat", "up", "down") * 20
    own = np.arange(len(words)), [{"flat": 1, "up": 2, "down": 3}[word] for word in words]
    stream = np.random.default_rng(3).normal(0, 3_000, (len(words), 5 * RATE_HZ))
    stream[:, -RATE_HZ:] += np.stack([whistle(word, 100 + n, 1) for n, word in enumerate(words)])
    audio = np.clip(np.rint(stream), -32768, 32767).astype(np.int16)
    clips = audio[:, -RATE_HZ:]

    heard = score_stream(audio.reshape(-1), model, manifest)
    last = np.searchsorted(heard.times_ms, 5_000 * np.arange(1, len(words) + 1), side="right") - 1
    inside = model.scores(heard.scores[last])[own]
    interval = 1.96 * inside.std() / np.sqrt(len(words))

    def alone(features: np.ndarray) -> np.ndarray:
        return model.scores(model.run(model.inputs(features)))[own]

    assert abs(alone(settled(clips, SETTINGS)).mean() - inside.mean()) < interval
    assert abs(alone(extract_batch(clips, SETTINGS)).mean() - inside.mean()) > interval


def test_it_is_always_the_same_and_keeps_the_clip() -> None:
    audio = clips()
    heard = after_background(audio, SETTINGS)
    np.testing.assert_array_equal(heard, after_background(audio, SETTINGS))
    np.testing.assert_array_equal(heard[:, -RATE_HZ:], audio)
    assert settled(audio[:0], SETTINGS).shape == (0, SETTINGS.frames(RATE_HZ), SETTINGS.channels)
