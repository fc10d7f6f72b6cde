"""The counting plugin of QEMU: compiled with the host's C compiler at first use, kept in the user's cache.

`python -m tinyml_cli.profile.plugin` compiles it ahead of time.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from tinyml_cli import processes, system_errors
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_BAD_INPUT, EXIT_OK, TinymlError
from tinyml_cli.files import atomic_path, cache_dir, filling_cache, firmware_dir

QEMU = "qemu-system-arm"
_SOURCES = ("tcg_profile.c", "qemu_plugin_api.h")
_COMPILERS = ("cc", "gcc", "clang")
_FLAGS = ("-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden")
_TIMEOUT_S = 60


def plugin() -> Path:
    """The compiled plugin for the QEMU on PATH; compiles it when the cache has none of these sources.

    Raises:
        TinymlError: no QEMU, no C compiler, a system whose QEMU loads no such plugins, or a compiler that
            fails.
    """
    if sys.platform == "win32":
        raise TinymlError(
            "Counting instructions needs Linux or macOS: QEMU for Windows lacks plugin support",
            QEMU,
            "Use WSL2 with Debian or Ubuntu.",
        )
    version = _announced_version()
    folder = firmware_dir() / "tools" / "tcg_profile"
    digest = hashlib.sha256(f"{version} {sys.platform} {platform.machine()} {_FLAGS}".encode())
    for name in _SOURCES:
        digest.update((folder / name).read_bytes())
    target = cache_dir() / "tcg_profile" / f"{digest.hexdigest()[:16]}.so"
    if not target.is_file():
        with filling_cache(target, "plugin"):
            if not target.is_file():
                with atomic_path(target) as made:
                    _compile(folder / _SOURCES[0], made, version)
    return target


def options(library: Path, spec: Path, out: Path) -> tuple[str, ...]:
    """QEMU's options that load the plugin; a comma inside a value is written twice."""
    values = [str(library), f"spec={spec}", f"out={out}"]
    return "-plugin", ",".join(value.replace(",", ",,") for value in values)


def specification(window: int, marks: Iterable[int], stack: tuple[int, int]) -> str:
    """The plugin's SPEC file: addresses of the inference function, the operators, and the stack's ends."""
    lines = [f"window {window:x}", f"stack {stack[0]:x} {stack[1]:x}", *(f"mark {mark:x}" for mark in marks)]
    return "\n".join(lines) + "\n"


def _announced_version() -> int:
    """The plugin interface version to announce: QEMU 9 and later take 2 and above, older ones 0 and 1."""
    try:
        answer = processes.run([QEMU, "--version"], timeout_s=_TIMEOUT_S).stdout
    except (OSError, processes.TimeoutExpired) as error:
        raise TinymlError(
            f"`{QEMU}`, which counts the instructions, cannot be run ({error})",
            "PATH",
            "Install it: sudo apt-get install qemu-system-arm, or brew install qemu.",
        ) from error
    match = re.search(r"version (\d+)\.", answer)
    return 2 if match and int(match[1]) >= 9 else 1


def _compile(source: Path, target: Path, version: int) -> None:
    undefined = ("-Wl,-undefined,dynamic_lookup",) if sys.platform == "darwin" else ()
    command = [_compiler(), *_FLAGS, *undefined, f"-DTINYML_QEMU_PLUGIN_VERSION={version}"]
    try:
        answer = processes.run([*command, str(source), "-o", str(target)], timeout_s=_TIMEOUT_S)
    except (OSError, processes.TimeoutExpired) as error:
        raise TinymlError(
            f"The C compiler does not run ({error})", command[0], "Set CC to one that does."
        ) from error
    if answer.returncode != 0:
        if refused := system_errors.found_in(answer.stderr, str(target)):
            raise refused
        said = " | ".join(line for line in answer.stderr.splitlines() if "error" in line)[:400]
        raise TinymlError(
            f"The counting plugin does not compile ({said or answer.stderr[-200:]!r})",
            command[0],
            "Set CC to another C compiler.",
        )


def _compiler() -> str:
    wanted = os.environ.get("CC")
    for name in (wanted,) if wanted else _COMPILERS:
        if path := shutil.which(name):
            return path
    raise TinymlError(
        "No C compiler found: counting instructions needs one to build a small QEMU plugin once",
        f"CC={wanted}" if wanted else "PATH",
        "Install one: sudo apt-get install gcc; macOS: xcode-select --install; or set CC to yours.",
    )


def main() -> int:
    """Compiles the plugin; 2 where that cannot be."""
    try:
        console.info(f"tinyml: the counting plugin of QEMU is {plugin()}")
    except TinymlError as error:
        console.error(error)
        return EXIT_BAD_INPUT
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
