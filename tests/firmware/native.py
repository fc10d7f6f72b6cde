"""Compiles small C++ programs around the firmware's libraries, with sanitizers, for this computer."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.store import kept

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARIES = REPOSITORY / "firmware" / "lib"
HARNESS = Path(__file__).parent / "harness"
STRICT = ["-Wall", "-Wextra", "-Werror", "-std=c++14", "-fno-exceptions", "-fno-rtti"]


def compile_harness(name: str, *libraries: str) -> Path:
    """Builds `harness/<name>.cpp` with the libraries' sources under ASan and UBSan; skips without g++."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no g++ here")
    ingredients = [compiler, HARNESS, Path(__file__), *(LIBRARIES / library for library in libraries)]

    def make(folder: Path) -> None:
        _compile(compiler, folder, name, libraries)

    return kept(f"harness-{name}", ingredients, make) / name


def _compile(compiler: str, folder: Path, name: str, libraries: tuple[str, ...]) -> None:
    program = folder / name
    sources = [source for library in libraries for source in sorted((LIBRARIES / library).glob("*.cpp"))]
    sanitized = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    for library in libraries:
        sources += [
            _compile_c(source, folder, sanitized) for source in sorted((LIBRARIES / library).glob("*.c"))
        ]
    command = [compiler, *STRICT, *sanitized]
    command += [f"-I{LIBRARIES / library}" for library in libraries] + [f"-I{HARNESS / 'arduino'}"]
    subprocess.run([*command, HARNESS / f"{name}.cpp", *sources, "-o", program], check=True)


def _compile_c(source: Path, folder: Path, flags: list[str]) -> Path:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc here")
    target = folder / f"{source.stem}.o"
    strict = ["-Wall", "-Wextra", "-Werror", "-std=c11"]
    subprocess.run([compiler, *strict, *flags, "-c", source, "-o", target], check=True)
    return target


def run(program: Path, *arguments: str | bytes, stdin: bytes = b"") -> bytes:
    """What the program prints; a report of a sanitizer fails the test."""
    process = subprocess.run(
        [program, *arguments],
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"},
    )
    assert process.returncode == 0, process.stderr.decode(errors="replace")
    return process.stdout
