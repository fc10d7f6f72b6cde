from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.tasks.kws import noise_sweep

RNG = np.random.default_rng(11)


def tone(amplitude: float, start: int, end: int) -> np.ndarray:
    clip = np.zeros(16_000)
    clip[start:end] = amplitude * np.sin(np.arange(end - start) * 0.3)
    return clip.astype(np.int16)


def test_pauses_do_not_count_as_speech() -> None:
    short, long = tone(8000, 4800, 9600), tone(8000, 0, 16_000)
    levels = noise_sweep.speech_rms(np.stack([short, long]))
    assert levels == pytest.approx([8000 / np.sqrt(2)] * 2, rel=0.01)


@pytest.mark.parametrize("snr_db", [20.0, 0.0, -5.0])
def test_the_ratio_is_the_one_asked_for(snr_db: float) -> None:
    audio = np.stack([tone(4000, 3000, 9000)])
    levels = noise_sweep.speech_rms(audio)
    mixed = noise_sweep.mix(audio, noise_sweep.beds((), 1, 16_000), levels, snr_db)
    added = mixed.astype(float) - audio
    measured = 20 * np.log10(levels[0] / np.sqrt(np.square(added).mean()))
    assert measured == pytest.approx(snr_db, abs=0.1)


def test_loud_mixtures_are_turned_down_not_clipped() -> None:
    audio = np.stack([tone(32_000, 0, 16_000)])
    mixed = noise_sweep.mix(audio, noise_sweep.beds((), 1, 16_000), noise_sweep.speech_rms(audio), 0.0)
    assert np.abs(mixed.astype(int)).max() == 32_767
    assert (np.abs(mixed.astype(int)) == 32_767).sum() <= 2


def test_recordings_are_used_where_there_are_some() -> None:
    marked = np.resize(np.array([100, -100], np.int16), 40_000)
    beds = noise_sweep.beds([marked, np.zeros(40_000, np.int16), np.ones(10, np.int16)], 4, 16_000)
    assert np.abs(beds) == pytest.approx(np.ones((4, 16_000))), "silent and short recordings are left out"
    assert np.abs(noise_sweep.beds([marked[:8000]], 2, 16_000)) == pytest.approx(np.ones((2, 16_000)))


def test_recordings_that_are_of_no_use_are_not_said_to_be_the_noise() -> None:
    audio, truth = np.stack([tone(1000, 3000, 9000)]), np.zeros(1, np.int64)
    for recordings, named in (([np.zeros(40_000, np.int16)], "generated"), ([audio[0]], "recordings")):
        outcome = noise_sweep.sweep(
            lambda clips: np.zeros(len(clips), np.int64), audio, 16_000, 16_000, truth, ("a",), recordings
        )
        assert outcome.noise == named


def test_sweep_goes_from_clean_to_loud_and_gives_silence_a_level() -> None:
    audio = np.stack([tone(1000, 3000, 9000), np.zeros(16_000, np.int16)] * 5)
    truth = np.array([1, 0] * 5)
    loudness = []

    def predict(clips: np.ndarray) -> np.ndarray:
        loudness.append(np.sqrt(np.square(clips[1::2].astype(float)).mean()))
        return truth if len(loudness) < 4 else np.zeros(10, np.int64)

    outcome = noise_sweep.sweep(predict, audio, 16_000, 16_000, truth, ("silence", "yes"))
    assert outcome.noise == "generated"
    assert [point.snr_db for point in outcome.points] == [None, *noise_sweep.SNR_DB]
    assert [point.accuracy for point in outcome.points] == [1, 1, 1, 0.5, 0.5, 0.5, 0.5]
    assert outcome.points[-1].recall == {"silence": 1.0, "yes": 0.0}
    level = 1000 / np.sqrt(2)
    expected = [0, *(level * 10 ** (-snr / 20) for snr in noise_sweep.SNR_DB)]
    assert loudness == pytest.approx(expected, rel=0.03, abs=0.01)


def test_the_noise_begins_before_the_clip_and_its_level_is_that_of_the_clip() -> None:
    lead_in = np.zeros((4, 32_000), np.int16)
    clip = np.stack([tone(1000, 3000, 9000)] * 4)
    heard = []

    def predict(clips: np.ndarray) -> np.ndarray:
        heard.append(clips.astype(float))
        return np.zeros(4, np.int64)

    audio = np.concatenate([lead_in, clip], axis=1)
    outcome = noise_sweep.sweep(predict, audio, 16_000, 16_000, np.zeros(4, np.int64), ("a",))
    assert outcome.lead_in_s == 2
    before = np.sqrt(np.square(heard[-1][:, :32_000]).mean())
    assert before == pytest.approx(1000 / np.sqrt(2) * 10 ** (5 / 20), rel=0.05), "−5 dB"


def test_many_clips_are_thinned_evenly() -> None:
    audio = RNG.integers(-99, 99, (noise_sweep.MAX_CLIPS + 50, 960)).astype(np.int16)
    truth = np.arange(len(audio)) % 2
    outcome = noise_sweep.sweep(
        lambda clips: np.zeros(len(clips), np.int64), audio, 960, 16_000, truth, ("a", "b")
    )
    assert outcome.n == noise_sweep.MAX_CLIPS
