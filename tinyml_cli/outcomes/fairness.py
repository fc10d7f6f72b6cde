"""What `fairness` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Interval, Outcome, Share

RuleName = Literal["single", "demographic-parity", "equal-opportunity", "equal-accuracy", "least-cost"]

Measure = Literal["accepted_share", "recall", "accuracy"]


class MistakeCosts(Outcome):
    """What mistakes cost; a right decision costs nothing."""

    miss: float = Field(default=1.0, ge=0, description="of a target that is not reported")
    false_accept: float = Field(default=1.0, ge=0, description="of a report where nothing should be reported")
    wrong_label: float = Field(default=1.0, ge=0, description="of a target that is reported as another label")


class GroupRates(Outcome):
    """The decisions on one group's items."""

    group: str
    n: Count
    targets: Count = Field(description="items that should be reported")
    right: Count = Field(description="targets reported with their label")
    wrong_label: Count = Field(description="targets reported with another label")
    missed: Count = Field(description="targets not reported")
    false_accepts: Count = Field(description="other items reported")
    rejected: Count = Field(description="other items not reported")
    accepted_share: Share | None = Field(description="reported items of all: equal in demographic parity")
    accepted_ci95: Interval
    recall: Share | None = Field(description="targets reported right: equal in equal opportunity")
    recall_ci95: Interval
    false_accept_rate: Share | None
    false_accept_ci95: Interval
    accuracy: Share | None
    accuracy_ci95: Interval
    cost: float = Field(description="summed over the items")


class Solution(Outcome):
    """Thresholds, chosen on some items and judged on others."""

    thresholds: dict[str, float] = Field(description="group -> threshold; the same for all if deployable")
    deployable: bool = Field(description="one threshold for all: what a board can have")
    met: bool = Field(description="whether the gap is within the tolerance where it was chosen")
    chosen_gap: float | None = Field(description="where it was chosen; null if the rule has no rate")
    chosen_cost: float = Field(description="where it was chosen; of one threshold, over all items")
    gap: float | None = Field(description="of the test items")
    cost: float = Field(description="of the groups' test items")
    overall: GroupRates = Field(description="of the groups' test items together")
    everything: GroupRates | None = Field(
        description="also of test items that belong to no group, such as silence; null if not deployable"
    )
    groups: list[GroupRates] = Field(description="of the test items")


class Rule(Outcome):
    """One rule's thresholds."""

    rule: RuleName
    equalises: Measure | None = Field(description="the rate; null for a rule of cost alone")
    one_threshold: Solution | None = Field(description="null if it cannot be found")
    per_group: Solution | None = Field(description="not for a board; null if it cannot be found")
    why_not: str = Field(description="why a solution is missing; empty if none is")


class Attribute(Outcome):
    """Groups by one attribute."""

    attribute: str
    note: str = Field(description="items that belong to no group, and groups that are small")
    in_use: Solution = Field(description="the threshold that the manifest had")
    rules: list[Rule]


class Applied(Outcome):
    """A threshold that was written to the manifest."""

    rule: RuleName
    attribute: str
    threshold: float
    before: float


class FairnessFound(Outcome):
    """Rates of groups at a run's threshold, and the thresholds of five rules."""

    run: str = Field(description="path")
    data: str | None = Field(description="null: the run's own held-out items")
    used: str = Field(description="which items chose thresholds and which are reported")
    threshold: float = Field(description="in use before")
    unit: str = Field(description="of thresholds")
    costs: MistakeCosts
    tolerance: Share = Field(description="the largest gap that counts as equal")
    attributes: list[Attribute]
    applied: Applied | None
    report: str | None = Field(description="the page that shows these groups; null without an evaluation")
    verdict: str = Field(description="in a sentence or two")


class GroupsFile(Outcome):
    """A file of groups to fill in."""

    run: str = Field(description="path")
    file: str
    sources: Count = Field(description="lines: whom or what the items come from")
