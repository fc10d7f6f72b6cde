"""The queue of jobs in SQLite: what was accepted is there after a power cut, and nothing is taken twice.

One server at a time has the file (the lock of its folder); its threads share it. A job that runs when the
server dies is queued again by the next one, three times at most.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.refusals import BusyError, NoSpaceError, NotThereError
from tinyml_cli.serve.orders import ArtifactTold, JobOrder, QueuedJob, QueueState, RefusalTold
from tinyml_cli.sqlite_transaction import transaction

MOST_QUEUED = 1000
_MOST_ATTEMPTS = 3
_MOST_KEPT = 1000
_SCHEMA = """
create table if not exists jobs (
    number integer primary key autoincrement,
    id text not null unique,
    job_order text not null,
    state text not null,
    urgent integer not null,
    created_s real not null,
    started_s real,
    ended_s real,
    attempts integer not null default 0,
    error text,
    result text,
    artifacts text not null default '[]'
) strict;
create index if not exists by_state on jobs (state, urgent, number);
"""
_ENDED = ("done", "failed", "cancelled")


class JobQueue:
    """The queue.

    Args:
        path: of the database; made where it is not there.

    Raises:
        TinymlError: it cannot be opened, or is no database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.changed = threading.Condition()
        self._connection = self._opened()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Lets the file go."""
        with self._lock:
            self._connection.close()

    def recover(self) -> list[str]:
        """Queues again what ran when the last server ended; returns the jobs that are given up."""
        with self._writing() as table:
            given_up = [
                row["id"]
                for row in table.execute(
                    "select id from jobs where state = 'running' and attempts >= ?", (_MOST_ATTEMPTS,)
                )
            ]
            table.execute("update jobs set state = 'queued' where state = 'running'")
        for id in given_up:
            refused = TinymlError(
                f"The server ended {_MOST_ATTEMPTS} times while this job ran",
                id,
                "Ask for less.",
            )
            self.end(id, "failed", error=refused)
        return given_up

    def add(self, order: JobOrder, urgent: bool = False) -> QueuedJob:
        """Accepts a job: it is on the disk when this returns.

        Args:
            urgent: taken before others.

        Raises:
            BusyError: the queue is full.
            NoSpaceError: the disk is.
        """
        id = secrets.token_hex(8)
        with self._writing() as table:
            waiting = table.execute("select count(*) from jobs where state = 'queued'").fetchone()[0]
            if waiting >= MOST_QUEUED:
                raise BusyError(f"{waiting} jobs are waiting already", "queue", "Ask again later.")
            table.execute(
                "insert into jobs (id, job_order, state, urgent, created_s) values (?, ?, 'queued', ?, ?)",
                (id, order.model_dump_json(), int(urgent), time.time()),
            )
        with self.changed:
            self.changed.notify()
        return self.find(id)

    def claim(self) -> QueuedJob | None:
        """The next job, which runs from now on; None where none waits."""
        with self._writing() as table:
            row = table.execute(
                "update jobs set state = 'running', started_s = ?, attempts = attempts + 1 where number = "
                "(select number from jobs where state = 'queued' order by urgent desc, number limit 1) "
                "returning *",
                (time.time(),),
            ).fetchone()
        return _job(row) if row else None

    def end(
        self,
        id: str,
        state: QueueState,
        error: TinymlError | None = None,
        result: Any = None,
        artifacts: list[ArtifactTold] | None = None,
    ) -> None:
        """A job has ended; one that was ended before, or forgotten, stays as it is."""
        values = (
            state,
            time.time(),
            json.dumps(error.as_dict()) if error else None,
            json.dumps(result),
            json.dumps([each.model_dump() for each in artifacts or []]),
            id,
        )
        with self._writing() as table:
            table.execute(
                "update jobs set state = ?, ended_s = ?, error = ?, result = ?, artifacts = ? "
                "where id = ? and state in ('queued', 'running')",
                values,
            )

    def put_back(self, id: str) -> None:
        """A job that runs waits again, as if it had not begun: the server ends as it was asked to."""
        with self._writing() as table:
            table.execute(
                "update jobs set state = 'queued', started_s = null, attempts = attempts - 1 "
                "where id = ? and state = 'running'",
                (id,),
            )

    def queue_again(self, id: str) -> bool:
        """A job that runs waits again, because its computer was lost; False if that was the last attempt."""
        with self._writing() as table:
            found = table.execute(
                "update jobs set state = 'queued', started_s = null "
                "where id = ? and state = 'running' and attempts < ?",
                (id, _MOST_ATTEMPTS),
            ).rowcount
        with self.changed:
            self.changed.notify()
        return bool(found)

    def cancel_waiting(self, id: str) -> bool:
        """Cancels a job that has not begun; False where it has."""
        with self._writing() as table:
            return bool(
                table.execute(
                    "update jobs set state = 'cancelled', ended_s = ? where id = ? and state = 'queued'",
                    (time.time(), id),
                ).rowcount
            )

    def find(self, id: str) -> QueuedJob:
        """A job.

        Raises:
            NotThereError: there is none.
        """
        with self._reading() as table:
            row = table.execute("select * from jobs where id = ?", (id,)).fetchone()
        if row is None:
            raise NotThereError(f"There is no job `{id}`", "id", "GET /v1/jobs lists them.")
        return _job(row)

    def all(self, state: QueueState | None = None, limit: int = 100) -> list[QueuedJob]:
        """Jobs, the newest first."""
        with self._reading() as table:
            rows = table.execute(
                "select * from jobs where ?1 is null or state = ?1 order by number desc limit ?2",
                (state, limit),
            ).fetchall()
        return [_job(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """State -> jobs."""
        with self._reading() as table:
            return dict(table.execute("select state, count(*) from jobs group by state").fetchall())

    def forget(self, id: str) -> None:
        """Removes a job that has ended from the list."""
        with self._writing() as table:
            table.execute(f"delete from jobs where id = ? and state in {_ENDED}", (id,))

    def old(self, days: float) -> list[str]:
        """Jobs that ended before so many days, and those beyond the number that is kept."""
        with self._reading() as table:
            rows = table.execute(
                f"select id from jobs where state in {_ENDED} and (ended_s < ? or number not in "
                f"(select number from jobs where state in {_ENDED} order by number desc limit ?))",
                (time.time() - days * 86_400, _MOST_KEPT),
            ).fetchall()
        return [row["id"] for row in rows]

    def _opened(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.executescript(_SCHEMA)
            return connection
        except sqlite3.Error as error:
            raise TinymlError(
                f"The queue cannot be opened: {error}",
                str(self._path),
                "Free some space; or move the file away, and the server starts with an empty queue.",
            ) from error

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction.

        Raises:
            NoSpaceError: it cannot be written.
        """
        try:
            with self._lock, transaction(self._connection):
                yield self._connection
        except sqlite3.OperationalError as error:
            raise NoSpaceError(
                f"The queue cannot be written: {error}", self._path.name, "Free some space, and ask again."
            ) from error


def _job(row: sqlite3.Row) -> QueuedJob:
    order = JobOrder.model_validate_json(row["job_order"])
    return QueuedJob(
        id=row["id"],
        kind=order.kind,
        state=row["state"],
        order=order,
        created_s=row["created_s"],
        started_s=row["started_s"],
        ended_s=row["ended_s"],
        attempts=row["attempts"],
        error=RefusalTold(**json.loads(row["error"])) if row["error"] else None,
        result=json.loads(row["result"]) if row["result"] else None,
        artifacts=[ArtifactTold(**each) for each in json.loads(row["artifacts"])],
    )
