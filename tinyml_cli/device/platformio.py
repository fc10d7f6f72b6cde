"""PlatformIO as a subprocess: its environment, its progress, and its failures in words that help."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

from tinyml_cli.console import console
from tinyml_cli.device.boards import Board
from tinyml_cli.device.sizes import Memory, largest_symbols
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import cache_dir, firmware_dir

_STEP = re.compile(r"^(?:Compiling|Archiving|Indexing|Linking|Retrieved) `?(?P<target>[^'`]+)")
_OVERFLOW = re.compile(r"region [`'](?P<region>\w+)' overflowed by (?P<bytes>\d+) bytes")
_COMPILE_ERROR = re.compile(r"(?:fatal )?error: |undefined reference to|cannot find -l|: error\b")
_MISSING_LIBC = re.compile(r"nano\.specs|cannot find -l(?:c|m|gcc|nosys)(?:_nano)?\b|stdint\.h: No such file")
_MISSING_LIBSTDCXX = re.compile(
    r"cannot find -l(?:std|sup)c\+\+|fatal error: (?:cstd\w+|new|type_traits|algorithm)"
)


def run(project: Path, board: Board, log: Path, expected_steps: int) -> None:
    """Builds the PlatformIO project; every line it prints goes to `log`.

    Args:
        expected_steps: number of source files, for the progress bar.

    Raises:
        TinymlError: PlatformIO or SCons is not installed, the program does not fit, or does not compile.
    """
    _require_installed()
    command = [
        sys.executable,
        "-m",
        "platformio",
        "run",
        "--project-dir",
        str(project),
        "--environment",
        board.name,
    ]
    lines: list[str] = []
    with log.open("w", encoding="utf-8") as sink:
        process = subprocess.Popen(
            command,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        assert process.stdout is not None
        try:
            with console.progress(expected_steps, f"building for {board.name}") as progress:
                for line in process.stdout:
                    sink.write(line)
                    lines.append(line.rstrip())
                    if step := _STEP.match(line):
                        progress.advance(1, Path(step["target"].strip()).name)
        except BaseException:
            process.terminate()
            raise
        finally:
            code = process.wait()
    if code != 0:
        raise explain_failure(lines, board, log, project / ".pio" / "build" / board.name)


def _require_installed() -> None:
    for module, package in (("platformio", "platformio"), ("SCons", "scons")):
        if importlib.util.find_spec(module) is None:
            raise TinymlError(
                f"The Python package `{package}` is missing, which builds the firmware",
                sys.executable,
                f"Install it: {sys.executable} -m pip install {package}",
            )


def environment() -> dict[str, str]:
    """The caller's environment, without settings of another PlatformIO project.

    The core folder is ours, one per installation: PlatformIO remembers there where the platform lies.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLATFORMIO_")}
    installation = hashlib.sha256(str(firmware_dir()).encode()).hexdigest()[:8]
    home = cache_dir() / "platformio"
    return kept | {
        "PLATFORMIO_CORE_DIR": str(home / f"core-{installation}"),
        "PLATFORMIO_BUILD_CACHE_DIR": str(home / "objects"),
        "PLATFORMIO_NO_ANSI": "true",
        "PLATFORMIO_DISABLE_PROGRESSBAR": "true",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",
        "LC_ALL": "C",  # messages in English, which are read below
    }


def explain_failure(lines: list[str], board: Board, log: Path, objects: Path) -> TinymlError:
    """The error that tells a user why a build failed.

    Args:
        lines: what PlatformIO, the compiler and the linker printed.
        objects: folder of the compiled objects, searched for the largest symbols when memory overflows.
    """
    text = "\n".join(lines)
    overflows = {match["region"]: int(match["bytes"]) for match in _OVERFLOW.finditer(text)}
    if overflows:
        return _overflow_error(overflows, board, log, objects)
    if _MISSING_LIBSTDCXX.search(text):
        return TinymlError(
            "The C++ library for the board is missing, which TensorFlow Lite Micro needs",
            str(log),
            "Debian/Ubuntu: `sudo apt-get install libstdc++-arm-none-eabi-newlib`; or use --engine aot.",
        )
    if _MISSING_LIBC.search(text) and board.needs:
        return TinymlError(
            "The compiler has no C library for the board",
            str(log),
            f"Install it: {board.needs[0].install_hints}.",
        )
    wrong = [line.strip() for line in lines if _COMPILE_ERROR.search(line)][:3] or [
        line.strip() for line in lines if line.strip()
    ][-3:]
    return TinymlError(
        "The firmware does not compile: " + " | ".join(wrong or ["PlatformIO printed nothing"]),
        str(log),
        "Read the log; if it names a file of yours, mend that, otherwise report it with the log.",
    )


def _overflow_error(overflows: dict[str, int], board: Board, log: Path, objects: Path) -> TinymlError:
    memories: dict[str, tuple[Memory, int | None]] = {
        "FLASH": ("flash", board.flash_bytes),
        "RAM": ("ram", board.ram_bytes),
    }
    parts, largest = [], []
    for region, excess in sorted(overflows.items()):
        memory, limit = memories.get(region, ("flash", None))
        name = "RAM" if memory == "ram" else memory
        parts.append(f"{excess:,} bytes of {name} too many" + (f" (there are {limit:,})" if limit else ""))
        for symbol in largest_symbols(objects.rglob("*.o"), memory):
            largest.append(f"{symbol.name} {symbol.bytes:,} B of {name}")
    detail = f" Largest: {', '.join(largest)}." if largest else ""
    return TinymlError(
        f"The program does not fit the board `{board.name}`: {' and '.join(parts)}.{detail}",
        str(log),
        "Choose a smaller model (another --config), or --engine aot, which needs less of both.",
    )
