"""The locations of board descriptions: the package, and folders of the user's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGED = Path(__file__).parent


def user_folders() -> list[Path]:
    """Where users keep boards of their own: $TINYML_BOARDS (several, as in PATH), then their settings."""
    given = [Path(folder) for folder in os.environ.get("TINYML_BOARDS", "").split(os.pathsep) if folder]
    return [*given, _config_dir() / "boards"]


def board_files() -> dict[str, Path]:
    """Name -> file. A board of the package cannot be replaced, only added to."""
    found: dict[str, Path] = {}
    for folder in (PACKAGED, *user_folders()):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return found


def _config_dir() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming")) / "tinyml"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "tinyml"
    return Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config")) / "tinyml"
