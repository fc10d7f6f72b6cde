"""Starts every child process, so that none outlives this process, however it ends.

A child leads a process group (a job on Windows), which its own children join. The whole group is ended:

* when the `with` block of the child ends, for whatever reason;
* when this process ends, SIGKILL included: on POSIX by a small process that waits for it (`guard.py`), on
  Windows by the system (`job.py`).
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from types import TracebackType
from typing import IO, Any

from tinyml_cli.processes import family

__all__ = ["DEVNULL", "PIPE", "STDOUT", "CompletedProcess", "Process", "TimeoutExpired", "run"]

PIPE, DEVNULL, STDOUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT

_GRACE_S = 0.5


class Process(subprocess.Popen[bytes]):
    """A running child; signals to it reach its children too.

    Use it as a context manager, or call `stop`: its family ends there.

    Raises:
        OSError: the program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdin: int | IO[bytes] = DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._family = family.new()
        environment = self._family.environment(os.environ if env is None else env)
        options: dict[str, Any] = self._family.options
        super().__init__(
            list(command), stdin=stdin, stdout=stdout, stderr=stderr, env=environment, cwd=cwd, **options
        )
        self._family.adopt(self)

    def lines(self) -> Iterator[str]:
        """What the child prints, line by line; a carriage return ends a line too."""
        assert self.stdout
        yield from io.TextIOWrapper(self.stdout, encoding="utf-8", errors="replace")

    def send_signal(self, sig: int) -> None:
        """Sends a signal to the child and its children."""
        if self.returncode is None:
            self._family.signal(sig)

    def terminate(self) -> None:
        """Asks the child and its children to end."""
        self.send_signal(family.SIGTERM)

    def kill(self) -> None:
        """Ends the child and its children."""
        self.send_signal(family.SIGKILL)

    def stop(self) -> None:
        """Ends the child, if it still runs, and whatever it left behind."""
        if self.poll() is None:
            self.terminate()
            with contextlib.suppress(TimeoutExpired):
                self.wait(timeout=_GRACE_S)
        self._family.end()
        self.wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.wait()
        self.stop()
        super().__exit__(kind, error, trace)


def run(
    command: Sequence[str],
    *,
    timeout_s: float | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> CompletedProcess[str]:
    """Runs a program to its end; its output and its errors as text.

    Raises:
        OSError: it cannot be started.
        TimeoutExpired: it did not end in time, and was ended.
    """
    with Process(command, stdout=PIPE, stderr=PIPE, env=env, cwd=cwd) as process:
        output = process.communicate(timeout=timeout_s)
    texts = (part.decode("utf-8", errors="replace").replace(os.linesep, "\n") for part in output)
    return CompletedProcess(list(command), process.returncode, *texts)
