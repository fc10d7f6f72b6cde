"""The commands that lie between a trained run and a board, one after the other."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.boards.boards import Board, load_board
from tinyml_cli.build.page import PAGE
from tinyml_cli.build.project import project_dir
from tinyml_cli.engines.freshness import needs_export
from tinyml_cli.run import CALIBRATION, MODEL, MODEL_INT8, Run
from tinyml_cli.studio.studio import Studio


def following(studio: Studio, run: Run, board: Board) -> tuple[str, ...] | None:
    """The next command on the way to a run's firmware, as words behind `tinyml`; None where it is there.

    Raises:
        TinymlError: the run's training was stopped, or the board cannot be built for on this computer.
    """
    if earlier := before_export(studio, run):
        return earlier
    manifest = run.manifest()
    place = studio.named(run.path)
    board.require("build")
    if needs_export(run, manifest, board.default_engine):
        return ("export-c-array", place, "--engine", board.default_engine)
    return None if is_built(run, board.name) else ("build", place, "--board", board.name)


def before_export(studio: Studio, run: Run) -> tuple[str, ...] | None:
    """The next command on the way to the int8 model; None where it is there.

    Raises:
        TinymlError: the run's training was stopped.
    """
    manifest = run.manifest()
    if MODEL not in manifest.artifacts or run.is_fresh(manifest, MODEL_INT8):
        return None
    return ("convert" if run.is_fresh(manifest, CALIBRATION) else "quantize", studio.named(run.path))


def firmware(run: Run, board: str) -> Path:
    """Where the program of a board lies, or would lie."""
    return project_dir(run, board) / "firmware.elf"


def is_built(run: Run, board: str) -> bool:
    """Whether the firmware is there, and no older than what was exported; `build` looks more closely."""
    program = firmware(run, board)
    wanted = [program, program.with_name(PAGE)] if load_board(board).kind == "page" else [program]
    if board not in run.manifest().firmware or not all(path.is_file() for path in wanted):
        return False
    exported = [path.stat().st_mtime for path in run.file("export").rglob("*") if path.is_file()]
    return program.stat().st_mtime >= max(exported, default=0.0)
