"""The front end against the reference's own output, against its golden file, and C against numpy."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.features.synthetic_audio import GOLDEN, SETTINGS, clips
from tinyml_cli.errors import TinymlError
from tinyml_cli.features import audio_frontend, numpy_frontend
from tinyml_cli.features.audio_frontend import extract, extract_batch, extract_in_blocks
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.features.tables import build_tables

needs_c = pytest.mark.skipif(audio_frontend._frontend is None, reason="the C front end is not built here")

BACKENDS = [pytest.param("c", marks=needs_c), "numpy"]

# Other FFT sizes (128, 256, 1024: with and without a radix-2 stage), empty channels, odd windows.
UNUSUAL = [
    AudioFrontendSettings(window_ms=8, stride_ms=8, channels=8, lower_hz=300, upper_hz=5000),
    AudioFrontendSettings(window_ms=16, stride_ms=10),
    AudioFrontendSettings(window_ms=40, stride_ms=20, lower_hz=20, upper_hz=7900),
    AudioFrontendSettings(window_ms=64, stride_ms=64, channels=64, lower_hz=0, upper_hz=7990),
    AudioFrontendSettings(sample_rate_hz=11025, window_ms=25, stride_ms=7, upper_hz=5000),
]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(audio_frontend.BACKEND_VARIABLE, request.param)
    assert audio_frontend.backend() == request.param
    return str(request.param)


@pytest.mark.parametrize("name", SETTINGS)
def test_matches_the_reference_front_end(name: str, backend: str, shared: Path) -> None:
    golden = np.load(shared / "data" / "golden" / "micro_frontend.npz")
    np.testing.assert_array_equal(extract_batch(golden["audio"], SETTINGS[name]), golden[f"features_{name}"])


@pytest.mark.parametrize("name", SETTINGS)
def test_matches_its_golden_file(name: str, backend: str) -> None:
    expected = np.load(GOLDEN)[f"features_{name}"]
    np.testing.assert_array_equal(extract_batch(clips(), SETTINGS[name]), expected)


@needs_c
@pytest.mark.parametrize("settings", UNUSUAL, ids=lambda s: f"fft{s.fft_size}_c{s.channels}")
def test_c_equals_numpy_for_other_settings(settings: AudioFrontendSettings) -> None:
    expected = numpy_frontend.extract(clips(), build_tables(settings))
    assert expected.any()
    np.testing.assert_array_equal(extract_in_blocks(clips(), settings, 8000), expected)


@needs_c
@given(
    seed=st.integers(0, 2**32 - 1),
    amplitude=st.sampled_from([1, 2, 30, 1000, 20000, 32768]),
    samples=st.integers(0, 4000),
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_c_equals_numpy_on_random_audio(seed: int, amplitude: int, samples: int) -> None:
    audio = np.random.default_rng(seed).integers(-amplitude, amplitude, (2, samples)).astype(np.int16)
    settings = AudioFrontendSettings()
    expected = numpy_frontend.extract(audio, build_tables(settings))
    np.testing.assert_array_equal(extract_in_blocks(audio, settings, max(1, samples)), expected)


@needs_c
@pytest.mark.parametrize("block_samples", [1, 7, 319, 320, 321, 640])
def test_streaming_equals_the_whole_clip(block_samples: int) -> None:
    settings = AudioFrontendSettings()
    whole = extract_in_blocks(clips(), settings, 8000)
    np.testing.assert_array_equal(extract_in_blocks(clips(), settings, block_samples), whole)


@given(
    seed=st.integers(0, 2**32 - 1),
    ends=st.lists(st.integers(0, 12_000), max_size=8),
    scale=st.sampled_from([1, 500, 32768]),
)
@hypothesis_settings(max_examples=20, deadline=None)
@pytest.mark.parametrize("name", BACKENDS)
def test_a_sound_in_blocks_gives_the_features_of_the_whole(
    name: str, seed: int, ends: list[int], scale: int
) -> None:
    rng = np.random.default_rng(seed)
    audio = rng.integers(-scale, scale, 12_000).astype(np.int16)
    audio[4000:] //= 8  # the noise estimate has to move
    with mock.patch.dict(os.environ, {audio_frontend.BACKEND_VARIABLE: name}):
        frontend = audio_frontend.StreamFrontend(AudioFrontendSettings())
        parts = [frontend.push(block) for block in np.split(audio, sorted(ends))]
    np.testing.assert_array_equal(np.concatenate(parts), extract(audio, AudioFrontendSettings()))


def test_clips_do_not_influence_each_other(backend: str) -> None:
    settings = AudioFrontendSettings()
    together = extract_batch(clips(), settings)
    alone = np.stack([extract(clip, settings) for clip in clips()])
    np.testing.assert_array_equal(together, alone)


def test_many_clips_equal_few(backend: str) -> None:
    settings = AudioFrontendSettings()
    many = np.tile(clips(), (5, 1))
    np.testing.assert_array_equal(
        extract_batch(many, settings), np.tile(extract_batch(clips(), settings), (5, 1, 1))
    )


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (479, 0), (480, 1), (799, 1), (800, 2), (16000, 49)])
def test_number_of_frames(samples: int, frames: int, backend: str) -> None:
    features = extract_batch(np.zeros((3, samples), np.int16), AudioFrontendSettings())
    assert features.shape == (3, frames, 40)
    assert features.dtype == np.uint16
    assert not features.any()


def test_no_clips(backend: str) -> None:
    assert extract_batch(np.zeros((0, 16000), np.int16), AudioFrontendSettings()).shape == (0, 49, 40)


def test_non_contiguous_audio(backend: str) -> None:
    settings = AudioFrontendSettings()
    wide = np.repeat(clips(), 2, axis=1)
    np.testing.assert_array_equal(
        extract_batch(wide[::2, ::2], settings), extract_batch(clips()[::2].copy(), settings)
    )


def test_threads_agree(backend: str) -> None:
    settings = AudioFrontendSettings()
    results: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: results.append(extract_batch(clips(), settings))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, results[0])


def test_a_tone_lights_its_own_channel(backend: str) -> None:
    time = np.arange(16000) / 16000
    tone = (8000 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16)
    loudest = extract(tone, AudioFrontendSettings())[0].argmax()
    mel = lambda hz: 1127 * np.log1p(hz / 700)  # noqa: E731
    nearest = round((mel(1000) - mel(125)) / ((mel(7500) - mel(125)) / 41)) - 1
    assert abs(int(loudest) - nearest) <= 1


@pytest.mark.parametrize(
    "bad", [np.zeros((1, 480), np.float32), np.zeros(480, np.int16), np.zeros((1, 1, 1), np.int16)]
)
def test_wrong_audio_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(TinymlError, match="audio must be int16"):
        extract_batch(bad, AudioFrontendSettings())


def test_unknown_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(audio_frontend.BACKEND_VARIABLE, "fortran")
    with pytest.raises(TinymlError, match="fortran"):
        audio_frontend.backend()


def test_missing_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio_frontend, "_frontend", None)
    monkeypatch.delenv(audio_frontend.BACKEND_VARIABLE, raising=False)
    assert audio_frontend.backend() == "numpy"
    monkeypatch.setenv(audio_frontend.BACKEND_VARIABLE, "c")
    with pytest.raises(TinymlError, match="not built"):
        extract_batch(np.zeros((1, 480), np.int16), AudioFrontendSettings())
