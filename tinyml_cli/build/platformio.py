"""PlatformIO as a subprocess: its environment, its progress, and its failures in helpful words."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tinyml_cli import processes, system_errors
from tinyml_cli.boards import network
from tinyml_cli.boards.boards import Board
from tinyml_cli.build.build_folder import builds_dir, check_plain
from tinyml_cli.build.sizes import Memory, largest_symbols
from tinyml_cli.console import console
from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import cache_dir, firmware_dir
from tinyml_cli.installed import spec_of
from tinyml_cli.wording import counted

_MOVE_ADVICE = "Install tinyml-cli in an environment whose path has only letters, digits, spaces and . _ - +"
_STEP = re.compile(r"^(?:Compiling|Archiving|Indexing|Linking|Retrieved) `?(?P<target>[^'`]+)")
_OVERFLOW = re.compile(r"region [`'](?P<region>\w+)' overflowed by (?P<bytes>\d+) bytes")
_TOO_LARGE = re.compile(
    r"The (?P<memory>program|data) size \((?P<bytes>\d+) bytes\) is greater than maximum allowed "
    r"\((?P<limit>\d+)"
)
_HEAP_OVERFLOW = re.compile(r"heap region overflowed into stack")
_NO_DOWNLOAD = re.compile(
    r"HTTPClientError|InternetConnectionError|Could not connect|Max retries exceeded|Failed to resolve"
)
# As a registry names it, or a clone: owner/name@version, name=https://...git#commit.
_LIBRARY = re.compile(r"^  (?:\S+/(?P<name>\S+)@\S+|(?P<cloned>[^\s=]+)=\S+\.git#\w+)$", re.MULTILINE)
_COMPILE_ERROR = re.compile(r"(?:fatal )?error: |undefined reference to|cannot find -l|: error\b")
_MISSING_LIBC = re.compile(r"nano\.specs|cannot find -l(?:c|m|gcc|nosys)(?:_nano)?\b|stdint\.h: No such file")
_MISSING_LIBSTDCXX = re.compile(
    r"cannot find -l(?:std|sup)c\+\+|fatal error: (?:cstd\w+|new|type_traits|algorithm)"
)


def run(project: Path, board: Board, log: Path, expected_steps: int) -> None:
    """Builds the PlatformIO project; every line it prints goes to `log`.

    Args:
        project: in a `build_folder`.
        expected_steps: number of source files, for the progress bar; 0 where the core's are not known.

    Raises:
        TinymlError: the program does not fit, or does not compile.
    """
    command = [
        sys.executable,
        "-m",
        "platformio",
        "run",
        "--project-dir",
        str(project),
        "--environment",
        board.pio_board,
    ]
    lines: list[str] = []
    own = environment() | _temporary_folder(project) | {"PLATFORMIO_LIBDEPS_DIR": str(libraries_dir(project))}
    with log.open("w", encoding="utf-8", newline="\n") as sink:
        process = processes.Process(
            command, env=own, cwd=project, stdout=processes.PIPE, stderr=processes.STDOUT
        )
        with process, console.progress(expected_steps, f"building for {board.name}") as progress:
            for line in process.lines():
                sink.write(line)
                lines.append(line.rstrip())
                if step := _STEP.match(line):
                    progress.advance(1, Path(step["target"].strip()).name)
    if process.returncode != 0:
        raise explain_failure(lines, board, log, project / ".pio" / "build" / board.pio_board)


def _temporary_folder(project: Path) -> dict[str, str]:
    """Variables that keep the compilers' files in the project: a killed build's go with the next."""
    folder = project / "tmp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))


def libraries_dir(project: Path) -> Path:
    """Where PlatformIO keeps a project's libraries: one folder for all projects that need the same ones.

    They are downloaded once, and compiled once: where a library lies is part of its objects' names in the
    cache. Below it there is a folder for each environment.
    """
    config = (project / "platformio.ini").read_text(encoding="utf-8")
    names = "".join(library[0] for library in _LIBRARY.finditer(config))
    return builds_dir().with_name("libraries") / hashlib.sha256(names.encode()).hexdigest()[:12]


def require_packages(
    project: Path, board: Board, require: Callable[[str], None] = network.require_network
) -> None:
    """Checks that what PlatformIO would download for a board is here already, or can be downloaded.

    Args:
        require: raises TinymlError when there is no network.

    Raises:
        TinymlError: something is missing and there is no network; PlatformIO itself would be silent for a
            minute and then say nothing.
    """
    missing = _missing_packages(project, board)
    if missing:
        _require_git(project, board, missing)
        require(f"what PlatformIO needs for the board `{board.name}`: {', '.join(missing)}")
        console.info(f"PlatformIO downloads once for the board `{board.name}`: {', '.join(missing)} …")


def _require_git(project: Path, board: Board, missing: Sequence[str]) -> None:
    config = (project / "platformio.ini").read_text(encoding="utf-8")
    clones = {library["cloned"] for library in _LIBRARY.finditer(config)} & set(missing)
    if clones and shutil.which("git") is None:
        raise TinymlError(
            f"Git is missing, by which PlatformIO fetches the library {min(clones)}",
            board.name,
            "Install it: https://git-scm.com/downloads (Debian/Ubuntu: `sudo apt-get install git`).",
        )


def _missing_packages(project: Path, board: Board) -> list[str]:
    if board.arduino is None:
        return []
    core = Path(environment()["PLATFORMIO_CORE_DIR"])
    platform, _, version = board.pio_platform.partition("@")
    needed = {
        f"{board.pio_platform} (platform)": _has_version(core / "platforms" / platform, version),
        "framework-arduino-mbed": (core / "packages" / "framework-arduino-mbed").is_dir(),
        "toolchain-gccarmnoneeabi": any(core.glob("packages/toolchain-gccarmnoneeabi*")),
    }
    config = (project / "platformio.ini").read_text(encoding="utf-8")
    for library in _LIBRARY.finditer(config):
        folder = libraries_dir(project) / board.pio_board / (library["name"] or library["cloned"])
        needed[library["cloned"] or library[0].strip()] = folder.is_dir()
    return [name for name, here in needed.items() if not here]


def _has_version(platform: Path, version: str) -> bool:
    try:
        document = load_json(platform / "platform.json")
    except UnreadableError:
        return False
    return isinstance(document, dict) and document.get("version") == version


def require_installed() -> None:
    """Checks that PlatformIO and SCons are installed, where SCons finds them.

    Raises:
        TinymlError: one is missing, or has a path that SCons would misread.
    """
    builds_dir()
    check_plain(firmware_dir(), "installation of tinyml-cli", _MOVE_ADVICE)
    for module, package in (("platformio", "platformio"), ("SCons", "scons")):
        spec = spec_of(module)
        if spec is not None:
            check_plain(Path(spec.origin or "").resolve(), "Python environment", _MOVE_ADVICE)
        else:
            raise TinymlError(
                f"The Python package `{package}`, which builds the firmware, is missing",
                sys.executable,
                f"Install it: {sys.executable} -m pip install {package}",
            )


def environment() -> dict[str, str]:
    """The caller's environment, without settings of another PlatformIO project.

    The core folder is ours, one per installation: PlatformIO remembers there where the platform lies.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLATFORMIO_")}
    installation = hashlib.sha256(str(firmware_dir()).encode()).hexdigest()[:8]
    home = cache_dir().resolve() / "platformio"
    return kept | {
        "PLATFORMIO_CORE_DIR": str(home / f"core-{installation}"),
        "PLATFORMIO_BUILD_CACHE_DIR": str(home / "objects"),
        "PLATFORMIO_NO_ANSI": "true",
        "PLATFORMIO_DISABLE_PROGRESSBAR": "true",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUNBUFFERED": "1",
        "ZIG_GLOBAL_CACHE_DIR": str(home / "zig"),
        "LC_ALL": "C",  # messages in English, which are read below
    }


def explain_failure(lines: list[str], board: Board, log: Path, objects: Path) -> TinymlError:
    """The error that tells a user why a build failed.

    Args:
        lines: what PlatformIO, the compiler and the linker printed.
        objects: folder of the compiled objects, searched for the largest symbols when memory overflows.
    """
    text = "\n".join(lines)
    overflows: dict[str, int | None] = {m["region"]: int(m["bytes"]) for m in _OVERFLOW.finditer(text)}
    for match in _TOO_LARGE.finditer(text):
        region = "FLASH" if match["memory"] == "program" else "RAM"
        overflows[region] = int(match["bytes"]) - int(match["limit"])
    if _HEAP_OVERFLOW.search(text):
        overflows.setdefault("RAM", None)
    if overflows:
        return _overflow_error(overflows, board, log, objects)
    if refused := system_errors.found_in(text, str(log)):
        return refused
    if _NO_DOWNLOAD.search(text):
        return TinymlError(
            f"PlatformIO could not download the packages for the board `{board.name}`",
            str(log),
            "Check the network (behind a proxy, set HTTPS_PROXY) and run the same command again.",
        )
    if _MISSING_LIBSTDCXX.search(text):
        return TinymlError(
            "The board's C++ library, which TensorFlow Lite Micro needs, is missing",
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
        "Read the log; if it names one of your files, fix that file; otherwise report this with the log.",
    )


def _overflow_error(overflows: dict[str, int | None], board: Board, log: Path, objects: Path) -> TinymlError:
    memories: dict[str, tuple[Memory, int | None]] = {
        "FLASH": ("flash", board.flash_bytes),
        "RAM": ("ram", board.ram_bytes),
    }
    parts, largest = [], []
    for region, excess in sorted(overflows.items()):
        memory, limit = memories.get(region, ("flash", None))
        name = "RAM" if memory == "ram" else memory
        amount = "bytes" if excess is None else counted(excess, "byte")
        parts.append(f"{amount} of {name} too many" + (f" (the board has {limit:,})" if limit else ""))
        for symbol in largest_symbols(objects.rglob("*.o"), memory):
            largest.append(f"{symbol.name} {symbol.bytes:,} B of {name}")
    detail = f" Largest: {', '.join(largest)}." if largest else ""
    return TinymlError(
        f"The program does not fit the board `{board.name}`: {' and '.join(parts)}.{detail}",
        str(log),
        "Choose a smaller model (another --config), or --engine aot, which needs less flash and RAM.",
    )
