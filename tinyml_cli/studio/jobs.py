"""Commands that the studio runs: `tinyml` as a child, told about line by line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tinyml_cli import processes
from tinyml_cli.console import PROGRESS_S
from tinyml_cli.errors import EXIT_OK, TinymlError
from tinyml_cli.http_api.refusals import NotThereError
from tinyml_cli.next_step import command_line
from tinyml_cli.studio.feed import Feed

JobState = Literal["running", "done", "failed", "stopped"]

_MOST_LINES = 1000
_MOST_RUNNING = 3
_MOST_KEPT = 50
_PATIENCE_S = 0.5  # a signal leaves the studio itself a second
_POLL_S = 0.05
_PROGRESS_S = 0.5
# A line of console.progress.
_PROGRESS = re.compile(r"  (?P<what>.+?): (?P<done>\d+)(?:/(?P<total>\d+))?(?: (?P<note>.*))?")


class Progress(NamedTuple):
    """How far a command has come with something; `total` is 0 where it is not known."""

    what: str
    done: int
    total: int
    note: str


@dataclass
class Job:
    """A command, and what it says.

    Attributes:
        number: by which pages ask for it.
        words: behind `tinyml`.
        lines: its last lines for people.
        progress: how far it has come; None where it has not said so.
        result: what it prints with --json; None until it has ended, or where it printed nothing.
    """

    number: int
    words: tuple[str, ...]
    state: JobState = "running"
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_MOST_LINES))
    progress: Progress | None = None
    result: Any = None
    started_s: float = field(default_factory=time.time)
    process: processes.Process | None = None
    is_stopping: bool = False

    @property
    def command(self) -> str:
        """As it is typed."""
        return command_line("tinyml", *self.words)


class Jobs:
    """Starts commands in the studio's folder; their lines and their ends go to the feed as events `job`."""

    def __init__(self, folder: Path, feed: Feed) -> None:
        self._folder = folder
        self._feed = feed
        self._jobs: dict[int, Job] = {}
        self._lock = threading.Lock()

    def start(self, *words: str) -> Job:
        """Runs `tinyml WORDS --json` in the background.

        Raises:
            TinymlError: too many run already.
        """
        with self._lock:
            running = [job for job in self._jobs.values() if job.state == "running"]
            if len(running) >= _MOST_RUNNING:
                raise TinymlError(
                    f"{_MOST_RUNNING} commands are running already", running[0].command, "Wait, or stop one."
                )
            job = Job(max(self._jobs, default=0) + 1, words)
            self._jobs[job.number] = job
            for old in sorted(self._jobs)[:-_MOST_KEPT]:
                del self._jobs[old]
        threading.Thread(target=self._run, args=(job,), daemon=True).start()
        return job

    def all(self) -> list[Job]:
        """Every command since the studio began, the newest first."""
        return [self._jobs[number] for number in sorted(self._jobs, reverse=True)]

    def find(self, number: int) -> Job:
        """One of them.

        Raises:
            NotThereError: there is none of that number.
        """
        if (job := self._jobs.get(number)) is None:
            raise NotThereError(f"There is no command number {number}", "job", "Reload the page.")
        return job

    def stop(self, number: int) -> Job:
        """Asks a command to end, as Ctrl-C does: what it kept, it says in its lines."""
        job = self.find(number)
        job.is_stopping = True
        if job.process is not None:
            job.process.terminate()
        return job

    def stop_all(self) -> list[Job]:
        """The studio ends: asks all commands to end, and gives them a moment to say what they kept."""
        running = [job for job in self.all() if job.state == "running"]
        for job in running:
            self.stop(job.number)
        latest = time.monotonic() + _PATIENCE_S
        while any(job.state == "running" for job in running) and time.monotonic() < latest:
            time.sleep(_POLL_S)
        return running

    def _run(self, job: Job) -> None:
        self._tell(job)
        code = None
        try:
            command = [sys.executable, "-m", "tinyml_cli", *job.words, "--json"]
            with processes.Process(
                command,
                stdout=processes.PIPE,
                stderr=processes.PIPE,
                cwd=self._folder,
                env={**os.environ, PROGRESS_S: str(_PROGRESS_S)},
            ) as process:
                job.process = process
                if job.is_stopping:
                    process.terminate()
                reader = threading.Thread(target=self._read, args=(job, process), daemon=True)
                reader.start()
                assert process.stderr
                for line in io.TextIOWrapper(process.stderr, encoding="utf-8", errors="replace"):
                    self._take(job, line.rstrip())
                reader.join()
                code = process.wait()
        except OSError as error:
            job.lines.append(f"error: {error.strerror or error}")
        finally:
            job.process = None
            job.state = "stopped" if job.is_stopping else "done" if code == EXIT_OK else "failed"
            self._tell(job)

    def _take(self, job: Job, text: str) -> None:
        """A line for people, or how far the command has come."""
        if found := _PROGRESS.fullmatch(text):
            what, done, total, note = found.groups(default="")
            job.progress = Progress(what, int(done), int(total or 0), note)
            self._feed.publish("job", number=job.number, progress=job.progress._asdict())
        elif text:
            job.lines.append(text)
            self._feed.publish("job", number=job.number, line=text)

    def _read(self, job: Job, process: processes.Process) -> None:
        """Objects that the command prints; the last is its outcome."""
        for line in process.lines():
            with contextlib.suppress(ValueError):
                job.result = json.loads(line)
                self._feed.publish("job", number=job.number, document=job.result)

    def _tell(self, job: Job) -> None:
        self._feed.publish("job", number=job.number, state=job.state, command=job.command)
