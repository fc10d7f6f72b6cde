"""Uploads a program to a real board and waits until it answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.flash.bootloader import DEFAULT_TIMING, DOUBLE_PRESS, BoardOnUsb, Timing
from tinyml_cli.flash.upload_tool import UploadError, UploadTool
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Ready
from tinyml_cli.link.transport import DeviceGoneError
from tinyml_cli.next_step import on_this_run

_UNTOUCHED = "The board was not changed and still runs its previous program."
_IN_BOOTLOADER = (
    "The board may be in its bootloader with its old program intact: press reset once to start it, or "
    "run the same command again."
)
_HALF_WRITTEN = (
    "The upload was interrupted: the board has no complete program and waits in its bootloader. Run the "
    "same command again."
)
_UNCHECKED = "The program was written, but not checked. Run the same command again to check that it runs."


@dataclass(frozen=True)
class Installed:
    """A program that was uploaded and has answered.

    Attributes:
        port: where it answers.
        bootloader_seconds: from the touch until the bootloader was there.
        upload_seconds: how long the upload tool worked, failed tries included.
        ready: the program's banner.
    """

    port: str
    serial_number: str
    bootloader_seconds: float
    upload_seconds: float
    ready: Ready


@dataclass
class Installer:
    """Installs one program on one board.

    Args:
        board: the board, found and not yet touched.
        tool: what writes its flash.
        timing: how long to wait for what.
    """

    board: BoardOnUsb
    tool: UploadTool
    timing: Timing = DEFAULT_TIMING
    _state: str = field(default=_UNTOUCHED, init=False)

    def install(self, image: Path) -> Installed:
        """Bootloader, upload, program, banner; an interruption says what state the board is in.

        Args:
            image: the raw bytes of the program.

        Raises:
            TinymlError: whatever keeps the program from running.
        """
        try:
            bootloader_seconds = self._measure(self._enter_bootloader)
            console.info(f"Uploading {image.stat().st_size:,} bytes through {self.board.port.device} …")
            upload_seconds = self._measure(lambda: self._upload(image))
            self._state = _UNCHECKED
            ready = self._wait_program()
        except KeyboardInterrupt:
            console.warn(self._state)
            raise
        port = self.board.port
        return Installed(port.device, port.serial_number, bootloader_seconds, upload_seconds, ready)

    def _enter_bootloader(self) -> None:
        self._state = _IN_BOOTLOADER
        self.board.enter_bootloader()

    def _upload(self, image: Path) -> None:
        """Uploads; tries once more where that may help, at whatever port the bootloader then has."""
        self._state = _HALF_WRITTEN
        try:
            self.tool.upload(self.board.port.device, image)
            return
        except UploadError as error:
            if not error.again:
                raise
            console.warn(f"{error.what}; trying once more.")
        time.sleep(self.timing.settle_s)
        if self.board.wait_for("bootloader", self.timing.bootloader_s):
            self.board.wait_open()
        else:
            self.board.ask_double_press("The bootloader disappeared.")
        self.tool.upload(self.board.port.device, image)

    def _wait_program(self) -> Ready:
        """Waits until the program is back on USB and has sent its banner."""
        for last in (False, True):
            if not self.board.wait_for("sketch", self.timing.sketch_s):
                break
            device = self.board.port.device
            try:
                self.board.wait_open()
                with Link(device, reconnect_s=0.0) as link:
                    return link.wait_ready(self.timing.banner_s)
            except DeviceGoneError:
                continue  # it may have come back under another name
            except TinymlError as error:
                if self.board.find("sketch") is None and not last:
                    continue
                raise TinymlError(
                    f"The program was uploaded but does not start properly: {error.what}",
                    device,
                    "Run the same command again; if it persists, press the reset button once and run "
                    f"`{on_this_run('monitor', '--board', self.board.board.name)}`.",
                ) from error
        raise self._no_program()

    def _no_program(self) -> TinymlError:
        if self.board.find("bootloader"):
            return TinymlError(
                "The board returned to its bootloader: it does not accept the uploaded program as complete",
                self.board.port.device,
                "Run the same command again; if it persists, delete the run's folder firmware/ and try "
                "again.",
            )
        return TinymlError(
            "The program was uploaded but does not appear on USB: it crashes at start-up",
            self.board.port.device,
            "If its orange light blinks four times long and four times short, Mbed OS has stopped it. "
            f"{DOUBLE_PRESS}; then flash a model or engine that worked before, or run this command again.",
        )

    def _measure(self, action: Callable[[], None]) -> float:
        started = time.monotonic()
        action()
        return round(time.monotonic() - started, 2)
