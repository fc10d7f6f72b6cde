"""Training examples made on the fly: the same in every run, renewed bit by bit, found again on resume."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.data.clips import ClipSet
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.tasks.kws.pool import ExamplePool
from tinyml_cli.tasks.kws.variations import Variations

SAMPLES = 16_000
QUOTAS = {"silence": 70, "unknown": 100, "up": 130}


def recipe(**changes: object) -> KwsRecipe:
    return KwsRecipe.model_validate(
        {
            "words": ["up"],
            "augmentation": {"renewed_share": 0.3, "recorded": {"noise_share": 0}},
            "hard_negatives": {"share": 0.5},
            "training": {"epochs": 8},
            **changes,
        }
    )


def tone(frequency_hz: float) -> np.ndarray:
    return (6_000 * np.sin(2 * np.pi * frequency_hz * np.arange(SAMPLES) / SAMPLES)).astype(np.int16)


def clips(weights: np.ndarray | None = None) -> ClipSet:
    """Tones, each clip of another pitch: 6 `up` and 6 other words."""
    audio = np.stack([tone(300 + 250 * k) for k in range(12)])
    labels = np.array(["up"] * 6 + ["unknown"] * 6)
    groups = np.array([f"speaker{k}" for k in range(12)])
    return ClipSet(audio, labels, labels, groups, weights)


def pool(chosen: KwsRecipe, teacher: object = None) -> ExamplePool:
    variations = Variations(clips(), (), chosen, [1])
    variations.use_hard("unknown", tone(7_000)[None])
    return ExamplePool(variations, QUOTAS, chosen, [1], teacher)  # type: ignore[arg-type]


def test_any_epoch_is_the_same_from_the_start_or_on_the_way() -> None:
    with pool(recipe()) as walked, pool(recipe()) as jumped:
        walked.use_hard_from(3)
        jumped.use_hard_from(3)
        for epoch in range(6):
            on_the_way = walked.at(epoch).features.copy()
        assert (on_the_way == jumped.at(5).features).all()
        assert (walked.sample(5, 100).features == jumped.sample(5, 100).features).all()
        assert (walked.sample(2, 100).features == jumped.sample(2, 100).features).all()


def test_an_epoch_renews_its_share_and_in_the_end_everything() -> None:
    with pool(recipe()) as examples:
        first = examples.at(0).features.copy()
        second = examples.at(1).features.copy()
        changed = (first != second).any(axis=(1, 2)).mean()
        assert 0.15 < changed < 0.5
        for epoch in range(2, 8):
            last = examples.at(epoch).features.copy()
        assert (first != last).any(axis=(1, 2)).mean() > 0.95
        assert len(examples) == len(last) == sum(QUOTAS.values())
        assert np.bincount(examples.at(7).labels).tolist() == list(QUOTAS.values())


def test_without_renewal_epochs_are_alike() -> None:
    with pool(recipe(augmentation={"renewed_share": 0})) as examples:
        first = examples.at(0).features.copy()
        assert (first == examples.at(1).features).all()


def test_a_teacher_scores_what_it_is_shown() -> None:
    def teacher(features: np.ndarray) -> np.ndarray:
        mean = features.mean(axis=(1, 2), dtype=np.float64) / 1000
        return np.stack([mean, 1 - mean, 0 * mean], axis=1).astype(np.float32)

    with pool(recipe(), teacher) as examples:
        for epoch in (0, 1, 2):
            made = examples.at(epoch)
            assert made.soft is not None
            assert made.soft == pytest.approx(teacher(made.features))


@pytest.mark.parametrize("label", ["up", "unknown"])
def test_heavier_clips_come_more_often(label: str) -> None:
    weights = np.ones(12)
    weights[[0, 6]] = 7.0
    still = recipe(
        augmentation={"recorded": {"speed": [1, 1], "equaliser_db": 0, "reverberation_share": 0}},
        hard_negatives={"share": 0},
    )
    variations = Variations(clips(weights), (), still, [1])
    rows = variations._turns(variations._clips[label], 0, 120)
    counts = np.bincount(rows, minlength=6)
    assert counts[0] == 70
    assert (counts[1:] == 10).all()


def test_hard_clips_join_from_their_epoch_on() -> None:
    chosen = recipe(augmentation={"renewed_share": 1.0, "recorded": {"noise_share": 0}})
    with pool(chosen) as examples:
        examples.use_hard_from(2)
        shares = [high_pitched(examples.at(epoch).features) for epoch in range(3)]
    unknown = slice(70, 170)
    assert not shares[0][70:].any()
    assert not shares[1][70:].any()
    assert 0.35 < shares[2][unknown].mean() < 0.65
    assert not shares[2][170:].any()


def high_pitched(features: np.ndarray) -> np.ndarray:
    """Whether the loudest channel is that of a 7 kHz tone, as no other clip here has; bool [examples]."""
    return np.asarray(features.mean(axis=1).argmax(axis=1) >= 36)
