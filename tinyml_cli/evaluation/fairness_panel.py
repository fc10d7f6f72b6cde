"""Where the panel of thresholds and groups stands in report.html."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml_cli.fairness import membership, panel
from tinyml_cli.fairness.decision import Decision
from tinyml_cli.fairness.membership import Membership
from tinyml_cli.outcomes.fairness import MistakeCosts
from tinyml_cli.pages.templates import put

TOLERANCE = 0.05
"""The largest gap that counts as equal, where nobody says."""


def filled(
    page: str,
    decision: Decision | None,
    members: Sequence[Membership] | None = None,
    costs: MistakeCosts | None = None,
    tolerance: float = TOLERANCE,
) -> str:
    """The page with its panel; as it is where there is no threshold, or too little to choose and report on.

    Args:
        page: a report.
        decision: the run's; None for a task that has none.
        members: groups; those that the run knows by default.
        costs: of mistakes; 1 each by default.
        tolerance: the largest gap that counts as equal.
    """
    if decision is None or not len(decision.test) or not len(decision.choosing):
        return page
    if members is None:
        members = membership.known(decision.choosing, decision.test, decision.items.many)
    shown = panel.render(decision, members, costs or MistakeCosts(), tolerance)
    return put(page, "fairness", shown)
