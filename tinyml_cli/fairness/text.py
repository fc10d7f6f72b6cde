"""Rates of groups, and rules, for people."""

from __future__ import annotations

from tinyml_cli.console import console
from tinyml_cli.next_step import on_this_run
from tinyml_cli.outcomes.fairness import Attribute, FairnessFound, Rule, Solution

_RATES = {"accepted_share": "reported", "recall": "recall", "accuracy": "accuracy"}
RULE_COLUMNS = ("Rule", "Thresholds", "gap: chosen, test", "cost", "accuracy")


def show(found: FairnessFound) -> None:
    """What was used for what, then two tables for each attribute."""
    console.info(found.used)
    for each in found.attributes:
        _show(each, found)


def sentence(found: FairnessFound) -> str:
    """The verdict, and where the sliders are."""
    place = f"Sliders: {found.report}" if found.report else f"For sliders: {on_this_run('evaluate')}"
    return f"{found.verdict}\n{place}"


def _show(attribute: Attribute, found: FairnessFound) -> None:
    in_use = attribute.in_use
    rows = [*in_use.groups, in_use.overall]
    if in_use.everything is not None and in_use.everything.n > in_use.overall.n:
        rows.append(in_use.everything)
    console.table(
        f"By {attribute.attribute} at the threshold {found.threshold:g}, with 95 % intervals",
        ["Group", "n", "reported", "recall", "false accepts", "accuracy"],
        [
            [
                row.group,
                row.n,
                _rate(row.accepted_share, row.accepted_ci95),
                _rate(row.recall, row.recall_ci95),
                _rate(row.false_accept_rate, row.false_accept_ci95),
                _rate(row.accuracy, row.accuracy_ci95),
            ]
            for row in rows
        ],
    )
    console.table(
        f"Rules (gaps of at most {found.tolerance:.0%} count as equal); a board has one threshold for all",
        RULE_COLUMNS,
        [line for rule in attribute.rules for line in _lines(rule)],
    )
    for reason in dict.fromkeys(rule.why_not for rule in attribute.rules if rule.why_not):
        rules = ", ".join(rule.rule for rule in attribute.rules if rule.why_not == reason)
        console.info(f"Not found: {rules}; {reason}.")
    if attribute.note:
        console.warn(f"{attribute.note}.")


def _lines(rule: Rule) -> list[list[object]]:
    found = (rule.one_threshold, rule.per_group)
    return [_line(rule, solution) for solution in found if solution is not None]


def _line(rule: Rule, solution: Solution) -> list[object]:
    values = solution.thresholds
    thresholds = (
        f"{next(iter(values.values())):g}"
        if solution.deployable
        else "\n".join(f"{group} {value:g}" for group, value in values.items())
    )
    gap = "–"
    if rule.equalises is not None:
        gaps = ["–" if gap is None else f"{gap:.1%}" for gap in (solution.chosen_gap, solution.gap)]
        gap = "\n".join([_RATES[rule.equalises], ", ".join(gaps), *([] if solution.met else ["(not equal)"])])
    overall = solution.overall
    accuracy = "–" if overall.accuracy is None else f"{overall.accuracy:.1%}"
    return [rule.rule, thresholds, gap, f"{solution.cost:g}", accuracy]


def _rate(share: float | None, interval: tuple[float, float]) -> str:
    return "–" if share is None else f"{share:.1%} ({interval[0]:.0%}–{interval[1]:.0%})"
