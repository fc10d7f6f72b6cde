"""Audio of any rate, length and channel count becomes 16 kHz mono, or says why not."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio
from tinyml_cli.data.pcm import fit_length
from tinyml_cli.data.resample import resample


def sine(frequency_hz: float, rate_hz: int, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(int(rate_hz * seconds)) / rate_hz)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_resample_keeps_a_sine_in_phase(rate_hz: int) -> None:
    made = resample(sine(1000, rate_hz), rate_hz, 16_000)
    assert len(made) == 16_000
    np.testing.assert_allclose(made[400:-400], sine(1000, 16_000)[400:-400], atol=1e-3)


def test_resample_removes_what_would_alias() -> None:
    made = resample(sine(10_000, 44_100), 44_100, 16_000)
    assert np.abs(made[400:-400]).max() < 1e-3


@settings(max_examples=30, deadline=None)
@given(st.integers(4_000, 200_000), st.integers(1, 3_000))
def test_resample_any_rate_and_length(rate_hz: int, samples: int) -> None:
    made = resample(np.ones(samples), rate_hz, 16_000)
    assert abs(len(made) - max(1, samples * 16_000 / rate_hz)) <= 1
    assert np.isfinite(made).all()


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_reads_every_format_and_mixes_channels(tmp_path: Path, suffix: str) -> None:
    stereo = np.stack([0.5 * sine(440, 48_000), np.zeros(48_000)], axis=1)
    soundfile.write(tmp_path / f"a{suffix}", stereo, 48_000)
    audio = read_audio(tmp_path / f"a{suffix}", 16_000)
    assert audio.dtype == np.int16
    assert len(audio) == pytest.approx(16_000, abs=2)
    assert np.abs(audio[2000:-2000]).max() == pytest.approx(0.25 * 32768, rel=0.05)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not audio at all", bytes(range(256)) * 8])
def test_hostile_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(UnreadableAudioError):
        read_audio(tmp_path / "a.wav", 16_000)


def test_empty_and_not_finite_audio_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16_000)
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan), 16_000, subtype="FLOAT")
    for name in ("empty.wav", "nan.wav"):
        with pytest.raises(UnreadableAudioError):
            read_audio(tmp_path / name, 16_000)


def test_long_audio_keeps_its_loudest_stretch_and_short_audio_is_centred() -> None:
    long = np.zeros(48_000, np.int16)
    long[30_000:34_000] = 1000
    kept = fit_length(long, 16_000)
    assert len(kept) == 16_000
    assert kept.astype(int).sum() == 4_000 * 1000
    short = fit_length(np.full(4, 7, np.int16), 10)
    assert short.tolist() == [0, 0, 0, 7, 7, 7, 7, 0, 0, 0]


def test_damaged_mp3_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.mp3"
    soundfile.write(path, np.sin(np.arange(16_000) * 0.05), 16_000, format="MP3")
    content = bytearray(path.read_bytes())
    content[400:2000:7] = bytes(len(range(400, 2000, 7)))
    path.write_bytes(content)
    with contextlib.suppress(UnreadableAudioError):
        read_audio(path, 16_000)
    assert capfd.readouterr() == ("", "")
    os.write(2, b"here again")
    assert capfd.readouterr().err == "here again"
