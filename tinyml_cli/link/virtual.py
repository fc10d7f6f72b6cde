"""Starts the virtual boards: `sim` (QEMU's Cortex-M4), `native` (a process), `browser` (WebAssembly)."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tinyml_cli import processes, temporary
from tinyml_cli.boards.boards import Board, load_board
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import firmware_dir
from tinyml_cli.link.transport import DeviceGoneError
from tinyml_cli.next_step import on_this_run

_ATTACH = Path(__file__).with_name("attach.py")


class VirtualDevice:
    """A booted virtual board; use as a context manager around the Link.

        with VirtualDevice("sim", elf) as device, Link(device.url) as link:
            ready = link.wait_ready()

    Its URL can be opened once. The board ends with its connection, with the block, and with this process
    however that ends.

    Args:
        board: "sim", "native" or "browser".
        elf: the firmware.
        qemu_options: further options of the emulator, such as a plugin; a process takes none.
        flash: a file that keeps the pages of flash that firmware with slots writes; None: they are empty at
            each start.
        cut_at: the operation on that flash, from 1, in the middle of which power is lost; 0: it is not.
    """

    def __init__(
        self,
        board: str,
        elf: Path,
        qemu_options: Sequence[str] = (),
        *,
        flash: Path | None = None,
        cut_at: int = 0,
    ) -> None:
        self.board = board
        self.elf = elf
        self._qemu_options = tuple(qemu_options)
        self._flash = flash
        self._cut_at = cut_at
        self.url = ""
        self._process: processes.Process | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def pid(self) -> int:
        """Process id of the parent that holds the device; 0 when there is none."""
        return self._process.pid if self._process else 0

    def __enter__(self) -> Self:
        """Starts the device.

        Raises:
            TinymlError: no firmware, no QEMU, or a firmware that does not start.
        """
        board = load_board(self.board)
        board.require("run")
        if not self.elf.is_file():
            raise TinymlError(
                f"No firmware for board `{self.board}`",
                str(self.elf),
                f"Build it: {on_this_run('build', '--board', self.board)}",
            )
        self._folder = temporary.folder("device")
        try:
            port = self._start(board)
        except BaseException:
            self._stop()
            raise
        self.url = f"socket://127.0.0.1:{port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, DeviceGoneError) and self._process:
            try:
                self._process.wait(timeout=1.0)
            except processes.TimeoutExpired:
                self._stop()
                return
            crash = self._crash()
            self._stop()
            raise crash from error
        self._stop()

    def _start(self, board: Board) -> int:
        """Starts the device; returns the port that leads to it."""
        if board.kind == "virtual":
            kept = f"{self._cut_at} {self._flash.absolute()}" if self._flash else ""
            command = [*qemu_command(self.elf.absolute(), kept), *self._qemu_options]
        elif board.kind == "page":
            command = ["node", str(firmware_dir() / "page" / "node.mjs"), str(self.elf.resolve())]
        else:
            command = [str(self.elf.resolve())]
        with self._log().open("wb") as log:
            self._process = process = processes.Process(
                [sys.executable, "-I", "-S", str(_ATTACH), *command],
                stdout=processes.PIPE,
                stderr=log,
                env=self._environment(),
            )
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            process.wait()
            raise self._crash()
        return int(line)

    def _environment(self) -> dict[str, str] | None:
        if self._flash is None:
            return None
        kept = {"TINYML_FLASH": str(self._flash.absolute()), "TINYML_FLASH_CUT": str(self._cut_at)}
        return {**os.environ, **kept}

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            assert process.stdout
            process.stdout.close()
            process.stop()
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def _log(self) -> Path:
        assert self._folder
        return Path(self._folder.name) / "stderr.txt"

    def _crash(self) -> TinymlError:
        """What the ended device left behind, as an error."""
        code = self._process.poll() if self._process else None
        text = self._log().read_text(encoding="utf-8", errors="replace")
        said = " | ".join([line for line in text.splitlines() if line.strip()][:6])[:600]
        return TinymlError(
            f"The virtual board `{self.board}` exited with code {code}" + (f": {said}" if said else ""),
            str(self.elf),
            f"Rebuild the firmware: {on_this_run('build', '--board', self.board)}",
        )


def flash_file(elf: Path) -> Path:
    """Where a virtual board keeps the flash beside its firmware."""
    return elf.with_name("flash.bin")


def qemu_command(elf: Path, argument: str = "") -> list[str]:
    """QEMU as a Cortex-M4 board that speaks on standard input and output, through Arm semihosting.

    `-icount shift=0` makes one instruction last one virtual nanosecond, so instruction counts repeat exactly.

    Args:
        argument: what the firmware is told, see firmware/lib/hal/sim/flash_pages.cpp.
    """
    told = f",arg=firmware,arg={argument.replace(',', ',,')}" if argument else ""
    # fmt: off
    return [
        "qemu-system-arm", "-M", "mps2-an386", "-cpu", "cortex-m4", "-icount", "shift=0", "-nographic",
        "-serial", "none", "-monitor", "none", "-semihosting-config", f"enable=on,target=native{told}",
        "-kernel", str(elf),
    ]
    # fmt: on
