"""A Windows job object: its processes end when the last handle to it closes, so when this process ends."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Mapping
from ctypes import wintypes
from typing import Any

_EXTENDED_LIMITS = 9  # JobObjectExtendedLimitInformation, winnt.h
_KILL_ON_JOB_CLOSE = 0x2000  # JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE


class _BasicLimits(ctypes.Structure):  # JOBOBJECT_BASIC_LIMIT_INFORMATION
    _fields_ = (
        ("PerProcessUserTimeLimit", wintypes.LARGE_INTEGER),
        ("PerJobUserTimeLimit", wintypes.LARGE_INTEGER),
        ("LimitFlags", wintypes.DWORD),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", wintypes.DWORD),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", wintypes.DWORD),
        ("SchedulingClass", wintypes.DWORD),
    )


class _Limits(ctypes.Structure):  # JOBOBJECT_EXTENDED_LIMIT_INFORMATION
    _fields_ = (
        ("BasicLimitInformation", _BasicLimits),
        ("IoInfo", ctypes.c_ulonglong * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class WindowsJob:
    """A child and its children on Windows."""

    def __init__(self) -> None:
        # Ctrl-C in the console reaches us alone; we end the children.
        self.options: dict[str, Any] = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        self._system: Any = getattr(ctypes, "WinDLL")("kernel32", use_last_error=True)  # noqa: B009
        self._system.CreateJobObjectW.restype = wintypes.HANDLE
        self._handle = wintypes.HANDLE(self._system.CreateJobObjectW(None, None))
        limits = _Limits()
        limits.BasicLimitInformation.LimitFlags = _KILL_ON_JOB_CLOSE
        self._system.SetInformationJobObject(
            self._handle, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
        )

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        return dict(given)

    def adopt(self, child: subprocess.Popen[bytes]) -> None:
        self._system.AssignProcessToJobObject(self._handle, wintypes.HANDLE(int(child._handle)))  # type: ignore[attr-defined]

    def signal(self, number: int) -> None:
        self._system.TerminateJobObject(self._handle, 1)

    def end(self) -> None:
        if self._handle:
            self.signal(0)
            self._system.CloseHandle(self._handle)
            self._handle = wintypes.HANDLE()
