from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fairness.examples import judged
from tinyml_cli.fairness.counts import ThresholdCounts
from tinyml_cli.fairness.judged import FALSE_ACCEPT, RIGHT, WRONG_LABEL, JudgedItems, half
from tinyml_cli.fairness.rules import MEASURES, gap_of, one_threshold, per_group
from tinyml_cli.outcomes.fairness import Measure, MistakeCosts
from tinyml_cli.statistics.metrics import wilson_interval

LEVELS, CURRENT = 6, 3
RATES = [measure for measure in MEASURES.values() if measure is not None]


def counts_of(items: list[tuple[int, int]], levels: int = LEVELS) -> ThresholdCounts:
    """Of (level, outcome) pairs."""
    level, outcome = (np.array(column, np.int64) for column in zip(*items, strict=True))
    names = np.full(len(items), "x")
    return ThresholdCounts.of(JudgedItems(level, outcome, names, names, names), levels)


items = st.tuples(st.integers(-1, LEVELS - 1), st.sampled_from([RIGHT, WRONG_LABEL, FALSE_ACCEPT]))
# Equal opportunity needs a target in each group.
groups = st.lists(
    st.lists(items, min_size=1, max_size=9).map(lambda found: [(2, RIGHT), *found]), min_size=1, max_size=3
)
costs = st.builds(
    MistakeCosts, miss=st.integers(0, 4), false_accept=st.integers(0, 4), wrong_label=st.integers(0, 4)
)
tolerances = st.sampled_from([0.0, 0.05, 0.2, 1.0])


def best_of(
    found: list[ThresholdCounts],
    combinations: list[tuple[int, ...]],
    of: MistakeCosts,
    measure: Measure,
    tolerance: float,
) -> tuple[float, bool]:
    """Least cost among the combinations within the tolerance, or of the smallest gap: by trying all."""
    gaps = {levels: gap_of(found, levels, measure) or 0.0 for levels in combinations}
    allowed = max(tolerance, min(gaps.values())) + 1e-9
    cost = min(
        sum(float(each.costs(of)[level]) for each, level in zip(found, levels, strict=True))
        for levels in combinations
        if gaps[levels] <= allowed
    )
    return cost, min(gaps.values()) <= tolerance + 1e-9


@given(groups, costs, st.sampled_from(RATES), tolerances)
@settings(max_examples=60, deadline=None)
def test_no_combination_of_thresholds_is_better(
    drawn: list[list[tuple[int, int]]], of: MistakeCosts, measure: Measure, tolerance: float
) -> None:
    found = [counts_of(each) for each in drawn]
    everyone = counts_of([item for each in drawn for item in each])
    for combinations, choice in (
        (
            list(itertools.product(range(LEVELS), repeat=len(found))),
            per_group(found, of, measure, tolerance, CURRENT),
        ),
        (
            [(level,) * len(found) for level in range(LEVELS)],
            one_threshold(found, everyone, of, measure, tolerance, CURRENT),
        ),
    ):
        cost, met = best_of(found, combinations, of, measure, tolerance)
        assert choice.levels in combinations
        assert choice.cost == pytest.approx(cost)
        assert choice.met == met
        assert choice.gap == pytest.approx(gap_of(found, choice.levels, measure))


@given(groups, costs)
@settings(max_examples=30, deadline=None)
def test_least_cost_is_least(drawn: list[list[tuple[int, int]]], of: MistakeCosts) -> None:
    found = [counts_of(each) for each in drawn]
    everyone = counts_of([item for each in drawn for item in each])
    split = per_group(found, of, None, 0.0, CURRENT)
    assert split.cost == sum(float(each.costs(of).min()) for each in found)
    single = one_threshold(found, everyone, of, None, 0.0, CURRENT)
    assert single.cost == everyone.costs(of).min() >= split.cost
    assert len(set(single.levels)) == 1


def test_counts_are_those_of_a_plain_loop() -> None:
    found, level = judged(200, 5), 120
    accepted = found.levels >= level
    row = ThresholdCounts.of(found, 256).rates(
        "x", level, MistakeCosts(miss=3, false_accept=2, wrong_label=0.5)
    )
    target = found.outcomes != FALSE_ACCEPT
    assert row.n == 200 and row.targets == target.sum()
    assert row.right == (accepted & (found.outcomes == RIGHT)).sum()
    assert row.wrong_label == (accepted & (found.outcomes == WRONG_LABEL)).sum()
    assert row.missed == (~accepted & target).sum()
    assert row.false_accepts == (accepted & ~target).sum()
    assert row.rejected == (~accepted & ~target).sum()
    assert row.recall_ci95 == wilson_interval(row.right, row.targets)
    assert row.cost == 3 * row.missed + 2 * row.false_accepts + 0.5 * row.wrong_label


@pytest.mark.parametrize(("current", "level"), [(0, 2), (3, 3), (5, 4)])
def test_of_equal_thresholds_the_nearest_is_taken(current: int, level: int) -> None:
    found = counts_of([(1, FALSE_ACCEPT), (4, RIGHT)])  # 2, 3 and 4 part them
    for measure in (None, "recall"):
        assert one_threshold([found], found, MistakeCosts(), measure, 0.0, current).levels == (level,)
        assert per_group([found], MistakeCosts(), measure, 0.0, current).levels == (level,)


def test_equal_recall_costs_no_more_than_it_must() -> None:
    """Accepting everything makes recalls equal too; a rule must not choose that."""
    found = [ThresholdCounts.of(judged(400, seed, groups=("a",)), 256) for seed in (1, 2)]
    choice = per_group(found, MistakeCosts(), "recall", 0.02, 128)
    everything = sum(float(each.costs(MistakeCosts())[0]) for each in found)
    assert choice.met and choice.gap is not None and choice.gap <= 0.02
    assert choice.cost < 0.7 * everything


@pytest.mark.parametrize("kinds", [["x"] * 12, list("aabbccddeeff"), [f"k{row // 2}" for row in range(12)]])
def test_halves_share_no_source(kinds: list[str]) -> None:
    sources = np.array([f"s{row // 2}" for row in range(10)] + ["", ""])
    chosen = half(sources, np.array(kinds))
    assert not set(sources[chosen]) & set(sources[~chosen]) - {""}
    assert len(set(sources[chosen])) >= 2 <= len(set(sources[~chosen]))
    order = np.random.default_rng(1).permutation(10)
    again = half(np.append(sources[order], ["", ""]), np.append(np.array(kinds)[order], kinds[10:]))
    assert np.array_equal(again[:10], chosen[order]), "the order of the items does not matter"
