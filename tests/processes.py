"""What runs on this computer: from /proc, or from `ps` where there is none."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One running process and its command line."""

    pid: int
    parent: int
    command: str


def running() -> list[Process]:
    """Every process that can be seen."""
    if Path("/proc/self/stat").exists():
        return [process for folder in Path("/proc").glob("[0-9]*") if (process := _from_proc(folder))]
    command = ["ps", "-eo", "pid=,ppid=,args="]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = (line.split(maxsplit=2) for line in listing.splitlines())
    return [Process(int(pid), int(parent), *rest or [""]) for pid, parent, *rest in rows]


def _from_proc(folder: Path) -> Process | None:
    try:
        # The name in parentheses may hold anything; the parent is the second word after it.
        parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Process(int(folder.name), int(parent), command)
