"""Lets the package believe that it runs on another system: TINYML_SIMULATE=win32 or darwin, on Linux.

The modules of package and tests see a `sys`, `os`, `signal` and so on as they are there: what that system
lacks, by typeshed, is missing. On Windows, files that tests write obey its rules: refused names, those that
differ in case only, paths of 260 characters, files that are removed or replaced while they are open; children
write in code page 1252. What calls the other system's own functions cannot run here; it stays as on Linux.
"""

from __future__ import annotations

import atexit
import builtins
import errno
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

VARIABLE: Final = "TINYML_SIMULATE"
# They call the system itself: process groups or jobs, consoles, pseudo terminals.
_NATIVE = tuple(
    f"tinyml_cli.{each}" for each in ("processes", "emulator", "collect.record_keys", "bench.serve")
)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_REFUSED = re.compile(r'[<>:"|?*\x00-\x1f]')
_LONGEST = 259
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class _Module(ModuleType):
    """A module of the standard library without what another system lacks; changes reach the real one."""

    def __init__(self, real: ModuleType, lacks: frozenset[str], values: Mapping[str, object]) -> None:
        super().__init__(real.__name__)
        missing = {name: getattr(real, name, None) for name in lacks}
        self.__dict__.update(_real=real, _lacks=missing, _first=values, _values=dict(values), _replaced={})

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        if name in own["_values"]:
            return own["_values"][name]
        # What a test has put there itself is there.
        if name in own["_lacks"] and getattr(own["_real"], name, None) is own["_lacks"][name]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} on this system")
        return getattr(own["_real"], name)

    def __setattr__(self, name: str, value: object) -> None:
        own = self.__dict__
        if name in own["_values"]:
            own["_values"][name] = value
            return
        if hasattr(own["_real"], name):
            own["_replaced"].setdefault(name, getattr(own["_real"], name))
        setattr(own["_real"], name, value)

    def __delattr__(self, name: str) -> None:
        """Also what pytest calls to take back a change: the name is not in this module's own dictionary."""
        own = self.__dict__
        if name in own["_first"]:
            own["_values"][name] = own["_first"][name]
        elif name in own["_replaced"]:
            setattr(own["_real"], name, own["_replaced"][name])
        else:
            delattr(own["_real"], name)


class _Kernel:
    """As much of kernel32 as tells whether a process lives."""

    def OpenProcess(  # noqa: N802
        self, access: int, inherits: bool, process: int
    ) -> int:
        return process if Path(f"/proc/{process}").exists() else 0

    def WaitForSingleObject(self, handle: int, wait_ms: int) -> int:  # noqa: N802
        return 0x102

    def CloseHandle(self, handle: int) -> None:  # noqa: N802
        pass


def simulate(system: str) -> None:
    """From now on; before the package is imported.

    Raises:
        ValueError: no such system.
    """
    from tests.typeshed import lacking

    if system not in ("win32", "darwin"):
        raise ValueError(f"{VARIABLE}={system}: give win32 or darwin")
    values: dict[str, dict[str, object]] = {"sys": {"platform": system}}
    if system == "win32":
        values["os"] = {"name": "nt"}
        values["ctypes"] = {"windll": ModuleType("windll")}
        values["ctypes"]["windll"].kernel32 = _Kernel()  # type: ignore[attr-defined]
        sys.addaudithook(_Files().check)
        os.environ["PYTHONIOENCODING"] = "cp1252"
    if system == "darwin":
        _give_xcode()
    proxies: dict[str, _Module | None] = {}

    def seen(name: str) -> _Module | None:
        """A module as it is there; None where it is the same. One that is missing is not imported."""
        if name not in proxies:
            names = lacking(name) if "." not in name else {}
            lacks = frozenset(each for each, systems in names.items() if system in systems)
            if names and len(lacks) == len(names):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            is_other = lacks or name in values
            real = sys.modules.get(name) or _import(name)
            proxies[name] = _Module(real, lacks, values.get(name, {})) if is_other else None
        return proxies[name]

    _import: Callable[..., Any] = builtins.__import__

    def imported(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> Any:
        asking = str((globals or {}).get("__name__", ""))
        is_ours = level == 0 and asking.startswith(("tinyml_cli", "tests")) and not asking.startswith(_NATIVE)
        if is_ours and name in sys.stdlib_module_names and (module := seen(name)) is not None:
            return module
        return _import(name, globals, locals, fromlist, level)

    for name in [name for name in sys.modules if name.split(".")[0] == "tinyml_cli"]:
        del sys.modules[name]
    builtins.__import__ = imported


def _give_xcode() -> None:
    """The compilers in /usr/bin are this computer's own, not files that offer to install them."""
    folder = Path(tempfile.mkdtemp(prefix="xcode-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tool = folder / "xcode-select"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


class _Files:
    """Windows' rules for the files below the temporary folder of the tests."""

    def __init__(self) -> None:
        self._busy = False

    def check(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook.

        Raises:
            OSError: what Windows would say.
            AssertionError: two names there would be one.
        """
        if self._busy or event not in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"):
            return
        self._busy = True
        try:
            self._check(event, arguments)
        finally:
            self._busy = False

    def _check(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            if arguments[2] & _WRITES:
                self._made(arguments[0])
        elif event == "os.mkdir":
            self._made(arguments[0])
        elif event == "os.rename":
            self._free(arguments[0], folders=True)
            self._free(arguments[1])
            self._made(arguments[1])
        else:
            self._free(arguments[0])

    def _made(self, given: object) -> None:
        path = _temporary(given)
        if path is None:
            return
        name = path.name
        if _REFUSED.search(name) or name[-1:] in (" ", ".") or _RESERVED.fullmatch(name):
            raise OSError(errno.EINVAL, "Windows refuses this name", str(path))
        if len(str(path)) > _LONGEST:
            raise FileNotFoundError(errno.ENOENT, "Windows refuses a path of this length", str(path))
        if not os.path.lexists(path) and path.parent.is_dir():
            alike = [each.name for each in path.parent.iterdir() if each.name.casefold() == name.casefold()]
            assert not alike, f"{path} would be {alike[0]} on Windows and macOS"

    def _free(self, given: object, folders: bool = False) -> None:
        path = _temporary(given)
        if path is None:
            return
        for handle in Path("/proc/self/fd").iterdir():
            try:
                opened = str(handle.readlink())
            except OSError:
                continue
            if opened == str(path) or (folders and opened.startswith(f"{path}/")):
                raise PermissionError(errno.EACCES, "Windows keeps a file that is open", str(path))


def _temporary(given: object) -> Path | None:
    """The path, if it is a file of a test."""
    if not isinstance(given, str | bytes | os.PathLike):
        return None  # a descriptor
    path = Path.cwd() / os.fsdecode(given)
    return path if any(part.startswith("pytest-") for part in path.parts) else None
