"""A transaction of SQLite: everything in it is written, or nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator


@contextlib.contextmanager
def transaction(
    connection: sqlite3.Connection, begin: str = "begin immediate"
) -> Iterator[sqlite3.Connection]:
    """Begins a transaction, commits it at the end and rolls it back on any error.

    Args:
        connection: in autocommit mode (`isolation_level=None`), not within a transaction.
        begin: "begin immediate" takes the right to write at once; "begin" reads one state throughout.

    Raises:
        sqlite3.OperationalError: the file is locked, or cannot be read or written.
    """
    connection.execute(begin)
    try:
        yield connection
        connection.execute("commit")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("rollback")
        raise
