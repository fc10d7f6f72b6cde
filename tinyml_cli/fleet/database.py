"""The server's state in SQLite: what was committed is there after a power cut.

The server, the commands of `tinyml fleet` and the studio open the same file. Whoever writes takes the write
lock first, so what it decides on cannot change meanwhile.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.sqlite_transaction import SharedFile

DATABASE = "fleet.sqlite3"
_VERSION = 1
_BUSY_S = 20.0
_SCHEMA = """
create table if not exists meta (key text primary key, value text not null);
create table if not exists gateways (id text primary key, online integer not null, changed_s real not null);
create table if not exists devices (
    id text primary key, gateway text not null, board text not null, release text, model text not null,
    shadow text, phase text not null, revision integer not null, failed text, reason text not null,
    seen_s real not null, enrolled_s real not null, battery_mv integer,
    desired text, desired_shadow text, desired_revision integer not null default 0
);
create table if not exists releases (
    id text primary key, document text not null, package blob not null, made_s real not null
);
create table if not exists updates (release text primary key, number integer not null, bytes blob not null);
create table if not exists rollouts (
    id integer primary key, release text not null, champion text, plan text not null, state text not null,
    stage integer not null, stage_s real not null, looks text not null, gates text not null,
    reason text not null, started_s real not null, ended_s real
);
create table if not exists assigned (
    rollout integer not null, device text not null, at_s real not null, primary key (rollout, device)
);
create table if not exists counts (
    device text not null, release text not null, hour integer not null, document text not null,
    primary key (device, release, hour)
);
create table if not exists taken (
    device text not null, epoch text not null, number integer not null, primary key (device, epoch, number)
) without rowid;
create table if not exists upto (
    device text not null, epoch text not null, number integer not null, primary key (device, epoch)
) without rowid;
create table if not exists history (
    id integer primary key, at_s real not null, rollout integer, device text, what text not null
);
"""


class FleetDatabase:
    """The file; its threads share one connection.

    Args:
        folder: the fleet's.

    Raises:
        TinymlError: it cannot be opened, or is of a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / DATABASE
        try:
            self._file = SharedFile(self.path, _SCHEMA, "full", _BUSY_S)
            version = self._file.connection.execute("pragma user_version").fetchone()[0]
            if version == 0:
                self._file.connection.execute(f"pragma user_version = {_VERSION}")
        except sqlite3.Error as error:
            raise TinymlError(
                f"The fleet's state cannot be opened: {error}",
                str(self.path),
                "Free some space, or name another folder with --fleet.",
            ) from error
        if version > _VERSION:
            raise TinymlError(
                "The fleet's state is of a newer tinyml",
                str(self.path),
                "Upgrade: pip install --upgrade tinyml-cli",
            )

    @classmethod
    def existing(cls, folder: Path) -> FleetDatabase:
        """Of a fleet that is there.

        Raises:
            TinymlError: there is none.
        """
        if not (folder / DATABASE).is_file():
            raise TinymlError(
                "There is no fleet",
                str(folder),
                "Start its server: tinyml fleet serve; or name its folder with --fleet.",
            )
        return cls(folder)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A state that does not change within the block."""
        with self._transaction("begin") as table:
            yield table

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of the block or nothing.

        Raises:
            TinymlError: it cannot be written.
        """
        with self._transaction("begin immediate") as table:
            yield table

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        try:
            with self._file.transaction(begin) as table:
                yield table
        except sqlite3.OperationalError as error:
            raise TinymlError(
                f"The fleet's state cannot be read or written: {error}",
                str(self.path),
                "Free some space, and run the command again.",
            ) from error


def setting(table: sqlite3.Connection, key: str) -> str | None:
    """A value of the fleet as a whole; None where it was never set."""
    row = table.execute("select value from meta where key = ?", (key,)).fetchone()
    return row["value"] if row else None


def set_setting(table: sqlite3.Connection, key: str, value: str) -> None:
    """Sets it."""
    table.execute("insert into meta values (?1, ?2) on conflict do update set value = ?2", (key, value))


def count(table: sqlite3.Connection, key: str, by: int = 1) -> None:
    """Counts something."""
    set_setting(table, key, str(int(setting(table, key) or 0) + by))


def note(table: sqlite3.Connection, what: str, rollout: int | None = None, device: str | None = None) -> None:
    """Adds a line to the history."""
    table.execute(
        "insert into history (at_s, rollout, device, what) values (?, ?, ?, ?)",
        (time.time(), rollout, device, what),
    )
