"""Built streams: what is in them is where the truth says, and the same arguments give the same samples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.corpus import RATE_HZ, whistle
from tinyml_cli.data.clips import ClipSet
from tinyml_cli.tasks.kws.stream_audio import (
    STREAM_S,
    Material,
    build_stream,
    plan_targets,
    stream_lengths,
    word_bounds,
)

LABELS = ["silence", "unknown", "up", "down"]
SEED = [7, 2, 0]


@pytest.fixture(scope="module")
def material() -> Material:
    names = [("up", n) for n in range(12)] + [("down", n) for n in range(9)] + [("flat", n) for n in range(6)]
    labels = np.array([name if name in LABELS else "unknown" for name, _ in names])
    clips = ClipSet(
        np.stack([whistle(name, speaker, 0) for name, speaker in names]),
        labels,
        np.array([name for name, _ in names]),
        np.array([f"s{speaker}" for _, speaker in names]),
    )
    noise = (np.random.default_rng(0).normal(0, 300, 3 * RATE_HZ)).astype(np.int16)
    return Material(clips, (noise,), RATE_HZ, "whistles")


def test_the_same_seed_gives_the_same_stream_and_another_does_not(material: Material) -> None:
    rows = plan_targets(material, LABELS, 90, SEED)[0]
    first, second, other = (build_stream(material, LABELS, rows, 90, [*SEED, n]) for n in (1, 1, 2))
    assert np.array_equal(first.audio, second.audio)
    assert first.targets == second.targets
    assert not np.array_equal(first.audio, other.audio)
    assert first.audio.dtype == np.int16
    assert len(first.audio) == 90 * RATE_HZ


def test_clips_are_planned_once_and_in_equal_numbers(material: Material) -> None:
    plan = plan_targets(material, LABELS, 3 * STREAM_S, SEED)
    assert stream_lengths(3 * STREAM_S + 7) == [STREAM_S] * 3 + [7]
    rows = np.concatenate(plan)
    assert len(plan) == 3
    assert len(set(rows.tolist())) == len(rows) == 18, "as many of each as there are of the rarer word"
    words, counts = np.unique(material.clips.labels[rows], return_counts=True)
    assert dict(zip(words.tolist(), counts.tolist(), strict=True)) == {"up": 9, "down": 9}
    assert [len(each) for each in plan] == [18, 0, 0], "no clip twice: the other streams go without"


def test_targets_lie_apart_and_inside(material: Material) -> None:
    for seconds in (40, 300):
        rows = plan_targets(material, LABELS, seconds, SEED)[0]
        stream = build_stream(material, LABELS, rows, seconds, SEED)
        assert len(stream.targets) == seconds // 20
        times = [(target.start_ms, target.end_ms) for target in stream.targets]
        assert times == sorted(times)
        assert all(after[0] - before[1] >= 1000 for before, after in itertools.pairwise(times))
        assert times[0][0] >= 0
        assert times[-1][1] <= seconds * 1000
        assert sorted(target.label for target in stream.targets) == sorted(
            LABELS.index(str(word)) for word in material.clips.labels[rows]
        )


def test_a_target_is_louder_than_what_lies_under_it(material: Material) -> None:
    rows = plan_targets(material, LABELS, 300, SEED)[0]
    stream = build_stream(material, LABELS, rows, 300, SEED)
    bare = build_stream(material, LABELS, rows[:0], 300, SEED)
    assert not bare.targets
    for target in stream.targets:
        word = slice(target.start_ms * RATE_HZ // 1000, target.end_ms * RATE_HZ // 1000)
        power = np.square(stream.audio[word].astype(float)).mean()
        assert target.snr_db is not None
        assert target.snr_db >= 5
        assert target.scene in ("quiet", "noise", "crowd", "talk")
        assert power > 100


def test_word_bounds_leave_out_the_quiet() -> None:
    start_s, end_s = word_bounds(whistle("up", 3, 0), RATE_HZ)
    assert 0.15 < start_s < 0.45
    assert 0.35 < end_s - start_s < 0.5
    assert word_bounds(np.zeros(RATE_HZ, np.int16), RATE_HZ) == (0.0, 1.0)


def test_without_other_words_there_is_still_a_stream(material: Material) -> None:
    only = material.clips.take(material.clips.labels != "unknown")
    stream = build_stream(Material(only, (), RATE_HZ, ""), LABELS, np.array([0, 12]), 40, SEED)
    assert len(stream.targets) == 2
    assert stream.audio.any()
