"""The loudest word of a take, cut with the word in the middle; takes that should be spoken again are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tinyml_cli.data.trim import cut_word, cut_words

RATE_HZ = 16_000


def _take(seconds: float, at_s: float, word_s: float, level: float = 0.3, noise: float = 0.003) -> np.ndarray:
    """A buzzing "word" in faint noise."""
    take = np.random.default_rng(1).normal(0, noise, int(seconds * RATE_HZ))
    n = int(word_s * RATE_HZ)
    buzz = np.sign(np.sin(2 * np.pi * 150 * np.arange(n) / RATE_HZ)) * np.hanning(n) * level
    begin = int(at_s * RATE_HZ)
    take[begin : begin + n] += buzz
    return (np.clip(take, -1, 1) * 32767).astype(np.int16)


@pytest.mark.parametrize("at_s", [0.1, 0.7, 1.9])
def test_the_word_lands_in_the_middle(at_s: float) -> None:
    cut = cut_word(_take(2.5, at_s, 0.5), RATE_HZ, RATE_HZ)
    assert cut.faults == () and len(cut.audio) == RATE_HZ
    assert cut.word_start / RATE_HZ == pytest.approx(at_s, abs=0.1)
    assert cut.word_end / RATE_HZ == pytest.approx(at_s + 0.5, abs=0.1)
    if 0.3 < at_s < 1.7:
        energy = np.square(cut.audio.astype(float))
        centre = (energy * np.arange(RATE_HZ)).sum() / energy.sum()
        assert centre == pytest.approx(RATE_HZ / 2, abs=0.05 * RATE_HZ)


def test_the_louder_of_two_words_is_taken_and_a_pause_inside_a_word_bridged() -> None:
    two = _take(3.0, 0.4, 0.4, level=0.1) // 2 + _take(3.0, 2.0, 0.4, level=0.5) // 2
    assert cut_word(two, RATE_HZ, RATE_HZ).word_start > 1.8 * RATE_HZ
    halves = _take(2.5, 0.8, 0.3) // 2 + _take(2.5, 1.2, 0.3) // 2
    cut = cut_word(halves, RATE_HZ, RATE_HZ)
    assert cut.word_start < 0.95 * RATE_HZ and cut.word_end > 1.35 * RATE_HZ


def test_takes_to_be_spoken_again() -> None:
    assert "no word is louder" in cut_word(_take(2.0, 0.5, 0.4, level=0.0), RATE_HZ, RATE_HZ).faults[0]
    assert "too quiet" in cut_word(_take(2.0, 0.5, 0.5, 0.003, 0.0001), RATE_HZ, RATE_HZ).faults[0]
    loud = np.clip(_take(2.0, 0.5, 0.5, level=0.9).astype(np.int32) * 6, -32768, 32767).astype(np.int16)
    assert any("clipped" in fault for fault in cut_word(loud, RATE_HZ, RATE_HZ).faults)
    late = cut_word(_take(2.0, 0.5, 0.5)[: int(0.75 * RATE_HZ)], RATE_HZ, RATE_HZ)
    assert any("cut off" in fault for fault in late.faults)
    early = cut_word(_take(2.0, 0.5, 0.5)[int(0.75 * RATE_HZ) :], RATE_HZ, RATE_HZ)
    assert any("starts before" in fault for fault in early.faults)
    assert cut_word(np.zeros(0, np.int16), RATE_HZ, RATE_HZ).faults == ("it is empty",)


def test_a_long_word_gives_its_loudest_second() -> None:
    cut = cut_word(_take(3.0, 0.5, 1.8), RATE_HZ, RATE_HZ)
    assert len(cut.audio) == RATE_HZ and np.abs(cut.audio[RATE_HZ // 2]) > 0


def test_real_words_are_found_in_a_longer_take(shared: Path) -> None:
    """Real words laid into three seconds of faint noise: nearly all must come back whole."""
    paths = sorted((shared / "data/speech_commands_v002_test").glob("[msy]*/*.flac"))[::12][:60]
    found = 0
    for index, path in enumerate(paths):
        clip, _ = soundfile.read(path, dtype="int16")
        take = np.random.default_rng(index).normal(0, 8, 3 * RATE_HZ).astype(np.int16)
        begin = 4_000 + 400 * index
        take[begin : begin + len(clip)] += clip
        cut = cut_word(take, RATE_HZ, RATE_HZ)
        energy = np.square(clip.astype(float))
        inside = np.square(take.astype(float))[max(cut.word_start, 0) : cut.word_end].sum() / energy.sum()
        found += inside > 0.95
    assert found >= 0.9 * len(paths), f"{found} of {len(paths)}"


def test_a_long_recording_of_real_words_is_cut_into_clips(shared: Path) -> None:
    """Clips of many people, half a second apart; a few hold a noise beside the word."""
    found = total = 0
    for word in ("yes", "stop", "marvin", "six", "happy", "left"):
        paths = sorted((shared / "data/speech_commands_v002_test" / word).glob("*.flac"))[:40]
        rng = np.random.default_rng(1)
        pieces: list[np.ndarray] = []
        starts = []
        for path in paths:
            pieces.append(rng.normal(0, 8, RATE_HZ // 2).astype(np.int16))
            starts.append(sum(map(len, pieces)))
            pieces.append(soundfile.read(path, dtype="int16")[0])
        good = [cut for cut in cut_words(np.concatenate(pieces), RATE_HZ, RATE_HZ) if not cut.faults]
        total += len(paths)
        found += sum(
            any(start - 1_600 <= cut.word_start and cut.word_end <= start + 17_600 for cut in good)
            for start in starts
        )
    assert found >= 0.8 * total, f"{found} of {total}"
