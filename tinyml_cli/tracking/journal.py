"""The journal of a tracked command: what has to reach MLflow, on this computer first.

    runs/.tracking/TIME-ID/journal.jsonl    an event a line, as it happened
                          /files/HASH/NAME  copies of the artifacts
                          /sent.json        how far it was sent, and why no further
                          /.lock            held while the command runs

A folder goes when all of it was sent. A command that was killed leaves its journal without an end; a line
that it did not finish is no event.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinyml_cli.documents import UnreadableError, load_json, parse_json
from tinyml_cli.files import runs_dir, write_atomic
from tinyml_cli.tracking.target import TrackingTarget

if TYPE_CHECKING:
    from filelock import FileLock

SPOOL = ".tracking"
BEGIN, PARAMS, METRICS, TAGS = "begin", "params", "metrics", "tags"
ARTIFACT, REGISTER, END = "artifact", "register", "end"
FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"
"""MLflow's names of how a run ended."""

_JOURNAL, _SENT, _FILES, _LOCK = "journal.jsonl", "sent.json", "files", ".lock"


def spool_dir() -> Path:
    """Where the journals of this runs folder lie."""
    return runs_dir() / SPOOL


def now_ms() -> int:
    """Milliseconds since 1970, as MLflow counts."""
    return time.time_ns() // 1_000_000


_Milliseconds = Annotated[int, Field(ge=0, lt=1 << 47)]  # 6429, well before years have five digits


class Begin(BaseModel):
    """The first event of a journal, as far as all need it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    id: str
    uri: str
    experiment: str
    at_ms: _Milliseconds
    title: str
    parent: str = ""
    tags: dict[str, str] = Field(default_factory=dict)


class Sent(BaseModel):
    """How far a journal was sent.

    Attributes:
        offset: bytes of it.
        run: MLflow's id; empty before it is made.
        error: why the last attempt failed; empty where it did not.
        at_ms: when that was.
        is_ended: whether the end of the command was sent.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    offset: Annotated[int, Field(ge=0)] = 0
    run: str = ""
    error: str = ""
    at_ms: _Milliseconds = 0
    is_ended: bool = False


class JournalWriter:
    """Writes the journal of one command; closing it lets the journal be sent to its end.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, spool: Path, identity: str, target: TrackingTarget, begin: Mapping[str, Any]) -> None:
        from filelock import FileLock

        self.folder = spool / f"{now_ms():013d}-{identity}-{os.getpid()}"
        self.folder.mkdir(parents=True)
        spool.chmod(0o700)  # a database's address may hold a password
        self._lock: FileLock = FileLock(self.folder / _LOCK, thread_local=False)
        self._lock.acquire(timeout=5)
        self._stream: IO[bytes] = (self.folder / _JOURNAL).open("ab")
        self.write(BEGIN, id=identity, uri=target.uri, experiment=target.experiment, at_ms=now_ms(), **begin)

    def write(self, event: str, **fields: Any) -> None:
        """Adds an event; it is on the disk when this returns."""
        line = json.dumps({"event": event, **fields}, ensure_ascii=True) + "\n"
        self._stream.write(line.encode())
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def add_file(self, path: Path, name: str) -> None:
        """Adds an artifact as it is now; `name` is its path in MLflow, with slashes."""
        data = path.read_bytes()
        place = Path(_FILES, hashlib.sha256(data).hexdigest()[:16], *name.split("/"))
        write_atomic(self.folder / place, data)
        self.write(ARTIFACT, file=place.as_posix(), name=name)

    def close(self) -> None:
        """Nothing more is written."""
        self._stream.close()
        self._lock.release()


class Journal:
    """A journal as its sender sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def path(self) -> Path:
        """The file of events."""
        return self.folder / _JOURNAL

    def begin(self) -> Begin | None:
        """Its first event; None where that is not whole, as after a kill, or damaged."""
        _, first = next(self.events(0), (0, {}))
        try:
            return Begin.model_validate(first) if first.get("event") == BEGIN else None
        except ValidationError:
            return None

    def target(self) -> TrackingTarget:
        """Where it is to be sent; nowhere without its beginning."""
        first = self.begin()
        return TrackingTarget("", "") if first is None else TrackingTarget(first.uri, first.experiment)

    def is_empty(self) -> bool:
        """Whether its command was killed before the first event was whole."""
        return next(self.events(0), None) is None

    def events(self, offset: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Offset behind each event, and the event; from an offset on, as far as lines are whole."""
        with contextlib.suppress(OSError), self.path.open("rb") as stream:
            stream.seek(offset)
            for line in stream:
                offset += len(line)
                if not line.endswith(b"\n"):
                    return
                with contextlib.suppress(UnreadableError, UnicodeDecodeError):
                    event = parse_json(line.decode())
                    if isinstance(event, dict) and isinstance(event.get("event"), str):
                        yield offset, event

    def file(self, name: str) -> Path:
        """A copy that lies in it.

        Raises:
            ValueError: the journal names a file elsewhere.
        """
        path = (self.folder / name).resolve()
        if not path.is_relative_to((self.folder / _FILES).resolve()):
            raise ValueError(f"the journal names {name!r:.60}, which is none of its files")
        return path

    def is_open(self) -> bool:
        """Whether its command still runs."""
        from filelock import FileLock, Timeout

        if not (self.folder / _LOCK).exists():
            return False
        try:
            with FileLock(self.folder / _LOCK, timeout=0):
                return False
        except Timeout:
            return True
        except OSError:
            return False

    def sent(self) -> Sent:
        """How far it was sent."""
        try:
            return Sent.model_validate(load_json(self.folder / _SENT))
        except (UnreadableError, ValidationError):
            return Sent()

    def note(self, sent: Sent) -> None:
        """Keeps how far it was sent."""
        write_atomic(self.folder / _SENT, sent.model_dump_json() + "\n")

    def remove(self) -> None:
        """All of it was sent, or nobody wants it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def journals(spool: Path, uri: str = "") -> list[Journal]:
    """What waits, the oldest first; a link, a pipe or a folder is no journal.

    Args:
        spool: the folder of journals.
        uri: only those that are to be sent there. A runs folder may come from somebody else, and whoever
            wrote a journal says where the user's password for MLflow goes with it.
    """
    if not spool.is_dir():
        return []
    found = [
        Journal(path.parent)
        for path in sorted(spool.glob(f"*/{_JOURNAL}"))
        if path.is_file() and not path.is_symlink() and not path.parent.is_symlink()
    ]
    return [each for each in found if not uri or each.target().uri == uri]
