"""Recordings of any length and rate in little memory: the same answers as all of the sound at once."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.conftest import Tinyml
from tests.corpus import RATE_HZ, whistle
from tinyml_cli.data.audio_file import audio_blocks, read_audio
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.tasks.kws import stream_scores
from tinyml_cli.tasks.kws.stream_scores import StreamScores, inferences, score_blocks, score_stream
from tinyml_cli.tasks.kws.stream_source import cut

MANIFEST = Manifest(
    task="kws", seed=0, labels=["silence", "unknown", "up"], features=AudioFrontendSettings(), clip_ms=1000
)


class Sums:
    """A model that answers by the sums of a window's halves."""

    def inputs(self, features: np.ndarray) -> np.ndarray:
        return (features // 8).astype(np.int8)

    def run(self, inputs: np.ndarray) -> np.ndarray:
        thirds = np.array_split(inputs.astype(np.int64), 3, axis=1)
        return np.stack([(third.sum(axis=(1, 2)) % 251 - 125) for third in thirds], axis=1).astype(np.int8)


def noise(seconds: float, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    loud = np.repeat(rng.uniform(5, 3000, int(seconds) + 1), RATE_HZ)[: int(seconds * RATE_HZ)]
    return (rng.normal(0, 1, len(loud)) * loud).clip(-32768, 32767).astype(np.int16)


def same(one: StreamScores, other: StreamScores) -> bool:
    return one.duration_ms == other.duration_ms and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("times_ms", "scores", "sample", "sample_at")
    )


@pytest.mark.parametrize("block_s", [1, 3, 120])
@pytest.mark.parametrize("hop", [1, 5, 60])  # a window has 49 frames
def test_scores_do_not_depend_on_the_blocks(block_s: int, hop: int, monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = MANIFEST.recognizer.model_copy(update={"inference_stride_frames": hop})
    manifest = MANIFEST.model_copy(update={"recognizer": recognizer})
    audio = noise(14.003)
    whole = score_stream(audio, Sums(), manifest)
    assert len(whole.scores) == inferences(len(audio), manifest)
    monkeypatch.setattr(stream_scores, "_BLOCK_S", block_s)
    ends = np.sort(np.random.default_rng(block_s).integers(0, len(audio), 30))
    assert same(score_blocks(np.split(audio, ends), Sums(), manifest), whole)


@pytest.mark.parametrize("count", [1, 49, 50, 51, 101, 3333])
def test_the_windows_that_are_compared_are_spread_over_all(count: int) -> None:
    sample = stream_scores._EvenSample(50)
    for part in np.array_split(np.arange(count), 7):
        sample.add(part)
    numbers, items = sample.result()
    assert (numbers == items).all() and len(numbers) == min(count, 50)
    assert numbers[0] == 0 and numbers[-1] >= count * 0.95 - 1
    assert np.diff(numbers, append=count).max() <= count / 50 * 3 + 1


def test_memory_does_not_grow_with_the_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_scores, "_BLOCK_S", 2)
    minute = noise(60)

    def peak_bytes(minutes: int) -> int:
        def blocks() -> Iterator[np.ndarray]:
            for _ in range(minutes):
                yield minute

        tracemalloc.start()
        try:
            score_blocks(blocks(), Sums(), MANIFEST)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    grown = peak_bytes(4) - peak_bytes(1)
    assert grown < 3 * minute.nbytes / 10, f"{grown:,} bytes for three minutes of {minute.nbytes:,} more"


def test_places_are_cut_across_blocks() -> None:
    rng = np.random.default_rng(4)
    audio = np.arange(5000, dtype=np.int16)
    for _ in range(30):
        starts = rng.integers(-300, 5200, 12)
        places = [(int(start), int(start + rng.integers(0, 900))) for start in starts]
        blocks = np.split(audio, np.sort(rng.integers(0, 5000, 9)))
        found = dict(cut(blocks, places))
        assert len(found) == len(places)
        for number, (first, last) in enumerate(places):
            np.testing.assert_array_equal(found[number], audio[max(0, first) : max(0, last)])


@pytest.mark.parametrize(("rate_hz", "channels"), [(8000, 1), (16_000, 2), (44_100, 2), (48_000, 1)])
def test_a_file_in_blocks_is_the_file(rate_hz: int, channels: int, tmp_path: Path) -> None:
    tone = 0.4 * np.sin(np.arange(3 * rate_hz)[:, None] * (0.02 + 0.01 * np.arange(channels)))
    soundfile.write(tmp_path / "a.flac", tone, rate_hz)
    whole = read_audio(tmp_path / "a.flac", 16_000)
    np.testing.assert_array_equal(np.concatenate(list(audio_blocks(tmp_path / "a.flac", 16_000))), whole)


def test_recordings_of_mixed_rates_are_heard_alike(whistle_run: Path, tinyml: Tinyml, tmp_path: Path) -> None:
    audio = np.random.default_rng(5).normal(0, 40, 20 * RATE_HZ)
    for index, word in enumerate(("up", "down", "up")):
        audio[(3 + 5 * index) * RATE_HZ :][:RATE_HZ] += whistle(word, 35, index)
    rows = ["file\tstart_s\tend_s\tlabel"]
    (tmp_path / "evening").mkdir()
    for times, name in ((1, "one.wav"), (2, "two.flac"), (3, "three.ogg")):
        twice = np.repeat(np.clip(audio, -32768, 32767).astype(np.int16), times)
        stereo = np.stack([twice, twice], axis=1) if times == 2 else twice
        soundfile.write(tmp_path / "evening" / name, stereo, times * RATE_HZ)
        rows += [f"{name}\t{3 + 5 * n}\t{4 + 5 * n}\t{word}" for n, word in enumerate(("up", "down", "up"))]
    (tmp_path / "truth.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    options: tuple[Any, ...] = ("--stream", "evening", "--truth", "truth.tsv", "--json")
    outcome = tinyml("evaluate-stream", whistle_run, *options, cwd=tmp_path).json
    assert outcome["hours"] == pytest.approx(60 / 3600, rel=0.001)
    assert (outcome["false_rejects"]["n"], outcome["false_rejects"]["of"]) == (0, 9)


@pytest.mark.nightly
def test_five_hours_are_heard_in_little_memory(whistle_run: Path, tinyml: Tinyml, tmp_path: Path) -> None:
    hour, word = noise(3600, 3) // 50, whistle("up", 35, 1).astype(np.int16)
    hour[1800 * RATE_HZ :][: len(word)] += word
    with soundfile.SoundFile(tmp_path / "night.wav", "w", RATE_HZ, 1, "PCM_16") as file:
        for _ in range(5):
            file.write(hour)
    rows = [f"{hour * 3600 + 1800}\t{hour * 3600 + 1801}\tup" for hour in range(5)]
    (tmp_path / "truth.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    options = ("--stream", "night.wav", "--truth", "truth.tsv", "--json")
    outcome = tinyml("evaluate-stream", whistle_run, *options, cwd=tmp_path).json
    assert outcome["hours"] == pytest.approx(5) and outcome["false_rejects"]["n"] == 0
