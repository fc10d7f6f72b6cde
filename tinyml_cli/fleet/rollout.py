"""A release reaches the devices in stages; a gate that fails brings all of them back.

Every call of `step` reads the state, decides, and writes what it decided in one transaction, so that the
server may die anywhere. What a device shall run is a row of the state; that it is told is the server's
business.
"""

from __future__ import annotations

import hashlib
import math
import sqlite3
import time

from pydantic import ValidationError

from tinyml_cli.errors import TinymlError
from tinyml_cli.fleet import database
from tinyml_cli.fleet.gates import Cohort, judge
from tinyml_cli.fleet.intake import release
from tinyml_cli.fleet.plan import SHADOW_STAGE, Rollout, RolloutPlan, State, active, latest
from tinyml_cli.model_registry.versions import user

SILENT_S = 1800.0


def plan_of(stages: str, **more: float) -> RolloutPlan:
    """The plan of a command line.

    Raises:
        TinymlError: stages that do not rise to 100, or a number out of its range.
    """
    try:
        return RolloutPlan(stages=[float(each) for each in stages.split(",")], **more)  # type: ignore[arg-type]
    except ValidationError as error:
        where, problem = error.errors()[0]["loc"], error.errors()[0]["msg"]
        option = f"--{where[0]}".replace("_", "-") if where else "--stages"
        raise TinymlError(
            f"The plan is not valid: {problem}", option, "Write, say, --stages 1,10,100"
        ) from error
    except ValueError as error:
        what = f"`{stages}` are no numbers"
        raise TinymlError(what, "--stages", "Write, say, --stages 1,10,100") from error


def start(
    table: sqlite3.Connection,
    release_id: str,
    plan: RolloutPlan,
    again: bool = False,
    now_s: float | None = None,
) -> Rollout:
    """Begins to bring a release to the devices.

    Raises:
        TinymlError: another one is on its way, or all devices run this one, or it was rolled back before.
    """
    now = time.time() if now_s is None else now_s
    if (other := active(table)) is not None:
        raise TinymlError(
            f"A rollout of {name_of(table, other.release)} is {other.state}",
            "rollout",
            "Wait for its end, or: tinyml fleet rollout abort",
        )
    champion = database.setting(table, "champion")
    if champion == release_id:
        raise TinymlError(
            f"The fleet runs {name_of(table, release_id)} already", "rollout", "Name another one."
        )
    stopped = table.execute(
        "select reason from rollouts where release = ? and state = 'rolled back' order by id desc",
        (release_id,),
    ).fetchone()
    if stopped and not again:
        raise TinymlError(
            f"{name_of(table, release_id)} was rolled back: {stopped['reason']}",
            "rollout",
            "Roll out another version; or --again, where the reason was not the model.",
        )
    stage = SHADOW_STAGE if plan.shadow_percent and champion is not None else 0
    table.execute(
        "insert into rollouts "
        "(release, champion, plan, state, stage, stage_s, looks, gates, reason, started_s) "
        "values (?, ?, ?, 'running', ?, ?, '{}', '[]', '', ?)",
        (release_id, champion, plan.model_dump_json(), stage, now, now),
    )
    made = latest(table)
    assert made is not None
    database.note(table, f"{user()} started the rollout of {name_of(table, release_id)}", made.id)
    return made


def pause(table: sqlite3.Connection) -> Rollout:
    """Holds the rollout where it is.

    Raises:
        TinymlError: there is none that runs.
    """
    return _becomes(table, "running", "paused")


def resume(table: sqlite3.Connection) -> Rollout:
    """Lets a paused rollout go on; its stage begins anew.

    Raises:
        TinymlError: none is paused.
    """
    return _becomes(table, "paused", "running")


def _becomes(table: sqlite3.Connection, wanted: State, becomes: State) -> Rollout:
    found = _going_on(table)
    if found.state != wanted:
        raise TinymlError(f"The rollout is {found.state}, not {wanted}", "rollout", "")
    found.state = becomes
    if becomes == "running":
        found.stage_s = time.time()
    found.save(table)
    database.note(table, f"{user()} made it {becomes}", found.id)
    return found


def abort(table: sqlite3.Connection) -> Rollout:
    """Brings all devices back to what they ran.

    Raises:
        TinymlError: there is no rollout.
    """
    found = _going_on(table)
    if found.state != "rolling back":
        _roll_back(table, found, f"aborted by {user()}", time.time())
    return found


def step(table: sqlite3.Connection, now_s: float) -> Rollout | None:
    """Brings the rollout forward as far as it can be now; the one that is going on, or just ended."""
    found = active(table)
    if found is None or found.state == "paused":
        return found
    cohort = _cohort(table, found, now_s)
    if found.state == "rolling back":
        if all(_is_back(row, found) or row["id"] in cohort.lost for row in cohort.devices):
            _end(table, found, "rolled back", now_s)
        return found
    _assign(table, cohort)
    cohort = _cohort(table, found, now_s)
    found.gates = judge(cohort)
    failed = [gate for gate in found.gates if gate.result == "fail"]
    if failed:
        _roll_back(table, found, "; ".join(f"{gate.gate}: {gate.reason}" for gate in failed), now_s)
    elif found.has_soaked(now_s) and not any(g.result == "wait" for g in found.gates):
        _next_stage(table, found, now_s)
    else:
        found.save(table)
    return found


def rank(device: str, release_id: str) -> bytes:
    """Devices get a release in this order, another one for each release."""
    return hashlib.sha256(f"{device} {release_id}".encode()).digest()


def quota(plan_percent: float, devices: int) -> int:
    """Of so many devices, how many a stage takes: at least one."""
    return max(1, math.floor(devices * plan_percent / 100))


def name_of(table: sqlite3.Connection, release_id: str | None) -> str:
    """A release for people."""
    known = None if release_id is None else release(table, release_id)
    return known.name if known else release_id or "nothing"


def lost(table: sqlite3.Connection, silent_s: float, now_s: float) -> frozenset[str]:
    """Devices that are not heard of: for too long, or behind a gateway that is off."""
    rows = table.execute(
        "select devices.id from devices left join gateways on gateways.id = devices.gateway "
        "where devices.seen_s < ? or gateways.online = 0",
        (now_s - silent_s,),
    )
    return frozenset(row["id"] for row in rows)


def _cohort(table: sqlite3.Connection, found: Rollout, now_s: float) -> Cohort:
    rows = table.execute(
        "select devices.*, assigned.at_s from devices left join assigned "
        "on assigned.device = devices.id and assigned.rollout = ?",
        (found.id,),
    ).fetchall()
    return Cohort(
        table=table,
        rollout=found,
        devices=[row for row in rows if row["at_s"] is not None],
        others=[row for row in rows if row["at_s"] is None],
        lost=lost(table, found.plan.silent_s, now_s),
        now_s=now_s,
    )


def _assign(table: sqlite3.Connection, cohort: Cohort) -> None:
    """Gives the release to as many devices as the stage takes; one that failed is replaced by another."""
    found = cohort.rollout
    wanted = quota(found.percent, len(cohort.devices) + len(cohort.others))
    missing = wanted - len(cohort.devices) + len(cohort.failed())
    reachable = [row["id"] for row in cohort.others if row["id"] not in cohort.lost]
    reachable.sort(key=lambda id: rank(id, found.release))
    column = "desired_shadow" if found.stage == SHADOW_STAGE else "desired"
    for device in reachable[: max(0, missing)]:
        table.execute("insert into assigned values (?, ?, ?)", (found.id, device, cohort.now_s))
        _want(table, device, column, found.release)


def _want(table: sqlite3.Connection, device: str, column: str, release_id: str | None) -> None:
    table.execute(
        f"update devices set {column} = ?, desired_revision = desired_revision + 1 where id = ?",
        (release_id, device),
    )


def _next_stage(table: sqlite3.Connection, found: Rollout, now_s: float) -> None:
    if found.stage == SHADOW_STAGE:
        _end_shadows(table, found)
        table.execute("delete from assigned where rollout = ?", (found.id,))
    said = "; ".join(f"{gate.gate}: {gate.reason}" for gate in found.gates)
    database.note(table, f"passed the stage of {found.percent:g} %: {said}", found.id)
    if found.stage + 1 == len(found.plan.stages):
        database.set_setting(table, "champion", found.release)
        for row in table.execute(
            "select id from devices where desired is not ?", (found.release,)
        ).fetchall():
            _want(table, row["id"], "desired", found.release)  # those that were away meanwhile
        _end(table, found, "done", now_s)
        return
    found.stage += 1
    found.stage_s, found.looks = now_s, {}
    found.save(table)


def _roll_back(table: sqlite3.Connection, found: Rollout, reason: str, now_s: float) -> None:
    found.state, found.reason = "rolling back", reason
    _end_shadows(table, found)
    for row in table.execute("select id from devices where desired = ?", (found.release,)).fetchall():
        _want(table, row["id"], "desired", found.champion)
    found.save(table)
    database.note(table, f"rolling back in the stage of {found.percent:g} %: {reason}", found.id)


def _end_shadows(table: sqlite3.Connection, found: Rollout) -> None:
    for row in table.execute("select id from devices where desired_shadow = ?", (found.release,)).fetchall():
        _want(table, row["id"], "desired_shadow", None)


def _end(table: sqlite3.Connection, found: Rollout, state: str, now_s: float) -> None:
    found.state = "done" if state == "done" else "rolled back"
    found.ended_s = now_s
    found.save(table)
    database.note(table, found.state, found.id)


def _is_back(row: sqlite3.Row, found: Rollout) -> bool:
    """Whether a device runs what it ran, or never will; from a first release there is no way back."""
    if found.champion is None or row["failed"] == found.champion:
        return True
    return bool(row["release"] == found.champion and row["revision"] == row["desired_revision"])


def _going_on(table: sqlite3.Connection) -> Rollout:
    found = active(table)
    if found is None:
        raise TinymlError("No rollout is going on", "rollout", "Start one: tinyml fleet rollout start")
    return found
