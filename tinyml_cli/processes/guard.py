"""Ends a process's children after that process has ended; run as a script, so standard library only.

    guard.py MARK

Standard input names process groups to watch (`+123`) and to forget (`-123`), one per line. Its end means that
the writing process has ended. All watched groups are then killed and, on Linux, every process whose
environment contains MARK: such a process has left its group, or was started too late to be named.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

assert sys.platform != "win32"  # where a job does this

_ROUNDS = 100
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.02, 0.32


def watched_at_the_end() -> set[int]:
    """Reads standard input until it ends; the groups that are left."""
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        group = int(line[1:])
        (groups.add if line.startswith(b"+") else groups.discard)(group)
    return groups


def marked(mark: bytes) -> list[int]:
    """Processes with the mark in their environment; none on systems without /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # ended meanwhile, or somebody else's
            if mark in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def kill_all(groups: set[int], mark: bytes) -> None:
    """Kills what is there and what that may have started meanwhile.

    It looks again, at growing intervals: while a process becomes another, its environment reads empty.
    """
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    pause_s = _FIRST_PAUSE_S
    for _ in range(_ROUNDS):
        processes = marked(mark)
        for process in processes:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        if not processes and pause_s > _LAST_PAUSE_S:
            return
        pause_s = _FIRST_PAUSE_S if processes else 2 * pause_s
        time.sleep(pause_s)


def main(mark: str) -> None:
    """Waits for the end of the other process."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    kill_all(watched_at_the_end(), mark.encode())


if __name__ == "__main__":
    main(sys.argv[1])
