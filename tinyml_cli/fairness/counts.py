"""How many items of each group every threshold accepts, and the rates that follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.fairness.judged import FALSE_ACCEPT, JudgedItems
from tinyml_cli.outcomes.fairness import GroupRates, Measure, MistakeCosts
from tinyml_cli.statistics.metrics import wilson_interval

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ThresholdCounts:
    """Items of one group at every threshold.

    Attributes:
        accepted: int64 [3, levels], accepted items by what accepting them is.
        targets: items that should be accepted.
        others: items that should not.
    """

    accepted: Ints
    targets: int
    others: int

    @classmethod
    def of(cls, items: JudgedItems, levels: int) -> ThresholdCounts:
        """Of all items, at so many thresholds."""
        found = np.zeros((3, levels), np.int64)
        ever = items.levels >= 0
        np.add.at(found, (items.outcomes[ever], items.levels[ever]), 1)
        others = int((items.outcomes == FALSE_ACCEPT).sum())
        return cls(found[:, ::-1].cumsum(axis=1)[:, ::-1], len(items) - others, others)

    @property
    def n(self) -> int:
        """All items."""
        return self.targets + self.others

    def hits(self, measure: Measure) -> tuple[Ints, int]:
        """What a rate counts at each threshold, int64 [levels], and of how many items."""
        right, wrong, false = self.accepted
        if measure == "recall":
            return right, self.targets
        if measure == "accuracy":
            return right + self.others - false, self.n
        return right + wrong + false, self.n

    def rate(self, measure: Measure) -> Floats:
        """float64 [levels]; the group has such items."""
        hits, n = self.hits(measure)
        return hits / n

    def costs(self, of: MistakeCosts) -> Floats:
        """float64 [levels], summed over the items."""
        right, wrong, false = self.accepted
        summed: Floats = (
            of.miss * (self.targets - right - wrong) + of.false_accept * false + of.wrong_label * wrong
        )
        return summed

    def rates(self, group: str, level: int, of: MistakeCosts) -> GroupRates:
        """What one threshold makes of the group."""
        right, wrong, false = (int(count) for count in self.accepted[:, level])
        correct = right + self.others - false
        return GroupRates(
            group=group,
            n=self.n,
            targets=self.targets,
            right=right,
            wrong_label=wrong,
            missed=self.targets - right - wrong,
            false_accepts=false,
            rejected=self.others - false,
            accepted_share=_share(right + wrong + false, self.n),
            accepted_ci95=wilson_interval(right + wrong + false, self.n),
            recall=_share(right, self.targets),
            recall_ci95=wilson_interval(right, self.targets),
            false_accept_rate=_share(false, self.others),
            false_accept_ci95=wilson_interval(false, self.others),
            accuracy=_share(correct, self.n),
            accuracy_ci95=wilson_interval(correct, self.n),
            cost=float(self.costs(of)[level]),
        )


def _share(count: int, n: int) -> float | None:
    return count / n if n else None
