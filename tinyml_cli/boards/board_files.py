"""The locations of board descriptions: the package, and folders of the user's."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_config_path

PACKAGED = Path(__file__).parent


def user_folders() -> list[Path]:
    """Where users keep boards of their own: $TINYML_BOARDS (several, as in PATH), then their settings."""
    given = [Path(folder) for folder in os.environ.get("TINYML_BOARDS", "").split(os.pathsep) if folder]
    return [*given, user_config_path("tinyml", appauthor=False, roaming=True) / "boards"]


def board_files() -> dict[str, Path]:
    """Name -> file. A board of the package cannot be replaced, only added to."""
    found: dict[str, Path] = {}
    for folder in (PACKAGED, *user_folders()):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return found
