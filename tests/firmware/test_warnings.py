"""No source of the firmware gives a warning, in any application, by the compilers of three machines.

Translated at -O1, since GCC finds unused functions and uninitialised values only then. The drivers of a real
board need the core's own headers (test_arduino_core.py).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.firmware.applications import APPLICATIONS, project_of
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build.project import SOURCE_SUFFIXES, applications
from tinyml_cli.console import console
from tinyml_cli.files import firmware_dir

MODEL_SLOTS: Final = "-DTINYML_MODEL_SLOTS=1"
WARNINGS: Final = ("-S", "-O1", "-Wall", "-Wextra", "-Werror")
_CXX: Final = ("-fno-exceptions", "-fno-rtti")
_CORTEX_M4: Final = (
    "-mcpu=cortex-m4",
    "-mthumb",
    "-mfloat-abi=softfp",
    "-mfpu=fpv4-sp-d16",
    "-funsigned-char",
)
# Board -> compilers of C and C++, and the flags of that machine.
MACHINES: Final = {
    "native": (("gcc", "g++"), ()),
    "sim": (("arm-none-eabi-gcc", "arm-none-eabi-g++"), _CORTEX_M4),
    "browser": (("clang", "clang++"), ("--target=wasm32-wasi",)),
}


def said(board: str, project: Path, sources: Sequence[Path]) -> str:
    """What the board's compilers say of sources; "" where they find nothing."""
    slots = [flag for flag in (project / "platformio.ini").read_text().split() if flag == MODEL_SLOTS]
    compilers, machine = MACHINES[board]
    for compiler in compilers:
        if shutil.which(compiler) is None:
            pytest.skip(f"no {compiler} here")
    libraries = [path for path in (firmware_dir() / "lib").iterdir() if path.is_dir()]
    folders = [project / "include", project / "lib" / "model", firmware_dir() / "src", *libraries]
    answers = []
    for compiler, suffixes, language in (
        (compilers[0], (".c",), ("-std=gnu11",)),
        (compilers[1], (".cc", ".cpp"), ("-std=gnu++14", *_CXX)),
    ):
        chosen = [path for path in sources if path.suffix in suffixes]
        command = [compiler, *WARNINGS, *language, *machine, *slots, *(f"-I{each}" for each in folders)]
        if chosen:
            done = subprocess.run(
                [*command, *chosen], cwd=project, capture_output=True, text=True, check=False
            )
            assert not done.returncode or done.stderr
            answers.append(done.stderr)
    return "".join(answers)


def below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in SOURCE_SUFFIXES)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "runs"))
    console.quiet = True
    return tmp_path


def test_every_application_is_here() -> None:
    assert {name.partition("-")[0] for name in APPLICATIONS} == set(applications())


def test_a_warning_is_an_error(home: Path) -> None:
    project = project_of("hello", "native", home)
    unused = home / "unused.cpp"
    unused.write_text("static int nobody_calls_me() {\n  return 1;\n}\n")
    assert "nobody_calls_me" in said("native", project, [firmware_dir() / "src" / "main.cpp", unused])


@pytest.mark.slow
@pytest.mark.parametrize("board", MACHINES)
@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_application_has_no_warning(name: str, board: str, home: Path) -> None:
    if load_board(board).kind == "page" and name.endswith("-slots"):
        pytest.skip("a page has no flash for models")
    project = project_of(name, board, home)
    own = [path for path in below(firmware_dir() / "src") if path.name != "tflm_port.cpp"]
    # The libraries know nothing of the application, but of slots and of the board.
    own += below(firmware_dir() / "lib") if name in ("kws", "kws-slots") else []
    assert said(board, project, own + below(project / "lib")) == ""
