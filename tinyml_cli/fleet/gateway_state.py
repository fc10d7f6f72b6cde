"""What a gateway keeps through power cuts: what its devices run, and telemetry that was not acknowledged."""

from __future__ import annotations

import dataclasses
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli.errors import TinymlError
from tinyml_cli.fleet.messages import Telemetry
from tinyml_cli.sqlite_transaction import SharedFile

_SCHEMA = """
create table if not exists gateway (epoch text not null);
create table if not exists members (
    id text primary key, running text, previous text, trying text, boots integer not null default 0,
    revision integer not null default 0, shadow text, failed text, reason text not null default '',
    number integer not null default 0
);
create table if not exists outbox (
    device text not null, number integer not null, payload blob not null, primary key (device, number)
);
"""


@dataclass(frozen=True)
class MemberState:
    """A device, as its slots would have it.

    Attributes:
        running: the release in the slot that is used; previous: in the other one.
        trying: one that was written and has not passed its self-test.
        boots: how often it was started.
        revision: of the desired state that was acted on.
        failed, reason: the last release that was given up, and why.
    """

    id: str
    running: str | None
    previous: str | None
    trying: str | None
    boots: int
    revision: int
    shadow: str | None
    failed: str | None
    reason: str


_FIELDS = ", ".join(field.name for field in dataclasses.fields(MemberState))


class GatewayState:
    """The gateway's file.

    Args:
        folder: where it lies.

    Raises:
        TinymlError: it cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self._known: dict[str, MemberState] = {}
        try:
            self._file = SharedFile(folder / "gateway.sqlite3", _SCHEMA, "normal")
            with self._file.transaction() as table:
                row = table.execute("select epoch from gateway").fetchone()
                self.epoch: str = row["epoch"] if row else secrets.token_hex(4)
                if row is None:
                    table.execute("insert into gateway values (?)", (self.epoch,))
        except sqlite3.Error as error:
            raise TinymlError(
                f"The gateway's state cannot be opened: {error}",
                str(folder),
                "Free some space, or name another folder with --state.",
            ) from error

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def member(self, id: str) -> MemberState:
        """A device; a new one where it is not known."""
        if (found := self._known.get(id)) is None:
            with self._file.transaction() as table:
                table.execute("insert or ignore into members (id) values (?)", (id,))
                row = table.execute(f"select {_FIELDS} from members where id = ?", (id,)).fetchone()
            found = self._known[id] = MemberState(**dict(row))
        return found

    def change(self, id: str, **fields: Any) -> None:
        """Sets fields of a device, all or none."""
        found = dataclasses.replace(self.member(id), **fields)
        if found == self._known[id]:
            return
        marks = ", ".join(f"{name} = ?" for name in fields)
        with self._file.transaction() as table:
            table.execute(f"update members set {marks} where id = ?", (*fields.values(), id))
        self._known[id] = found

    def queue(self, id: str, make: Callable[[int], Telemetry]) -> int:
        """Numbers a message and keeps it until it is acknowledged; its bytes.

        Args:
            make: builds the message with its number.
        """
        with self._file.transaction() as table:
            number = table.execute(
                "update members set number = number + 1 where id = ? returning number", (id,)
            ).fetchone()["number"]
            payload = make(number).encoded()
            table.execute("insert into outbox values (?, ?, ?)", (id, number, payload))
            return len(payload)

    def waiting(self, most: int) -> list[tuple[str, int, bytes]]:
        """Messages that are not acknowledged, the oldest of each device first."""
        with self._file.transaction("begin") as table:
            rows = table.execute(
                "select device, number, payload from outbox order by number limit ?", (most,)
            ).fetchall()
        return [(row["device"], row["number"], row["payload"]) for row in rows]

    def acknowledge(self, upto: Mapping[str, int]) -> None:
        """Forgets messages that the server has."""
        with self._file.transaction() as table:
            table.executemany("delete from outbox where device = ? and number <= ?", upto.items())
