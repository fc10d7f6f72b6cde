"""Limits of a job's processes: memory, time, sizes; and which of them this system enforces."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class JobLimits:
    """What one job may take.

    Attributes:
        memory_mb: address space of each of its processes.
        seconds: from its start on.
        result_mb: of all that it writes, its work included; also the largest single file.
    """

    memory_mb: int = 8192
    seconds: int = 900
    result_mb: int = 1024

    def apply(self) -> None:
        """Limits this process and those that it starts, where the system can."""
        if sys.platform == "win32":
            return
        import resource

        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_FSIZE, self.result_mb << 20)
        if enforces_memory():
            _lower(resource.RLIMIT_AS, self.memory_mb << 20)

    def as_dict(self) -> dict[str, Any]:
        """As a document."""
        return asdict(self)


def enforces_memory() -> bool:
    """Whether the system holds a process to a limit of address space: macOS and Windows do not."""
    return sys.platform.startswith("linux")


def statement() -> str:
    """What is not enforced here, as a sentence; empty where all is."""
    if enforces_memory():
        return ""
    return "This system has no limit of memory for the processes of a job; time and sizes are limited."


def _lower(which: int, most: int) -> None:
    assert sys.platform != "win32"
    import resource

    _, hard = resource.getrlimit(which)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (most, most))
