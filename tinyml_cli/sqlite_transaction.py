"""A transaction of SQLite: everything in it is written, or nothing."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal


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


class SharedFile:
    """A SQLite file whose threads share one connection; a transaction within another one is part of it.

    Args:
        path: of the file, which is made where it is missing.
        schema: statements that make what is missing in it.
        synchronous: "full": a power cut takes nothing that was committed; "normal": perhaps the last ones.
        busy_s: how long to wait for another process that writes.

    Raises:
        sqlite3.Error: it cannot be opened, or is no such file.
    """

    def __init__(
        self, path: Path, schema: str, synchronous: Literal["normal", "full"], busy_s: float = 5.0
    ) -> None:
        self._lock = threading.RLock()
        self.connection = sqlite3.connect(path, timeout=busy_s, check_same_thread=False, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("pragma journal_mode = wal")
        self.connection.execute(f"pragma synchronous = {synchronous}")
        self.connection.executescript(schema)

    def close(self) -> None:
        """Closes it."""
        with self._lock:
            self.connection.close()

    @contextlib.contextmanager
    def transaction(self, begin: str = "begin immediate") -> Iterator[sqlite3.Connection]:
        """See `transaction`."""
        with self._lock:
            if self.connection.in_transaction:
                yield self.connection
                return
            with transaction(self.connection, begin):
                yield self.connection
