"""A fleet as commands and the studio show it."""

from __future__ import annotations

import datetime
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError, did_you_mean
from tinyml_cli.fleet import intake
from tinyml_cli.fleet.database import FleetDatabase, setting
from tinyml_cli.fleet.gates import drift_of
from tinyml_cli.fleet.intake import DeviceCounts
from tinyml_cli.fleet.messages import FleetRelease
from tinyml_cli.fleet.plan import SHADOW_STAGE, Rollout, active, latest
from tinyml_cli.fleet.rollout import SILENT_S, lost, name_of
from tinyml_cli.outcomes.fleets import (
    DeviceHealth,
    FleetHistory,
    FleetShown,
    HistoryLine,
    RolloutGate,
    RolloutShown,
)
from tinyml_cli.wording import counted

DAY_S = 24 * 3600.0
_SHOWN = 40


def shown(state: FleetDatabase) -> FleetShown:
    """The whole fleet, by the last 24 hours."""
    now = time.time()
    with state.reading() as table:
        going_on = active(table)
        away = lost(table, going_on.plan.silent_s if going_on else SILENT_S, now)
        known = {each.id: each for each in intake.releases(table)}
        champion = setting(table, "champion")
        rows = table.execute("select * from devices order by id").fetchall()
        devices, whole = [], DeviceCounts()
        for row in rows:
            counts = _counts(table, row, now)
            devices.append(_device(row, counts, known, away))
            if champion is not None and row["release"] == champion:
                whole.add(counts)
        found = drift_of(known.get(champion or ""), whole)
        numbers = {key: int(setting(table, key) or 0) for key in _NUMBERS}
        return FleetShown(
            fleet=str(state.path.parent),
            champion=champion,
            champion_name=known[champion].name if champion in known else None,
            devices=devices,
            online=len(rows) - len(away),
            drift=None if found is None else found[0],
            drift_why=_UNDECIDED if found is None else found[1],
            drifting=sum(bool(each.drift) for each in devices),
            messages=numbers["messages"],
            message_bytes=numbers["bytes"],
            duplicates=numbers["duplicates"],
            refused=numbers["refused"],
        )


_NUMBERS = ("messages", "bytes", "duplicates", "refused")
_UNDECIDED = "Too little was heard, or the release has nothing to compare with."


def device(state: FleetDatabase, id: str) -> DeviceHealth:
    """One device.

    Raises:
        TinymlError: there is none of that id.
    """
    found = shown(state)
    for each in found.devices:
        if each.id == id:
            return each
    ids = [each.id for each in found.devices]
    raise TinymlError(
        f"There is no device `{id}`", "DEVICE", f"{did_you_mean(id, ids)}tinyml fleet list shows all."
    )


def _counts(table: sqlite3.Connection, row: sqlite3.Row, now: float) -> DeviceCounts:
    return intake.counts_of(table, row["release"] or intake.UNKNOWN, row["id"], now - DAY_S)


def _device(
    row: sqlite3.Row, counts: DeviceCounts, known: dict[str, FleetRelease], away: frozenset[str]
) -> DeviceHealth:
    release = known.get(row["release"] or "")
    drift = drift_of(release, counts)
    hours = counts.seconds / 3600
    return DeviceHealth(
        id=row["id"],
        gateway=row["gateway"],
        board=row["board"],
        online=row["id"] not in away,
        seen=_time(row["seen_s"]),
        release=row["release"],
        name=release.name if release else None,
        phase=row["phase"],
        desired=row["desired"],
        shadow=row["shadow"],
        failed=row["failed"],
        reason=row["reason"],
        hours=hours,
        detections_per_hour=sum(counts.detections.values()) / hours if hours else None,
        answers=counts.probes,
        wrong=counts.wrong,
        inference_us=counts.inference_us / counts.inferences if counts.inferences else None,
        overruns=counts.overruns,
        battery_mv=row["battery_mv"],
        drift=None if drift is None else drift[0],
        drift_why=_UNDECIDED if drift is None else drift[1],
    )


def rollout_shown(table: sqlite3.Connection, found: Rollout) -> RolloutShown:
    """A rollout for people."""
    devices = table.execute("select count(*) from devices").fetchone()[0]
    running = table.execute("select count(*) from devices where release = ?", (found.release,)).fetchone()[0]
    assigned = table.execute("select count(*) from assigned where rollout = ?", (found.id,)).fetchone()[0]
    return RolloutShown(
        rollout=found.id,
        release=found.release,
        name=name_of(table, found.release),
        champion=found.champion,
        state=found.state,
        stage=found.percent,
        stages=found.plan.stages,
        shadow=found.stage == SHADOW_STAGE,
        started=_time(found.started_s),
        stage_started=_time(found.stage_s),
        ended=None if found.ended_s is None else _time(found.ended_s),
        assigned=assigned,
        running=running,
        share=running / devices if devices else 0.0,
        gates=[RolloutGate(**gate.model_dump()) for gate in found.gates],
        reason=found.reason,
    )


def changed(fleet: Path, act: Callable[[sqlite3.Connection], Rollout]) -> RolloutShown:
    """The rollout of the fleet in a folder, after an act on it.

    Raises:
        TinymlError: no fleet, or what the act refuses.
    """
    state = FleetDatabase.existing(fleet)
    try:
        with state.writing() as table:
            return rollout_shown(table, act(table))
    finally:
        state.close()


def history(state: FleetDatabase, most: int) -> FleetHistory:
    """The last lines of what happened."""
    with state.reading() as table:
        rows = table.execute("select * from history order by id desc limit ?", (most,)).fetchall()
    lines = [
        HistoryLine(at=_time(row["at_s"]), rollout=row["rollout"], device=row["device"], what=row["what"])
        for row in reversed(rows)
    ]
    return FleetHistory(fleet=str(state.path.parent), lines=lines)


def show_fleet(outcome: FleetShown) -> None:
    """The table for people: what is wrong first."""
    devices = sorted(
        outcome.devices, key=lambda each: (each.online, not each.failed, not each.drift, each.id)
    )
    rows = [
        (
            each.id,
            each.name or each.release or "",
            "online" if each.online else "lost",
            "" if each.detections_per_hour is None else f"{each.detections_per_hour:.0f}",
            f"{each.wrong / each.answers:.0%} of {each.answers}" if each.answers else "",
            {True: "drift", False: "no", None: ""}[each.drift],
            each.reason or ("" if each.phase == "idle" else each.phase),
        )
        for each in devices[:_SHOWN]
    ]
    heads = ("device", "runs", "", "per hour", "wrong", "drift", "remark")
    console.table(f"Fleet {outcome.fleet}", heads, rows)
    if len(devices) > _SHOWN:
        console.info(f"… and {len(devices) - _SHOWN} more; --json has all.")


def fleet_sentence(outcome: FleetShown) -> str:
    """The fleet in a line."""
    whole = {True: "It drifts as a whole.", False: "It does not drift as a whole.", None: ""}[outcome.drift]
    return (
        f"{outcome.online} of {counted(len(outcome.devices), 'device')} online; "
        f"champion: {outcome.champion_name or 'none yet'}; {counted(outcome.drifting, 'device')} "
        f"{'drifts' if outcome.drifting == 1 else 'drift'}. {whole}".rstrip()
    )


def drift_of_model(state: FleetDatabase, model_sha256: str) -> tuple[bool, str]:
    """Whether the devices that ran a model in the last 24 hours drift, taken together, and why."""
    with state.reading() as table:
        known = [each for each in intake.releases(table) if each.model_sha256 == model_sha256]
        if not known:
            return False, "the fleet never ran the champion"
        counts = intake.counts_of(table, known[-1].id, since_s=time.time() - DAY_S)
    found = drift_of(known[-1], counts)
    if found is None:
        return False, "the fleet's devices have heard too little in the last 24 hours to tell drift"
    return found[0], f"the fleet, {counts.seconds / 3600:.1f} h heard: {found[1].rstrip('.')}"


def status(state: FleetDatabase) -> RolloutShown:
    """The rollout that is going on, or the last one.

    Raises:
        TinymlError: there was none.
    """
    with state.reading() as table:
        found = active(table) or latest(table)
        if found is None:
            raise TinymlError(
                "There was no rollout yet",
                str(state.path.parent),
                "Start one: tinyml fleet rollout start RUN",
            )
        return rollout_shown(table, found)


def device_text(outcome: DeviceHealth) -> str:
    """A device for people."""
    pairs = [
        ("device", f"{outcome.id}, {outcome.board} behind {outcome.gateway}"),
        ("seen", f"{outcome.seen}{'' if outcome.online else ', lost'}"),
        ("runs", f"{outcome.name or 'a model that was not released here'} {outcome.release or ''}".strip()),
        ("wanted", "" if outcome.desired in (None, outcome.release) else str(outcome.desired)),
        ("shadow", outcome.shadow or ""),
        ("failed", f"{outcome.failed}: {outcome.reason}" if outcome.failed else ""),
        ("heard", f"{outcome.hours:.2f} h"),
        (
            "detected",
            "" if outcome.detections_per_hour is None else f"{outcome.detections_per_hour:.1f} an hour",
        ),
        ("wrong", f"{outcome.wrong} of {outcome.answers}" if outcome.answers else ""),
        ("inference", "" if outcome.inference_us is None else f"{outcome.inference_us:.0f} µs"),
        ("overruns", str(outcome.overruns)),
        ("battery", "" if outcome.battery_mv is None else f"{outcome.battery_mv} mV"),
        ("drift", outcome.drift_why),
    ]
    return "\n".join(f"{name:<10} {value}" for name, value in pairs if value)


def history_text(outcome: FleetHistory) -> str:
    """What happened, a line each."""
    lines = [f"{line.at}  {f'{line.device}: ' if line.device else ''}{line.what}" for line in outcome.lines]
    return "\n".join(lines) or "Nothing happened yet."


def show_rollout(outcome: RolloutShown) -> None:
    """The gates for people."""
    rows = [(gate.gate, gate.result, gate.reason) for gate in outcome.gates]
    if rows:
        console.table(rollout_sentence(outcome), ("gate", "", "why"), rows)


def rollout_sentence(outcome: RolloutShown) -> str:
    """The rollout in a line."""
    text = f"Rollout {outcome.rollout} of {outcome.name}: {outcome.state}"
    if outcome.ended is None:
        text += f", {'shadow on ' if outcome.shadow else ''}{outcome.stage:g} %"
    text += f"; {counted(outcome.running, 'device')} {'runs' if outcome.running == 1 else 'run'} it"
    return f"{text}: {outcome.reason}." if outcome.reason else f"{text}."


def _time(at_s: float) -> str:
    return datetime.datetime.fromtimestamp(at_s, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
