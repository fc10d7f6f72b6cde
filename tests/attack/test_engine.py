"""The engine on items of any kind: what may be added, through which rooms, and that it succeeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_cli.attack import engine, rooms
from tinyml_cli.attack.attempt import share, snr_at_half
from tinyml_cli.attack.black_box import Estimated
from tinyml_cli.attack.options import ratios
from tinyml_cli.attack.surface import NOTHING, AttackSurface
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.attacks import AttackPoint
from tinyml_cli.pages.augmented import Look


class Slope(AttackSurface):
    """Two labels by the sign of a weighted sum of the samples; there is no run behind it."""

    suffix = ".wav"
    look: Look = "features"
    silent = (0,)

    def __init__(self, items: np.ndarray, unit: Any = 1.0) -> None:
        self.items, self.unit = items, unit
        weights = self.signal(np.random.default_rng(7).normal(0, 1, items.shape) * unit)[0]
        # The best perturbation at 5 dB is worth odds of 3.
        reach = engine.norms(weights[None])[0] * np.median(engine.norms(self.signal(items))) * 10 ** (-5 / 20)
        self.weights = weights * 3 / reach

    def odds(self, values: np.ndarray) -> np.ndarray:
        return np.tensordot(values / self.unit, self.weights, self.weights.ndim)

    def scores(self, items: np.ndarray) -> np.ndarray:
        second = 1 / (1 + np.exp(-self.odds(items)))
        return np.stack([1 - second, second], axis=-1)[:, None]

    def exact(self, values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Towards the second label."""
        odds = self.odds(values)
        slope = -1 / (1 + np.exp(odds))
        return np.logaddexp(0, -odds), slope.reshape(-1, *[1] * self.weights.ndim) * self.weights / self.unit

    def shown(self, item: np.ndarray) -> Any: ...
    def reported(self, items: np.ndarray) -> Any: ...
    def read(self, path: Path) -> Any: ...
    def write(self, path: Path, item: np.ndarray) -> None: ...


KINDS = {
    "sound": (np.int16, (3, 400), 3000, 1.0),
    "images": (np.uint8, (3, 12, 12, 3), 60, 1.0),
    "motion": (np.int16, (3, 50, 6), 2000, np.array([2000.0] * 3 + [2500.0] * 3)),
    "strokes": (np.int8, (3, 64, 2), 50, 1.0),
}


def surface(kind: str, seed: int) -> Slope:
    dtype, shape, spread, unit = KINDS[kind]
    limits = np.iinfo(dtype)
    values = np.random.default_rng(seed).normal((limits.min + limits.max) / 2, spread, shape)
    return Slope(np.clip(values, limits.min, limits.max).astype(dtype), unit)


@settings(max_examples=25, deadline=None)
@given(kind=st.sampled_from(sorted(KINDS)), seed=st.integers(0, 999), snr_db=st.floats(-10, 60))
def test_what_is_added_is_never_louder_than_asked(kind: str, seed: int, snr_db: float) -> None:
    of = surface(kind, seed)
    radius = engine.radii(of, of.items, snr_db, universal=False)
    wild = np.random.default_rng(seed).normal(0, 1e5, of.items.shape)
    for items in (
        engine.added(of, of.items, engine.project(wild, radius), radius),
        engine.noise(of, of.items, radius, np.random.default_rng(seed)),
    ):
        assert items.dtype == of.items.dtype
        change = (items.astype(np.float64) - of.items) / of.unit
        assert (engine.norms(change) <= radius * (1 + 1e-6)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_descent_changes_the_answer_where_noise_does_not(kind: str) -> None:
    of = surface(kind, 3)
    labels = np.ones(len(of.items), np.int64)
    plan = engine.AttackPlan(steps=15)
    delta, radius = engine.attack(of, of.items, labels, 5, plan, of.exact)
    attacked = of.odds(engine.added(of, of.items, delta, radius))
    noisy = of.odds(engine.noise(of, of.items, radius, np.random.default_rng(1)))
    best = engine.norms(of.weights[None])[0] * radius
    assert (attacked - of.odds(of.items) > 0.8 * best).all() and (attacked > noisy).all()


def test_scores_alone_lead_there_too() -> None:
    of = surface("strokes", 5)
    labels = np.ones(3, np.int64)
    radius = engine.radii(of, of.items, 5, universal=False)
    gradient = Estimated(of, True, 0.3 * radius / np.sqrt(128), seed=1, stops=True)
    delta, _ = engine.attack(of, of.items, labels, 5, engine.AttackPlan(steps=30), gradient)
    gained = of.odds(engine.added(of, of.items, delta, radius)) - of.odds(of.items)
    assert (gained > 0.5 * engine.norms(of.weights[None])[0] * radius).all()
    assert (gradient.queries <= 30 * 40).all() and (gradient.queries >= 40).all()


def test_an_item_that_has_got_there_is_asked_nothing_more() -> None:
    of = surface("strokes", 5)
    labels = np.ones(3, np.int64)
    radius = engine.radii(of, of.items, -10, universal=False)
    gradient = Estimated(of, True, 0.1 * radius / np.sqrt(128), seed=1, stops=True)
    delta, _ = engine.attack(of, of.items, labels, -10, engine.AttackPlan(steps=40), gradient)
    assert (of.odds(engine.added(of, of.items, delta, radius)) > 2).all()
    assert (gradient.queries < 40 * 40).all()


def test_scores_that_say_nothing_are_no_error() -> None:
    of = surface("strokes", 5)
    of.weights *= 0
    gradient = Estimated(of, False, np.ones(3), seed=1, stops=True)
    delta, radius = engine.attack(
        of, of.items, np.ones(3, np.int64), 20, engine.AttackPlan(steps=3), gradient
    )
    assert np.isfinite(delta).all() and (engine.norms(delta) <= radius * 1.001).all()


def test_one_perturbation_for_all() -> None:
    of = surface("sound", 4)
    plan = engine.AttackPlan(steps=15, universal=True)
    delta, radius = engine.attack(of, of.items, np.ones(3, np.int64), 10, plan, of.exact)
    assert delta.shape == (1, 400) and radius.shape == (1,)
    assert (of.odds(engine.added(of, of.items, delta, np.repeat(radius, 3))) > of.odds(of.items)).all()


def test_equal_seeds_give_equal_attacks() -> None:
    of = surface("motion", 2)
    made = [
        engine.attack(of, of.items, np.ones(3, np.int64), 20, engine.AttackPlan(5, seed=seed), of.exact)[0]
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(made[0], made[1]) and not np.array_equal(made[0], made[2])


@pytest.mark.parametrize("reverberant", [False, True])
def test_the_way_back_through_a_room_is_its_adjoint(reverberant: bool) -> None:
    rng = np.random.default_rng(8)
    paths = rooms.draw(4, 3000, 8000, reverberant, rng)
    played, heard = rng.normal(0, 1, (2, 4, 3000))
    ahead, back = (paths.apply(played) * heard).sum(axis=1), (played * paths.adjoint(heard)).sum(axis=1)
    np.testing.assert_allclose(ahead, back, rtol=1e-9, atol=1e-9)


def test_a_path_delays_and_keeps_the_energy() -> None:
    click = np.zeros((64, 4000))
    click[:, 2000] = 1.0
    heard = rooms.draw(64, 4000, 8000, False, np.random.default_rng(1)).apply(click)
    at = np.abs(heard).argmax(axis=1) - 2000
    assert at.min() < -300 and at.max() > 300 and np.abs(at).max() <= 800
    np.testing.assert_allclose(heard.max(axis=1), 1.0)
    room = rooms.draw(64, 4000, 8000, True, np.random.default_rng(1)).apply(click)
    assert np.square(room).sum(axis=1).max() <= 1 + 1e-9 and np.square(room).sum(axis=1).mean() > 0.8


def test_nothing_reported_means_a_silent_label_alone() -> None:
    of = surface("strokes", 1)
    reported = np.array([NOTHING, NOTHING, 0, 1])
    assert of.is_reported(reported, 0).tolist() == [True, True, True, False]
    assert of.is_reported(reported, 1).tolist() == [False, False, False, True]
    assert of.is_reported(reported, np.array([0, 1, 1, 1])).tolist() == [True, False, False, True]


def test_the_ratio_at_which_half_succeed() -> None:
    def point(snr_db: float, hits: int) -> AttackPoint:
        found = share(np.arange(10) < hits)
        return AttackPoint(
            snr_db=snr_db,
            model=found,
            device=found,
            noise_model=found,
            noise_device=found,
            in_rooms=None,
            queries=None,
        )

    assert snr_at_half([point(40, 0), point(30, 10)]) == 35.0
    assert snr_at_half([point(40, 5), point(30, 10)]) is None
    assert snr_at_half([point(40, 1), point(30, 4)]) is None


def test_ratios_are_sorted_and_taken_once() -> None:
    assert ratios("10, 30,20,30") == (30.0, 20.0, 10.0)
    for text in (
        "",
        "loud",
        "20,,10",
        "20,",
        "nan",
        "inf",
        "99",
        "-21",
        "20 dB",
        ",".join(map(str, range(13))),
    ):
        with pytest.raises(TinymlError):
            ratios(text)
