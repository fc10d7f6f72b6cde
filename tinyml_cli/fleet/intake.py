"""What devices tell, into the state: telemetry is counted once, however often and late it comes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tinyml_cli.fleet import database
from tinyml_cli.fleet.messages import FleetRelease, ReportedState, Telemetry

UNKNOWN = "unknown"
"""The release of telemetry of a model that was never released here."""
MOST_AHEAD = 10_000
"""A number further beyond the last one than this is not believed."""


class DeviceCounts(BaseModel):
    """Telemetry of a device, a release and an hour, or a sum of such; fields as of `Telemetry`."""

    model_config = ConfigDict(extra="forbid")

    messages: int = 0
    seconds: float = 0.0
    detections: dict[int, int] = Field(default_factory=dict)
    probes: int = 0
    wrong: int = 0
    bins: list[list[int]] = Field(default_factory=list)
    inferences: int = 0
    inference_us: int = 0
    overruns: int = 0
    shadows: dict[str, tuple[int, int, int]] = Field(default_factory=dict)

    def add(self, other: DeviceCounts) -> None:
        """Adds another's; bins of another shape, of a release whose reference differs, are left out."""
        for name in ("messages", "seconds", "probes", "wrong", "inferences", "inference_us", "overruns"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for label, n in other.detections.items():
            self.detections[label] = self.detections.get(label, 0) + n
        for release, (n, acting, shadow) in other.shadows.items():
            known = self.shadows.get(release, (0, 0, 0))
            self.shadows[release] = (known[0] + n, known[1] + acting, known[2] + shadow)
        if not self.bins:
            self.bins = [list(column) for column in other.bins]
        elif [len(each) for each in self.bins] == [len(each) for each in other.bins]:
            pairs = zip(self.bins, other.bins, strict=True)
            self.bins = [[a + b for a, b in zip(old, new, strict=True)] for old, new in pairs]

    @classmethod
    def of(cls, told: Telemetry) -> DeviceCounts:
        """Of one message."""
        shadows = {} if told.x is None else {told.x[0]: (told.x[1], told.x[2], told.x[3])}
        return cls(
            messages=1,
            seconds=told.s,
            detections=dict(told.d),
            probes=told.p[0],
            wrong=min(told.p),
            bins=[list(column) for column in told.c],
            inferences=told.u[0],
            inference_us=told.u[1],
            overruns=told.o,
            shadows=shadows,
        )


def take_telemetry(table: sqlite3.Connection, device: str, told: Telemetry, at_s: float) -> int:
    """Counts a message unless it was counted before.

    Returns:
        The number up to which everything of the device and epoch is there.
    """
    upto = _upto(table, device, told.e)
    table.execute("update devices set seen_s = max(seen_s, ?) where id = ?", (at_s, device))
    if told.n <= upto or told.n > upto + MOST_AHEAD or not _is_new(table, device, told):
        database.count(table, "duplicates")
        return upto
    counts = DeviceCounts.of(told)
    key = (device, told.r or UNKNOWN, int(at_s // 3600))
    row = table.execute(
        "select document from counts where (device, release, hour) = (?, ?, ?)", key
    ).fetchone()
    if row:
        total = DeviceCounts.model_validate_json(row["document"])
        total.add(counts)
        counts = total
    table.execute("insert or replace into counts values (?, ?, ?, ?)", (*key, counts.model_dump_json()))
    if told.b is not None:
        table.execute("update devices set battery_mv = ? where id = ?", (told.b, device))
    return _advance(table, device, told.e, upto)


def _upto(table: sqlite3.Connection, device: str, epoch: str) -> int:
    row = table.execute("select number from upto where (device, epoch) = (?, ?)", (device, epoch)).fetchone()
    return row["number"] if row else 0


def _is_new(table: sqlite3.Connection, device: str, told: Telemetry) -> bool:
    values = (device, told.e, told.n)
    return bool(table.execute("insert or ignore into taken values (?, ?, ?)", values).rowcount)


def _advance(table: sqlite3.Connection, device: str, epoch: str, upto: int) -> int:
    """Moves the number up to which nothing is missing, and forgets single numbers below it."""
    first = upto
    while table.execute(
        "select 1 from taken where (device, epoch, number) = (?, ?, ?)", (device, epoch, upto + 1)
    ).fetchone():
        upto += 1
    if upto > first:
        table.execute("insert or replace into upto values (?, ?, ?)", (device, epoch, upto))
        table.execute(
            "delete from taken where device = ? and epoch = ? and number <= ?", (device, epoch, upto)
        )
    return upto


def take_report(table: sqlite3.Connection, device: str, told: ReportedState, at_s: float) -> None:
    """Enters what a device runs; a stranger joins the fleet, and shall run its champion."""
    release = told.release or _by_model(table, told.model)
    fields: dict[str, Any] = {
        "gateway": told.gateway,
        "board": told.board,
        "release": release,
        "model": told.model,
        "shadow": told.shadow,
        "phase": told.phase,
        "revision": told.revision,
        "failed": told.failed,
        "reason": told.reason,
        "seen_s": at_s,
    }
    known = table.execute("select failed, gateway from devices where id = ?", (device,)).fetchone()
    if known is None:
        champion = database.setting(table, "champion")
        fields |= {"id": device, "enrolled_s": at_s, "desired": champion, "desired_revision": told.revision}
        fields["desired_revision"] += champion is not None
        marks = ", ".join("?" * len(fields))
        table.execute(f"insert into devices ({', '.join(fields)}) values ({marks})", tuple(fields.values()))
        database.note(table, f"joined by gateway {told.gateway}", device=device)
    else:
        changes = ", ".join(f"{name} = ?" for name in fields)
        table.execute(f"update devices set {changes} where id = ?", (*fields.values(), device))
        if told.failed and told.failed != known["failed"]:
            database.note(table, f"{told.failed}: {told.reason}", device=device)
    # A gateway that lost its state may count revisions anew, or know a later one than this server's backup.
    table.execute(
        "update devices set desired_revision = revision + 1 where id = ? and revision > desired_revision",
        (device,),
    )


def _by_model(table: sqlite3.Connection, model: str) -> str | None:
    """The release whose model a device runs, by the first digits of its hash."""
    if len(model) < 8:
        return None
    for release in releases(table):
        if release.model_sha256.startswith(model):
            return release.id
    return None


def releases(table: sqlite3.Connection) -> list[FleetRelease]:
    """All releases, the oldest first."""
    rows = table.execute("select document from releases order by made_s")
    return [FleetRelease.model_validate_json(row["document"]) for row in rows]


def release(table: sqlite3.Connection, id: str) -> FleetRelease | None:
    """A release; None where there is none of that id."""
    row = table.execute("select document from releases where id = ?", (id,)).fetchone()
    return FleetRelease.model_validate_json(row["document"]) if row else None


def total(rows: Iterable[sqlite3.Row]) -> DeviceCounts:
    """The sum of rows of `counts`."""
    found = DeviceCounts()
    for row in rows:
        found.add(DeviceCounts.model_validate(json.loads(row["document"])))
    return found


def counts_of(
    table: sqlite3.Connection, release: str, device: str | None = None, since_s: float = 0.0
) -> DeviceCounts:
    """The telemetry of a release, by one device or all, since the hour of a time."""
    return total(
        table.execute(
            "select document from counts where release = ?1 and (?2 is null or device = ?2) and hour >= ?3",
            (release, device, int(since_s // 3600)),
        )
    )
