"""PlatformIO's packages for the real boards, where its registry cannot be reached: laid out by hand.

TINYML_PLATFORMIO_HOME=<folder> holds `core/platforms` and `core/packages` as PlatformIO keeps them, and the
libraries of the boards' files in `libraries/NAME`, each with a `.piopm`. The compiler may be the system's
instead of PlatformIO's GCC 7.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tinyml_cli.boards.boards import Board
from tinyml_cli.build import build, platformio

VARIABLE = "TINYML_PLATFORMIO_HOME"


def is_installed(monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether PlatformIO's packages are here: its own, or those that VARIABLE names, which are then used."""
    own = Path(platformio.environment()["PLATFORMIO_CORE_DIR"])
    if (own / "packages" / "framework-arduino-mbed").is_dir():
        return True
    if not os.environ.get(VARIABLE):
        return False
    home = Path(os.environ[VARIABLE]).absolute()
    environment, require_packages = platformio.environment, platformio.require_packages

    def with_libraries(project: Path, board: Board) -> None:
        config = (project / "platformio.ini").read_text(encoding="utf-8")
        for library in (home / "libraries").iterdir():
            target = platformio.libraries_dir(project) / board.pio_board / library.name
            if library.name in config and not target.exists():
                shutil.copytree(library, target)
        require_packages(project, board)

    core = {"PLATFORMIO_CORE_DIR": str(home / "core")}
    monkeypatch.setattr(platformio, "environment", lambda: environment() | core)
    monkeypatch.setattr(platformio, "require_packages", with_libraries)
    # One folder for all: what was compiled of the libraries is found again by its path.
    monkeypatch.setattr(build, "_folder_key", lambda *_: "all")
    monkeypatch.setattr(platformio, "libraries_dir", lambda project: project / "libraries")
    return True
