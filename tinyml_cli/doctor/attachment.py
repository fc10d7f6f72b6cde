"""One file with what a report of a problem has to say; to be read before it is given to others."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from tinyml_cli import __version__
from tinyml_cli.build.project import project_dir
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.doctor.finding import DoctorCheck
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_new
from tinyml_cli.link.ports import serial_ports
from tinyml_cli.run import Run, board_model

_PACKAGES = (
    "platformio", "scons", "pyserial", "numpy", "tflite-micro", "ai-edge-litert", "tensorflow",
)  # fmt: skip

_LOG_LINES = 40


def write(path: Path, findings: Sequence[DoctorCheck], target: BuildTarget, run: Run) -> None:
    """Writes versions, the findings, the serial ports, which model the run would flash, and how it was built.

    The name of the home folder is left out.

    Raises:
        TinymlError: there is a file already, or it cannot be written.
    """
    manifest = run.manifest()
    name, built = board_model(manifest), manifest.firmware.get(target.board.name, {})
    document = {
        "tinyml": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "machine": platform.machine(),
        "packages": {package: _version(package) for package in _PACKAGES},
        "board": target.board.name,
        "modelled": target.emulated is not None,
        "engine": built.get("engine") or target.engine,
        "ports": [str(port) for port in serial_ports()],
        "run": {
            "task": manifest.task,
            "model_sha256": manifest.artifacts[name].sha256 if name in manifest.artifacts else None,
            "arena_bytes": manifest.arena_bytes,
            "firmware": built or None,
        },
        "build_log": _last_lines(project_dir(run, target.board.name) / "build.log"),
        "checks": [finding.outcome.model_dump() for finding in findings],
    }
    write_new(path, (json.dumps(_without_home(document), indent=2, ensure_ascii=False) + "\n").encode())


def _last_lines(log: Path) -> list[str]:
    try:
        return log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    except OSError:
        return []


def check(path: Path, target: BuildTarget | None) -> None:
    """Refuses what could not be written, before the board is asked.

    Raises:
        TinymlError: no board is named, or there is a file already.
    """
    if target is None:
        raise TinymlError("A report is about a board", "--report", "Add --board nano33ble.")
    if path.exists() or path.is_symlink():
        raise TinymlError("The file already exists", str(path), "Choose another name with --report.")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _without_home(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_home(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_home(each) for each in value]
    if not isinstance(value, str):
        return value
    home = Path.home()
    return value.replace(str(home), "~").replace(home.as_posix(), "~")  # compilers write / on Windows too
