"""Installs a run's firmware on a board and checks that the board runs this very model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tinyml_cli.boards.boards import Board
from tinyml_cli.build.build import build
from tinyml_cli.build.emulated import plugged_in
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.flash.bootloader import DEFAULT_TIMING, BoardOnUsb, Timing
from tinyml_cli.flash.upload import Installed, Installer
from tinyml_cli.flash.upload_tool import UploadTool, require_tool
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Ready
from tinyml_cli.link.usb import choose_port
from tinyml_cli.link.virtual import VirtualDevice, flash_file
from tinyml_cli.next_step import on_this_run
from tinyml_cli.outcomes.stages import Built, Flashed
from tinyml_cli.run import Run, board_model


def flash(
    run: Run, target: BuildTarget, *, tool: UploadTool | None = None, timing: Timing = DEFAULT_TIMING
) -> Flashed:
    """Builds if needed, installs the firmware, and asks the board which model it runs.

    Args:
        target: what is built; a virtual board is started.
        tool: what writes a real board's flash; None takes Arduino's bossac.
        timing: how long to wait for a real board.

    Raises:
        TinymlError: whatever the build says, no board, several, one that cannot be written, or a board that
            answers with another model.
    """
    board = target.board.name
    firmware = partial(build, run, target)
    installed = None
    if target.is_usb:
        with plugged_in(run, target, is_flashed=False):
            built, installed = _flash_usb(target.board, firmware, target.port, tool, timing)
        ready = installed.ready
    elif target.port is not None:
        raise TinymlError(f"The board `{board}` is virtual and has no serial port", "--port", "Omit --port.")
    else:
        built = firmware()
        flash_file(Path(built.elf)).unlink(missing_ok=True)  # a board that is flashed anew has no updates
        with VirtualDevice(board, Path(built.elf)) as device, Link(device.url) as link:
            ready = link.wait_ready()
    _check_model(run, board, ready)
    console.info(f"{board}: tinyml {ready.tinyml}, engine {ready.engine}, model {ready.model}")
    flashed = Flashed(
        board=board,
        engine=ready.engine,
        model=ready.model,
        elf=built.elf,
        modelled=target.emulated is not None,
        banner=ready.as_dict(),
    )
    if installed is None:
        return flashed
    of_usb = ("port", "serial_number", "bootloader_seconds", "upload_seconds")
    return flashed.model_copy(update={name: getattr(installed, name) for name in of_usb})


def _flash_usb(
    board: Board,
    firmware: Callable[[], Built],
    given: str | None,
    tool: UploadTool | None,
    timing: Timing,
) -> tuple[Built, Installed]:
    # Before the build: nobody shall wait for that to hear that no board is there.
    following = BoardOnUsb(board, choose_port(board, given))
    tool = tool or require_tool()
    built = _build_image(firmware)
    now = following.find() or choose_port(board, given)  # reset, or plugged in elsewhere, during the build
    installer = Installer(BoardOnUsb(board, now, timing), tool, timing)
    return built, installer.install(_image(built))


def _build_image(firmware: Callable[[], Built]) -> Built:
    """Builds the program, and with it the raw form that PlatformIO makes of the same ELF file."""
    built = firmware()
    if not _image(built).is_file():
        raise TinymlError(
            "The build produced no program to upload",
            str(_image(built)),
            f"Delete {Path(built.elf).parent} and run the same command again.",
        )
    return built


def _image(built: Built) -> Path:
    return Path(built.elf).with_suffix(".bin")


def _check_model(run: Run, board: str, ready: Ready) -> None:
    manifest = run.manifest()
    expected = manifest.artifacts[board_model(manifest)].sha256
    if not ready.model or not expected.startswith(ready.model):
        raise TinymlError(
            f"The board reports model {ready.model or 'none'}, not {expected[:12]}",
            board,
            f"Run `{on_this_run('export-c-array')}` and `{on_this_run('flash', '--board', board)}` again.",
        )
