"""The modelled board of a target, with what its flash holds from one command to the next."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tinyml_cli.build.project import project_dir
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.emulator.board import EmulatedBoard
from tinyml_cli.run import Run

FLASH = "emulated_flash.bin"


@contextlib.contextmanager
def plugged_in(run: Run, target: BuildTarget, *, is_flashed: bool = True) -> Iterator[EmulatedBoard | None]:
    """Plugs in the modelled board that takes the place of the real one, where the target wants it.

    Args:
        is_flashed: whether it runs the run's firmware; otherwise what was uploaded to it last.

    Raises:
        TinymlError: no firmware, or one that does not start.
    """
    if target.emulated is None:
        yield None
        return
    project = project_dir(run, target.board.name, target.application(run))
    project.mkdir(parents=True, exist_ok=True)
    elf = project / "firmware.elf" if is_flashed else None
    with EmulatedBoard(target.board, elf=elf, flash=project / FLASH, surroundings=target.emulated) as board:
        yield board
