"""The real command line on a computer whose only USB ports are simulated ones.

    python -m tests.doubles.fake_usb_cli SETUP.json ARGUMENT…

SETUP.json: `ports` (the file that fake_usb_board.Bus writes), `program` (what the build shall yield),
`timing` (fields of bootloader.Timing). The upload tool comes through $TINYML_BOSSAC, as a user may set it.
"""

from __future__ import annotations

import functools
import json
import shutil
import sys
from pathlib import Path

from serial.tools import list_ports

from tests.doubles.fake_usb_board import comports
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.flash import flash
from tinyml_cli.flash.bootloader import Timing
from tinyml_cli.main import main
from tinyml_cli.outcomes.stages import Built
from tinyml_cli.run import Run


def fake_build(program: Path, run: Run, target: BuildTarget) -> Built:
    """Leaves what a build leaves: the program is what a simulated board can run."""
    project = run.path / "firmware" / target.board.name
    project.mkdir(parents=True, exist_ok=True)
    for name in ("firmware.elf", "firmware.bin"):
        shutil.copy(program, project / name)
    return Built(
        board=target.board.name,
        engine=target.engine,
        app="kws",
        flash_bytes=None,
        ram_bytes=None,
        arena_bytes=0,
        largest_symbols=[],
        elf=str(project / "firmware.elf"),
        seconds=0.0,
        fresh=False,
    )


def install(setup_file: Path) -> None:
    """Puts the simulated ports, and what shall have been built, in the place of the computer's."""
    setup = json.loads(setup_file.read_text())
    list_ports.comports = functools.partial(comports, Path(setup["ports"]))  # type: ignore[assignment]
    flash.build = functools.partial(fake_build, Path(setup["program"]))  # type: ignore[attr-defined,assignment]
    real_flash = flash.flash
    flash.flash = functools.partial(real_flash, timing=Timing(**setup["timing"]))  # type: ignore[assignment]


if __name__ == "__main__":
    install(Path(sys.argv.pop(1)))
    sys.argv[0] = "tinyml"
    main()
