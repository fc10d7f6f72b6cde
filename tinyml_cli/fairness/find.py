"""The five rules for the groups of one attribute: chosen on some items, judged on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyml_cli.fairness.counts import ThresholdCounts
from tinyml_cli.fairness.decision import Decision
from tinyml_cli.fairness.judged import JudgedItems, Strings
from tinyml_cli.fairness.membership import Membership, listed
from tinyml_cli.fairness.rules import MEASURES, Choice, gap_of, one_threshold, per_group
from tinyml_cli.outcomes.fairness import Attribute, Measure, MistakeCosts, Rule, RuleName, Solution

ALL_GROUPS, ALL_ITEMS = "all groups", "all items"


@dataclass(frozen=True)
class GroupCounts:
    """What rules calculate with, of one attribute.

    Attributes:
        choosing: counts of each group that the rules choose on; those without items are empty.
        chosen_by_all: of all these items, in a group or not.
        test: counts of each group that is reported.
        tested: of all test items, in a group or not.
    """

    choosing: Sequence[ThresholdCounts]
    chosen_by_all: ThresholdCounts
    test: Sequence[ThresholdCounts]
    tested: ThresholdCounts

    @classmethod
    def of(cls, decision: Decision, membership: Membership) -> GroupCounts:
        """Of every threshold of the decision."""
        levels = len(decision.thresholds)

        def split(items: JudgedItems, groups: Strings) -> list[ThresholdCounts]:
            return [ThresholdCounts.of(items.rows(groups == name), levels) for name in membership.names]

        return cls(
            split(decision.choosing, membership.chosen_by),
            ThresholdCounts.of(decision.choosing, levels),
            split(decision.test, membership.reported),
            ThresholdCounts.of(decision.test, levels),
        )


def attribute(decision: Decision, membership: Membership, costs: MistakeCosts, tolerance: float) -> Attribute:
    """Every rule's thresholds for one attribute's groups, and what comes of the threshold in use."""
    counts = GroupCounts.of(decision, membership)
    finder = _Finder(decision, membership.names, counts, costs, tolerance)
    current = decision.thresholds.current
    levels = (current,) * len(membership.names)
    cost = float(counts.chosen_by_all.costs(costs)[current])
    return Attribute(
        attribute=membership.attribute,
        note=membership.note,
        in_use=finder.solution(Choice(levels, None, cost), None, deployable=True),
        rules=[finder.rule(name) for name in MEASURES],
    )


@dataclass(frozen=True)
class _Finder:
    decision: Decision
    names: Sequence[str]
    counts: GroupCounts
    costs: MistakeCosts
    tolerance: float

    def rule(self, name: RuleName) -> Rule:
        """A rule's thresholds: one for all, and one per group where the rule has those."""
        measure, current = MEASURES[name], self.decision.thresholds.current
        one = split = None
        reason = self._why_not(name)
        if name != "least-cost" and (measure is None or not reason):
            groups = self.counts.choosing
            choice = one_threshold(
                groups, self.counts.chosen_by_all, self.costs, measure, self.tolerance, current
            )
            one = self.solution(choice, measure, deployable=True)
        if name != "single" and not reason:
            choice = per_group(self.counts.choosing, self.costs, measure, self.tolerance, current)
            split = self.solution(choice, measure, deployable=False)
        return Rule(
            rule=name,
            equalises=measure,
            one_threshold=one,
            per_group=split,
            why_not=reason if name != "single" else "",
        )

    def _why_not(self, name: RuleName) -> str:
        pairs = list(zip(self.names, self.counts.choosing, strict=True))
        empty = [group for group, counts in pairs if not counts.n]
        if empty:
            return f"no items to choose on of {listed(empty)}"
        if name == "equal-opportunity" and (without := [g for g, counts in pairs if not counts.targets]):
            return f"nothing that should be reported, among the items to choose on, of {listed(without)}"
        return ""

    def solution(self, choice: Choice, measure: Measure | None, deployable: bool) -> Solution:
        """What a choice makes of the test items."""
        values = self.decision.thresholds.values
        groups = [
            counts.rates(name, level, self.costs)
            for name, counts, level in zip(self.names, self.counts.test, choice.levels, strict=True)
        ]
        overall = summed(self.counts.test, choice.levels).rates(ALL_GROUPS, 0, self.costs)
        everything = self.counts.tested.rates(ALL_ITEMS, choice.levels[0], self.costs) if deployable else None
        return Solution(
            thresholds={
                name: float(values[level]) for name, level in zip(self.names, choice.levels, strict=True)
            },
            deployable=deployable,
            met=choice.met,
            chosen_gap=choice.gap,
            chosen_cost=choice.cost,
            gap=gap_of(self.counts.test, choice.levels, measure),
            cost=overall.cost,
            overall=overall,
            everything=everything,
            groups=groups,
        )


def summed(groups: Sequence[ThresholdCounts], levels: Sequence[int]) -> ThresholdCounts:
    """All groups' items at their own thresholds, as counts with a single level."""
    accepted = sum(group.accepted[:, [level]] for group, level in zip(groups, levels, strict=True))
    return ThresholdCounts(
        np.asarray(accepted, np.int64),
        sum(group.targets for group in groups),
        sum(group.others for group in groups),
    )
