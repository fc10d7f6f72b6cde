"""A child process and all that it starts: a process group with a guard on POSIX, a job on Windows."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

_GUARD = Path(__file__).with_name("guard.py")
# Whose children a process is; Linux lets the guard read it of those too that have left their group.
_MARK = "TINYML_CHILD_OF"

SIGTERM = signal.SIGTERM
SIGKILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows knows one way to end a process


class Family(Protocol):
    """A child and its children."""

    options: dict[str, Any]

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment to start the child with."""

    def adopt(self, child: subprocess.Popen[bytes]) -> None:
        """Takes in the child that was just started."""

    def signal(self, number: int) -> None:
        """Signals all of them."""

    def end(self) -> None:
        """Ends all of them; may be called again."""


def new() -> Family:
    """The family of a child that is about to start."""
    if sys.platform == "win32":
        from tinyml_cli.processes.job import WindowsJob

        return WindowsJob()
    return _ProcessGroup(_guard())


class _ProcessGroup:
    """A process group that the child leads."""

    def __init__(self, guard: _Guard) -> None:
        self.options: dict[str, Any] = {"process_group": 0}
        self._guard = guard
        self._id = 0

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        return {**given, _MARK: f"{os.environ.get(_MARK, '')} {self._guard.mark}".strip()}

    def adopt(self, child: subprocess.Popen[bytes]) -> None:
        self._id = child.pid
        self._guard.watch(child.pid)

    def signal(self, number: int) -> None:
        assert sys.platform != "win32"
        # Ended meanwhile; macOS also refuses a group that holds nothing but ended processes.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._id, number)

    def end(self) -> None:
        if self._id:
            self.signal(SIGKILL)
            self._guard.forget(self._id)
            self._id = 0


class _Guard:
    """The process that ends our children when we end: it reads a pipe that nobody but us writes to."""

    def __init__(self) -> None:
        assert sys.platform != "win32"
        self.mark = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._groups: set[int] = set()
        self._pipe = self._start()
        os.register_at_fork(after_in_child=self._leave)

    def watch(self, group: int) -> None:
        """From now on the group ends with us."""
        with self._lock:
            self._groups.add(group)
            self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """The group has ended."""
        with self._lock:
            self._groups.discard(group)
            self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        try:
            os.write(self._pipe, line.encode())
        except OSError:  # somebody ended the guard: another one takes over
            os.close(self._pipe)
            self._pipe = self._start()
            os.write(self._pipe, "".join(f"+{group}\n" for group in self._groups).encode())

    def _start(self) -> int:
        reader, writer = os.pipe()
        try:
            # In a session of its own: what ends our terminal or our group must not end it before us.
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_GUARD), self.mark],
                stdin=reader,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(reader)
        return writer

    def _leave(self) -> None:
        global _the_guard
        os.close(self._pipe)
        if _the_guard is self:
            _the_guard = None


_the_guard: _Guard | None = None
_starting = threading.Lock()


def _guard() -> _Guard:
    global _the_guard
    with _starting:
        if _the_guard is None:
            _the_guard = _Guard()
        return _the_guard
