"""Federated learning's rules: who the clients are, what travels, and what a server makes of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.federation import FederationRecipe
from tinyml_cli.training.federated import clients, privacy
from tinyml_cli.training.federated.aggregate import POISON, aggregate, clipped, trimmed_mean

RNG = np.random.default_rng(1)


def recipe(**values: object) -> FederationRecipe:
    return FederationRecipe.model_validate({"clients": 4, **values})


@given(st.integers(4, 30), st.integers(5, 9), st.integers(0, 100))
def test_people_stay_whole_and_nobody_is_left_out(people: int, each: int, seed: int) -> None:
    groups = [f"person {number % people}" for number in range(people * each)]
    dealt = clients.deal(groups, ["yes"] * len(groups), recipe(), seed)
    homes: dict[str, set[int]] = {}
    for number, rows in enumerate(dealt):
        for row in rows:
            homes.setdefault(groups[row], set()).add(number)
    assert sorted(np.concatenate(dealt)) == list(range(len(groups)))
    assert all(len(home) == 1 for home in homes.values())
    members = [len({groups[row] for row in rows}) for rows in dealt]
    assert max(members) - min(members) <= 1


def test_a_small_alpha_deals_labels_unevenly_and_a_large_one_evenly() -> None:
    labels = ["yes", "no"] * 400

    def spread(alpha: float) -> float:
        dealt = clients.deal(["one"] * len(labels), labels, recipe(non_iid=alpha), 7)
        assert sorted(np.concatenate(dealt)) == list(range(len(labels)))
        return float(np.std([np.mean([labels[row] == "yes" for row in rows]) for rows in dealt]))

    assert spread(1000) < 0.03 < 0.15 < spread(0.3)


def test_too_few_people_or_items_are_refused_with_a_way_out() -> None:
    with pytest.raises(TinymlError, match="4 clients need as many") as refused:
        clients.deal(["a", "b", "c"] * 9, ["yes"] * 27, recipe(), 1)
    assert "--clients 3" in refused.value.next_step
    with pytest.raises(TinymlError, match="Dealt so unevenly"):
        clients.deal(["a"] * 21, ["yes"] * 21, recipe(non_iid=0.01), 1)


@given(st.integers(5, 200), st.floats(0.05, 0.8))
def test_a_client_trains_on_what_it_is_not_judged_by(items: int, share: float) -> None:
    trained, kept = clients.held_out(np.arange(items), share, [1, 2])
    assert len(trained) and len(kept) and sorted([*trained, *kept]) == list(range(items))


def test_clients_join_by_their_chance_and_the_same_ones_after_a_kill() -> None:
    of = recipe(clients=200, participation=0.3)
    rounds = [clients.joining(of, 5, number) for number in range(20)]
    assert rounds == [clients.joining(of, 5, number) for number in range(20)]
    assert 0.25 < np.mean([len(joined) for joined in rounds]) / 200 < 0.35


def test_the_mean_weighs_by_examples_and_clipped_updates_weigh_the_same() -> None:
    updates, examples = np.array([[1.0, 0.0], [4.0, 0.0]]), np.array([30.0, 10.0])
    assert aggregate(updates, examples, recipe(), RNG).tolist() == [1.75, 0]
    assert aggregate(updates, examples, recipe(clip=100), RNG).tolist() == [2.5, 0]
    # Two of four clients did not train: half of every step is lost.
    assert aggregate(updates, examples, recipe(average_all=True), RNG).tolist() == [0.875, 0]


def test_poison_turns_a_mean_around_and_not_a_trimmed_one() -> None:
    honest = RNG.normal(1.0, 0.1, (16, 50))
    updates = np.vstack([honest, POISON * honest[:4]])
    assert aggregate(updates, np.ones(20), recipe(), RNG).mean() < 0
    assert trimmed_mean(updates, 0.2).mean() > 0.9


@given(st.floats(0.01, 10))
def test_no_clipped_update_is_longer_than_the_bound(bound: float) -> None:
    updates = RNG.normal(size=(5, 30)) * np.array([[0.0], [1e-6], [0.1], [1.0], [100.0]])
    norms = np.linalg.norm(clipped(updates, bound), axis=1)
    assert (norms <= bound * (1 + 1e-9)).all()
    short = np.linalg.norm(updates, axis=1) <= bound
    np.testing.assert_array_equal(clipped(updates, bound)[short], updates[short])


def test_noise_has_the_deviation_that_is_accounted_for() -> None:
    of = recipe(clip=2.0, dp_noise=0.5, participation=0.5)
    made = aggregate(np.zeros((2, 40_000)), np.ones(2), of, np.random.default_rng(3))
    assert made.std() == pytest.approx(0.5 * 2.0 / (0.5 * 4), rel=0.02)


@pytest.mark.parametrize(
    "wrong",
    [
        {"poisoned": 4},
        {"dp_noise": 1.0},
        {"dp_noise": 1.0, "clip": 1.0, "aggregate": "trimmed-mean"},
        {"dp_noise": 1.0, "clip": 1.0, "average_all": True},
        {"bits": 4},
    ],
)
def test_wishes_that_contradict_each_other_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        recipe(**wrong)


@pytest.mark.slow
def test_epsilon_is_the_published_one_and_few_clients_are_told_so() -> None:
    pytest.importorskip("dp_accounting", reason="extra `dp` is not installed")
    of = recipe(clients=100, participation=0.1, clip=1.0, dp_noise=1.0)
    assert privacy.guarantee(of, 100).epsilon == pytest.approx(7.9, abs=0.1)
    few = privacy.guarantee(recipe(participation=0.5, clip=1.0, dp_noise=0.5), 20)
    assert few.epsilon == pytest.approx(54, rel=0.05)
    needed = few.clients_needed
    assert needed is not None and needed > 8
    enough = recipe(participation=0.5, clip=1.0, dp_noise=0.5 * needed / 4)
    assert privacy.guarantee(enough, 20).epsilon <= privacy.MEANINGFUL * 1.05
