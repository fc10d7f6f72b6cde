"""Streams to train by, and the examples cut from them."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.data.clips import ClipSet
from tinyml_cli.features.audio_frontend import extract
from tinyml_cli.recipes.kws import HardNegativesRecipe, KwsRecipe, StreamsRecipe
from tinyml_cli.tasks.kws.busy_streams import EVERYDAY, HARD, BusyStreams, Mix, Span
from tinyml_cli.tasks.kws.pool import ExamplePool
from tinyml_cli.tasks.kws.stream_audio import Material
from tinyml_cli.tasks.kws.stream_windows import StreamWindows, WithStreams, window_labels
from tinyml_cli.tasks.kws.variations import Variations
from tinyml_cli.training.examples import Examples

RATE_HZ = SAMPLES = 16_000
RECIPE = KwsRecipe(words=["up"])
LABELS = RECIPE.model_labels
SILENCE, UNKNOWN, UP = range(3)
STRIDE = RECIPE.features.stride_samples


def material() -> Material:
    """Tones of half a second between zeros: three `up`, three other words."""
    audio = np.zeros((6, SAMPLES), np.int16)
    time = np.arange(8_000) / RATE_HZ
    for row in range(6):
        audio[row, 4_000:12_000] = 6_000 * np.sin(2 * np.pi * (300 + 250 * row) * time + 0.1)
    labels = np.array(["up"] * 3 + ["unknown"] * 3)
    return Material(ClipSet(audio, labels, labels, labels), (), RATE_HZ, "")


def streams(seed: int = 1) -> BusyStreams:
    return BusyStreams(material(), [], [], LABELS, RECIPE.augmentation, [seed])


@pytest.fixture(scope="module")
def windows() -> StreamWindows:
    return StreamWindows(streams(), 2, LABELS, RECIPE.features, SAMPLES, [1])


def test_a_stream_is_fixed_by_seed_and_number() -> None:
    first, again = streams().make(3, 20), streams().make(3, 20)
    np.testing.assert_array_equal(first.audio, again.audio)
    assert first.spans == again.spans
    assert len(first.audio) == 20 * RATE_HZ
    assert (streams().make(4, 20).audio != first.audio).any()
    assert (streams(2).make(3, 20).audio != first.audio).any()


def test_what_is_said_is_louder_than_its_scene() -> None:
    """Where a target is, the stream is louder than in the scene's quietest parts."""
    stream = streams().make(0, 60)
    targets = [span for span in stream.spans if span.label == UP]
    assert len(targets) > 5
    assert all(0 <= span.start < span.end <= len(stream.audio) for span in stream.spans)
    loud = 0
    for span in targets:
        around = stream.audio[max(0, span.start - RATE_HZ) : span.end + RATE_HZ].astype(float)
        frames = np.square(around[: len(around) // 160 * 160]).reshape(-1, 160).mean(axis=1)
        loud += np.square(stream.audio[span.start : span.end].astype(float)).mean() > np.quantile(frames, 0.1)
    assert loud == len(targets)


@pytest.mark.parametrize(("mix", "near", "cut_targets"), [(EVERYDAY, 0.1, 0.0), (HARD, 0.46, 0.03)])
def test_everyday_speech_favours_no_word_and_breaks_off_in_no_target(
    mix: Mix, near: float, cut_targets: float
) -> None:
    """Two of twenty utterances sound like a target; each has its own level."""
    sounds = [np.full(4_000, level, np.int16) for level in range(100, 2_100, 100)]
    tones = material().clips.take(np.arange(6) < 3)
    made = BusyStreams(
        Material(tones, (), RATE_HZ, ""), sounds, sounds[:2], LABELS, RECIPE.augmentation, [1], mix
    )
    rng = np.random.default_rng(1)
    said = [made._next(rng)[0] for _ in range(4_000)]
    levels = np.array([word.audio.max() for word in said])
    targets = np.array([word.label == UP for word in said])
    others = levels < 2_100
    assert (levels[others] < 201).mean() == pytest.approx(near, abs=0.03)
    assert (~targets & ~others).mean() == pytest.approx(cut_targets, abs=0.01)
    assert targets.mean() == pytest.approx(0.14, abs=0.02)


def test_clips_chosen_for_their_sound_are_no_everyday_speech_unless_there_is_no_other() -> None:
    sounds = [np.full(4_000, 100, np.int16)]
    found = {
        (mix.name, len(others)): len(
            BusyStreams(material(), others, [], LABELS, RECIPE.augmentation, [1], mix).others
        )
        for mix in (EVERYDAY, HARD)
        for others in ([], sounds)
    }
    assert found == {("everyday", 0): 3, ("everyday", 1): 1, ("hard", 0): 3, ("hard", 1): 4}


def labels_of(*spans: Span, frames: int = 200) -> np.ndarray:
    return window_labels(spans, frames, LABELS, RECIPE.features, SAMPLES)


def test_nothing_is_silence_and_the_last_frames_begin_no_window() -> None:
    found = labels_of()
    whole = 200 - RECIPE.features.frames(SAMPLES) + 1
    assert (found[:whole] == SILENCE).all()
    assert (found[whole:] == -1).all()


@pytest.mark.parametrize("start", [20_000, 23_456, 30_001])
def test_a_window_has_the_word_that_it_holds(start: int) -> None:
    span = Span(start, start + 8_000, UP)
    found = labels_of(span)
    for frame in range(100):
        begin = frame * STRIDE
        inside = min(begin + SAMPLES, span.end) - max(begin, span.start)
        share = max(0, inside) / 8_000
        if begin <= span.start and span.end <= begin + SAMPLES:
            assert found[frame] == UP
        elif 0.45 < share < 0.8:
            assert found[frame] == -1
        elif inside >= 0.12 * RATE_HZ and share < 0.34:
            assert found[frame] == UNKNOWN
        elif inside <= 0:
            assert found[frame] == SILENCE


def test_other_speech_is_unknown_and_part_of_a_second_target_is_neither() -> None:
    other = labels_of(Span(20_000, 28_000, UNKNOWN))
    assert set(other[:150]) == {SILENCE, UNKNOWN, -1}
    two = labels_of(Span(20_000, 26_000, UP), Span(30_000, 38_000, UP))
    # The first whole and three quarters of the second.
    assert two[20_000 // STRIDE] == -1


def test_windows_are_cut_from_the_running_front_end(windows: StreamWindows) -> None:
    whole = extract(streams().make(1, 120).audio, RECIPE.features)
    at = np.array([len(whole) + 500])
    np.testing.assert_array_equal(windows.windows(at)[0], whole[500 : 500 + windows.frames])


def test_an_epoch_takes_what_it_is_asked_for(windows: StreamWindows) -> None:
    quotas = {"silence": 20, "unknown": 50, "up": 30}
    taken = windows.take(2, quotas)
    np.testing.assert_array_equal(np.bincount(taken.labels), list(quotas.values()))
    np.testing.assert_array_equal(taken.features, windows.take(2, quotas).features)
    assert (windows.take(3, quotas).features != taken.features).any()


def test_hard_windows_come_back_from_their_epoch_on() -> None:
    windows = StreamWindows(streams(), 1, LABELS, RECIPE.features, SAMPLES, [1])
    quotas = {"silence": 0, "unknown": 200, "up": 0}
    before = [windows.take(epoch, quotas).features for epoch in (4, 5)]
    row = windows.negatives(5)
    row = row[windows.labels[row] == UNKNOWN][10:11]
    windows.use_hard(row, 0.5, 5)
    np.testing.assert_array_equal(windows.take(4, quotas).features, before[0])
    after = windows.take(5, quotas).features
    changed = (after != before[1]).any(axis=(1, 2)).mean()
    assert 0.1 < changed < 0.6


class Listener:
    """Stands for a half-trained network: the louder a window, the more it hears `up`."""

    def predict_on_batch(self, inputs: np.ndarray) -> np.ndarray:
        up = inputs.mean(axis=(1, 2, 3)) / 26
        return np.stack([0.5 - up / 2, 0.5 - up / 2, up], axis=1).astype(np.float32)


def test_false_accepts_in_streams_are_found_and_come_back(windows: StreamWindows) -> None:
    pytest.importorskip("tensorflow", reason="extra `train` is not installed")
    from tinyml_cli.tasks.kws.hard_negatives import HardNegatives

    recipe = RECIPE.model_copy(
        update={
            "hard_negatives": HardNegativesRecipe(threshold=0.15),
            "streams": StreamsRecipe(hours=1, hard_share=0.5),
        }
    )
    clips = material().clips
    variations = Variations(clips, (), recipe, [1])
    with ExamplePool(variations, {"silence": 1, "unknown": 1, "up": 1}, recipe, [1]) as pool:
        miner = HardNegatives(clips, (), variations, pool, recipe, windows)
        found = miner.seek(Listener())
        assert found == miner.seek(Listener())
        quotas = {"silence": 100, "unknown": 300, "up": 0}
        later = miner.after_epochs + 1
        before = windows.take(later, quotas).features.mean()
        miner.use(found)
    assert len(found) > 20
    assert windows.take(later, quotas).features.mean() > 1.1 * before


def test_windows_stand_behind_the_pool(windows: StreamWindows) -> None:
    shape = (4, windows.frames, RECIPE.features.channels)
    pool = Examples(np.zeros(shape, np.uint16), np.array([0, 1, 2, 2]))
    both = WithStreams(pool, windows, {"silence": 1, "unknown": 3, "up": 2}, None)
    examples = both.at(1)
    assert len(both) == len(examples) == 10
    np.testing.assert_array_equal(both.labels, [0, 1, 2, 2, 0, 1, 1, 1, 2, 2])
    np.testing.assert_array_equal(examples.labels, both.labels)
    assert both.at(1) is examples
