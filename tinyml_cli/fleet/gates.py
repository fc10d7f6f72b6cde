"""Whether a release does no worse on its devices than what they ran before."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyml_cli.drift.compare import compare_counts
from tinyml_cli.drift.stage import LEAST_VALUES, verdict
from tinyml_cli.fleet.intake import DeviceCounts, counts_of, release
from tinyml_cli.fleet.messages import FleetRelease
from tinyml_cli.fleet.plan import GateAnswer, Rollout
from tinyml_cli.outcomes.boards import Shift
from tinyml_cli.statistics import mcnemar
from tinyml_cli.statistics.strata import Counted, change, share_tail

FEW = 10
"""Fewer devices would take too long to show that a release is no worse; they may not show that it is."""

_BEFORE_S = 24 * 3600.0
"""How far back the time before a rollout reaches."""
_Z95 = 1.6449


@dataclass(frozen=True)
class Cohort:
    """The devices of a rollout.

    Attributes:
        rollout: it; `looks` counts on.
        devices: rows of those that were given the release, with `at_s`, when.
        others: rows of those that were not.
        lost: ids of those that are not heard of.
        now_s: the time.
    """

    table: sqlite3.Connection
    rollout: Rollout
    devices: Sequence[sqlite3.Row]
    others: Sequence[sqlite3.Row]
    lost: frozenset[str]
    now_s: float

    def running(self) -> list[str]:
        """Those that run the release."""
        return [row["id"] for row in self.devices if row["release"] == self.rollout.release]

    def failed(self) -> list[str]:
        """Those that did not start it, or did not answer in time. What a device says before it has seen what
        it shall run is about an earlier rollout.
        """
        release, late = self.rollout.release, self.now_s - self.rollout.plan.install_s
        return [
            row["id"]
            for row in self.devices
            if row["release"] != release
            and (
                (row["failed"] == release and row["revision"] >= row["desired_revision"])
                or (row["at_s"] < late and row["id"] not in self.lost)
            )
        ]


def judge(cohort: Cohort) -> list[GateAnswer]:
    """All gates of the present stage."""
    if cohort.rollout.stage < 0:
        return [_shadow(cohort)]
    return [_boots(cohort), _heartbeat(cohort), _errors(cohort), _drift(cohort)]


def drift_of(known: FleetRelease | None, counts: DeviceCounts) -> tuple[bool, str, list[Shift]] | None:
    """Whether what was counted has drifted from a release's reference; None where too little was counted."""
    if known is None or known.reference is None:
        return None
    columns = known.reference.columns
    if [len(each) for each in counts.bins] != [len(column.shares) for column in columns.values()]:
        return None
    shifts = [
        compare_counts(name, column, np.array(bins, np.int64))
        for (name, column), bins in zip(columns.items(), counts.bins, strict=True)
        if sum(bins) >= LEAST_VALUES
    ]
    if not shifts:
        return None
    shifts.sort(key=lambda shift: (-shift.drifted, -shift.psi))
    return *verdict(shifts), shifts


def _boots(cohort: Cohort) -> GateAnswer:
    plan, failed, running = cohort.rollout.plan, len(cohort.failed()), len(cohort.running())
    n = failed + running
    said = f"{running} of {n} started it" if n else "no device has started it yet"
    if n and share_tail(failed, n, plan.most_failures) < plan.alpha:
        return GateAnswer(
            gate="boots", result="fail", reason=f"{said}: more than {plan.most_failures:.0%} fail"
        )
    settled = {*cohort.failed(), *cohort.running(), *cohort.lost}
    waiting = sum(row["id"] not in settled for row in cohort.devices)
    replaceable = any(row["id"] not in cohort.lost for row in cohort.others)
    if failed and not running and not waiting and not replaceable:
        return GateAnswer(gate="boots", result="fail", reason=f"{said}, and there is no other to try")
    if not running or waiting:
        return GateAnswer(gate="boots", result="wait", reason=f"{said}, {waiting} to come")
    return GateAnswer(gate="boots", result="pass", reason=said)


def _heartbeat(cohort: Cohort) -> GateAnswer:
    plan = cohort.rollout.plan
    own, rest = ([row["id"] for row in rows] for rows in (cohort.devices, cohort.others))
    lost, lost_rest = len(cohort.lost & set(own)), len(cohort.lost & set(rest))
    said = f"{lost} of {len(own)} fell silent, {lost_rest} of {len(rest)} without the release"
    if rest:
        p = change([(lost_rest, len(rest))], [(lost, len(own))]).p
    else:
        p = share_tail(lost, len(own), plan.most_failures) if own else 1.0
    if lost and p < plan.alpha:
        return GateAnswer(gate="heartbeat", result="fail", reason=f"{said} (p = {p:.2g})")
    late_s = cohort.now_s - plan.silent_s / 2
    late = sum(row["seen_s"] < late_s and row["id"] not in cohort.lost for row in cohort.devices)
    if late:
        return GateAnswer(gate="heartbeat", result="wait", reason=f"{said}; {late} not heard of lately")
    return GateAnswer(gate="heartbeat", result="pass", reason=f"{said} (p = {p:.2g})")


def _errors(cohort: Cohort) -> GateAnswer:
    rollout, plan = cohort.rollout, cohort.rollout.plan
    if rollout.champion is None:
        return _first("errors")
    before, after = _pairs(cohort)
    found = change(
        [(each.wrong, each.probes) for each in before], [(each.wrong, each.probes) for each in after]
    )
    if not any(each.probes for each in (*before, *after)) and rollout.has_soaked(cohort.now_s):
        reason = "no device has answers with known truth"
        return GateAnswer(gate="errors", result="not measured", reason=reason)
    look = rollout.looks.get("errors", 0)
    needed = plan.least << look
    if found.n < needed:
        return GateAnswer(gate="errors", result="wait", reason=f"{found.n} of {needed} answers")
    said = f"{_share(after)} wrong, {_share(before)} before, on the same devices (p = {found.p:.2g})"
    if found.p < plan.alpha / (2 << look):
        return GateAnswer(gate="errors", result="fail", reason=said)
    if found.upper <= plan.margin or len(cohort.running()) < FEW:
        return GateAnswer(gate="errors", result="pass", reason=said)
    rollout.looks["errors"] = look + 1
    reason = f"{said}: at most {found.upper:+.1%} is known, {plan.margin:+.1%} allowed"
    return GateAnswer(gate="errors", result="wait", reason=reason)


def _drift(cohort: Cohort) -> GateAnswer:
    rollout, plan = cohort.rollout, cohort.rollout.plan
    if rollout.champion is None:
        return _first("drift")
    look = rollout.looks.get("drift", 0)
    if not rollout.has_soaked(cohort.now_s, 1 << look):
        return GateAnswer(gate="drift", result="wait", reason="looked at when the stage has soaked")
    before, after = _pairs(cohort)
    old, new = release(cohort.table, rollout.champion), release(cohort.table, rollout.release)
    flags = ([_flag(old, each) for each in before], [_flag(new, each) for each in after])
    found = change(*flags)
    if not found.n:
        can = new is not None and new.reference is not None
        reason = "too little was heard" if can else "the release has no reference"
        return GateAnswer(gate="drift", result="wait" if can else "not measured", reason=reason)
    drifting = [sum(drifted for drifted, _ in each) for each in flags]
    said = f"{drifting[1]} of {found.n} devices drift, {drifting[0]} before (p = {found.p:.2g})"
    if found.p < plan.alpha / (2 << look):
        return GateAnswer(gate="drift", result="fail", reason=said)
    return GateAnswer(gate="drift", result="pass", reason=said)


def _shadow(cohort: Cohort) -> GateAnswer:
    """A paired test on the same sound: McNemar's, one-sided."""
    rollout, plan = cohort.rollout, cohort.rollout.plan
    if rollout.champion is None:
        return _first("shadow")
    counts = counts_of(cohort.table, rollout.champion, since_s=rollout.started_s)
    n, acting, shadow = counts.shadows.get(rollout.release, (0, 0, 0))
    look = rollout.looks.get("shadow", 0)
    needed = plan.least << look
    if n < needed:
        return GateAnswer(gate="shadow", result="wait", reason=f"{n} of {needed} answers")
    p = mcnemar.exact_p(acting, shadow) / 2 if acting > shadow else 1.0
    difference = (acting - shadow) / n
    upper = difference + _Z95 * math.sqrt(max(acting + shadow - (acting - shadow) ** 2 / n, 1.0)) / n
    said = f"of {n} answers, only the champion was right in {acting} and only this in {shadow} (p = {p:.2g})"
    if p < plan.alpha / (2 << look):
        return GateAnswer(gate="shadow", result="fail", reason=said)
    if upper <= plan.margin:
        return GateAnswer(gate="shadow", result="pass", reason=said)
    rollout.looks["shadow"] = look + 1
    return GateAnswer(gate="shadow", result="wait", reason=said)


def _pairs(cohort: Cohort) -> tuple[list[DeviceCounts], list[DeviceCounts]]:
    """Telemetry before and after, of each device that runs the release."""
    rollout, since_s = cohort.rollout, cohort.rollout.started_s - _BEFORE_S
    pairs = [
        (
            counts_of(cohort.table, rollout.champion or "", id, since_s),
            counts_of(cohort.table, rollout.release, id, rollout.started_s),
        )
        for id in cohort.running()
    ]
    return [before for before, _ in pairs], [after for _, after in pairs]


def _flag(known: FleetRelease | None, counts: DeviceCounts) -> Counted:
    found = drift_of(known, counts)
    return (0, 0) if found is None else (int(found[0]), 1)


def _share(counts: Sequence[DeviceCounts]) -> str:
    wrong, n = sum(each.wrong for each in counts), sum(each.probes for each in counts)
    return f"{wrong} of {n}" + (f" ({wrong / n:.1%})" if n else "")


def _first(gate: str) -> GateAnswer:
    return GateAnswer(gate=gate, result="not measured", reason="the fleet ran no release before")
