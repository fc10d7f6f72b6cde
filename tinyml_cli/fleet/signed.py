"""Updates that real boards take: signed where a rollout is started, kept and passed on by everybody else.

The private key is read by the command that starts a rollout, and by nothing else: server, broker and gateways
hold what was signed. A board refuses what is not newer than what it runs, so the way back is signed in the
same moment: the release gets a number, and what the fleet runs now, the next one.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from tinyml_cli import temporary
from tinyml_cli.build import slots
from tinyml_cli.engines.model_tables import Lifted
from tinyml_cli.errors import TinymlError
from tinyml_cli.fleet import database, releases, rollout
from tinyml_cli.fleet.database import FleetDatabase
from tinyml_cli.fleet.messages import FleetRelease
from tinyml_cli.fleet.plan import Rollout, RolloutPlan
from tinyml_cli.updates import image
from tinyml_cli.updates.keys import SigningKey


def start(
    state: FleetDatabase,
    given: tuple[FleetRelease, bytes],
    plan: RolloutPlan,
    again: bool = False,
    key: SigningKey | None = None,
) -> Rollout:
    """Starts a rollout; with a key, real boards take it, and the way back.

    Raises:
        TinymlError: as `rollout.start`; or no board could take the release and go back.
    """
    document, package = given
    tables: dict[str, Lifted] = {}
    if key is not None:
        tables[document.id] = _lifted(document, package)
        with state.reading() as table:
            champion = database.setting(table, "champion")
        if champion is not None:
            tables[champion] = _way_back(state, champion, tables[document.id])
    with state.writing() as table:
        releases.add(table, document, package)
        found = rollout.start(table, document.id, plan, again)
        if key is not None:
            number = max(int(time.time()), _highest(table) + 1)
            for id in (document.id, *([found.champion] if found.champion else [])):
                update = image.make(tables[id], number, key)
                table.execute("insert or replace into updates values (?, ?, ?)", (id, number, update))
                number += 1
    return found


def numbers(table: sqlite3.Connection) -> dict[str, int]:
    """Release -> the number of its newest update."""
    return {row["release"]: row["number"] for row in table.execute("select release, number from updates")}


def update(table: sqlite3.Connection, release: str) -> bytes:
    """The newest update of a release that has one."""
    found: bytes = table.execute("select bytes from updates where release = ?", (release,)).fetchone()[
        "bytes"
    ]
    return found


def _way_back(state: FleetDatabase, champion: str, release: Lifted) -> Lifted:
    """The champion's tables for boards that take a release: those that boards were given, if they fit; else
    made anew, as for boards that were flashed since with firmware of this version of tinyml.

    Raises:
        TinymlError: no board can take both.
    """
    with state.reading() as table:
        row = table.execute("select document, package from releases where id = ?", (champion,)).fetchone()
        signed = update(table, champion) if champion in numbers(table) else None
    if signed is not None:
        header = image.read_header(signed, champion)
        if header.architecture == release.architecture:
            return Lifted({}, signed[image.HEADER_BYTES :], header.architecture)
    document = FleetRelease.model_validate_json(row["document"])
    found = _lifted(document, row["package"])
    if found.architecture != release.architecture:
        raise TinymlError(
            "No board can take this release and go back to the champion: their networks have different "
            "architectures",
            document.name,
            "Retrain the champion's network; or flash whole firmware, and start without --update-key.",
        )
    return found


def _lifted(document: FleetRelease, package: bytes) -> Lifted:
    with temporary.folder("release") as folder:
        return slots.lifted(releases.unpacked(document, package, Path(folder) / "run"))


def _highest(table: sqlite3.Connection) -> int:
    return table.execute("select max(number) from updates").fetchone()[0] or 0
