"""tinyml fairness: groups at a run's threshold, five rules for another one, and one of them applied."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tinyml_cli import registry
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import fairness_panel
from tinyml_cli.evaluation.frame import REPORT, Evaluation, Split, change_report
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.fairness import find, membership
from tinyml_cli.fairness.decision import Decision
from tinyml_cli.fairness.membership import Membership
from tinyml_cli.files import write_atomic
from tinyml_cli.next_step import on_this_run
from tinyml_cli.outcomes.fairness import Applied, Attribute, FairnessFound, GroupsFile, MistakeCosts, RuleName
from tinyml_cli.run import Run, writes
from tinyml_cli.statistics.groups import read_groups
from tinyml_cli.wording import counted


@dataclass(frozen=True)
class FairnessOptions:
    """What is asked.

    Attributes:
        groups: a file with the group of each source, see `statistics.groups.read_groups`.
        attribute: the one column of it, or the run's own attribute, that is used.
        costs: of mistakes.
        tolerance: the largest gap that counts as equal.
        apply: the rule whose threshold for all is written to the manifest.
    """

    groups: Path | None = None
    attribute: str | None = None
    costs: MistakeCosts = field(default_factory=MistakeCosts)
    tolerance: float = fairness_panel.TOLERANCE
    apply: RuleName | None = None


@writes
def fairness(
    run: Run, data_dir: Path | None = None, split: Split | None = None, options: FairnessOptions | None = None
) -> FairnessFound:
    """Compares a run's groups, and finds thresholds by five rules.

    Args:
        run: holds an int8 model.
        data_dir: a folder of the user's data; the run's own held-out items by default.
        split: which part of the data; the task's choice by default.
        options: groups, costs and what to apply.

    Raises:
        TinymlError: a task without a threshold, groups that do not fit the items, or a rule that no board can
            follow.
    """
    options = options or FairnessOptions()
    tables = None if options.groups is None else read_groups(options.groups)
    evaluation = _evaluation(run, data_dir, split)
    decision = _decision(run, evaluation)
    members = _members(decision, tables, options)
    found = [find.attribute(decision, each, options.costs, options.tolerance) for each in members]
    before = float(decision.thresholds.values[decision.thresholds.current])
    applied = None if options.apply is None else _apply(run, decision, found, options.apply)
    report = _refresh(run, decision, members, options.costs, options.tolerance)
    return FairnessFound(
        run=str(run.path),
        data=evaluation.source,
        used=f"{decision.used}.",
        threshold=before,
        unit=decision.thresholds.unit,
        costs=options.costs,
        tolerance=options.tolerance,
        attributes=found,
        applied=applied,
        report=report,
        verdict=_verdict(decision, before, found[0], applied),
    )


def write_groups(run: Run, data_dir: Path | None, split: Split | None, file: Path) -> GroupsFile:
    """Writes a file with a line for every source of the run's items, its group yet to be filled in.

    Raises:
        TinymlError: as `fairness`; items that come from nobody in particular.
    """
    decision = _decision(run, _evaluation(run, data_dir, split))
    names = sorted({*map(str, decision.choosing.sources), *map(str, decision.test.sources)} - {""})
    if not names:
        raise TinymlError(
            f"The run does not know whom its {decision.items.many} come from",
            str(run.path),
            f"Give data that says so: {on_this_run('fairness', '--data', 'DIR')}",
        )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["item", "group"], *([name, ""] for name in names)])
    write_atomic(file, text.getvalue())
    return GroupsFile(run=str(run.path), file=str(file), sources=len(names))


def _evaluation(run: Run, data_dir: Path | None, split: Split | None) -> Evaluation[Any, Any, Any]:
    return registry.task(run.manifest().task).evaluation(run, data_dir, split, EvaluationOptions())  # type: ignore[no-any-return]


def _decision(run: Run, evaluation: Evaluation[Any, Any, Any]) -> Decision:
    decision = evaluation.decision(evaluation.load())
    if decision is None:
        raise TinymlError(
            f"The task `{evaluation.manifest.task}` decides nothing by a threshold",
            str(run.path),
            "Use a run of kws, vww, wand or anomaly.",
        )
    if not len(decision.test) or not len(decision.choosing):
        few = len(decision.test) + len(decision.choosing)
        raise TinymlError(
            f"{counted(few, decision.items.one)} of one source cannot both choose thresholds and be reported",
            evaluation.source or str(run.path),
            "Give data of several people, machines or recordings.",
        )
    return decision


def _members(
    decision: Decision, tables: Mapping[str, Mapping[str, str]] | None, options: FairnessOptions
) -> Sequence[Membership]:
    """The attributes that are asked about."""
    many, wanted = decision.items.many, options.attribute
    if tables is None or options.groups is None:
        knower, where = "The run knows", "--attribute"
        found = membership.known(decision.choosing, decision.test, many)
        if not found:
            raise TinymlError(
                f"The run knows no groups of its {many}",
                "--groups",
                f"Give them in a file; {on_this_run('fairness', '--write-groups', 'groups.csv')} writes one.",
            )
        names = [each.attribute for each in found]
    else:
        knower, where, names = "The file has", str(options.groups), list(tables)
        chosen = {name: table for name, table in tables.items() if wanted in (None, name)}
        found = decision.groups_of(chosen, options.groups)
    found = [each for each in found if wanted in (None, each.attribute)]
    if not found:
        raise TinymlError(f"{knower} no attribute `{wanted}`", where, f"Choose from: {', '.join(names)}.")
    return found


def _apply(run: Run, decision: Decision, attributes: Sequence[Attribute], name: RuleName) -> Applied:
    """Writes the rule's threshold for all to the manifest; figures that used the old one go."""
    found = attributes[0]
    if len(attributes) > 1 and name != "single":
        raise TinymlError(
            f"There are groups by {', '.join(each.attribute for each in attributes)}: `{name}` would have to "
            "make each of them equal",
            f"--apply {name}",
            "Add --attribute NAME.",
        )
    rule = next(rule for rule in found.rules if rule.rule == name)
    if rule.one_threshold is None:
        raise TinymlError(
            f"`{name}` gives no single threshold: {rule.why_not or 'it needs one for each group'}",
            f"--apply {name}",
            "A board has one threshold and does not know the group: use --apply single, or another rule.",
        )
    threshold = next(iter(rule.one_threshold.thresholds.values()))
    values = decision.thresholds.values
    level = int(abs(values - threshold).argmin())
    manifest = run.manifest()
    before = float(values[decision.thresholds.current])
    decision.set_threshold(manifest, level)
    for metric, command in decision.stale.items():
        manifest.metrics.pop(metric, None)
        for artifact in [key for key, entry in manifest.artifacts.items() if entry.made_by == command]:
            del manifest.artifacts[artifact]
    applied = Applied(rule=name, attribute=found.attribute, threshold=threshold, before=before)
    manifest.metrics["fairness"] = {**applied.as_dict(), "used": decision.used}
    run.save(manifest)
    decision.thresholds = replace(decision.thresholds, current=level)
    return applied


def _refresh(
    run: Run, decision: Decision, members: Sequence[Membership], costs: MistakeCosts, tolerance: float
) -> str | None:
    """Shows these groups in the run's report; None where there is none of this model and tinyml."""
    manifest = run.manifest()
    page = change_report(
        run,
        manifest,
        lambda before: fairness_panel.filled(before, decision, members, costs, tolerance),
    )
    if page is None or "<tinyml-fairness>" not in page:
        return None
    run.save(manifest)
    return str(run.file(REPORT))


def _verdict(decision: Decision, before: float, found: Attribute, applied: Applied | None) -> str:
    rows = sorted(found.in_use.groups, key=lambda row: (row.accuracy or 0.0, row.group))
    worst, best = rows[0], rows[-1]
    text = (
        f"At the {'threshold' if applied is None else 'old threshold'} {before:g}, by {found.attribute}: "
        f"accuracy {worst.accuracy or 0:.1%} for {worst.group} (n = {worst.n}), {best.accuracy or 0:.1%} for "
        f"{best.group} (n = {best.n})."
    )
    if applied is None:
        return text
    board = f" {decision.on_the_board}." if decision.on_the_board else ""
    verbs = [*(["evaluate"] if "evaluate" in decision.stale else []), "export-c-array", "build"]
    steps = ", ".join(f"`{on_this_run(verb)}`" for verb in verbs)
    now = f"The manifest now has {applied.threshold:g}, by the rule {applied.rule}.{board}"
    return f"{text} {now} Next: {steps}."
