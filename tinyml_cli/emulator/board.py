"""A real board's place, taken by a modelled one: starts the emulator's process and shows its port as the
only one.

The process runs Unicorn, which is GPL-2.0; it is talked to through its state file and its serial port alone.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tinyml_cli import checks, processes, temporary
from tinyml_cli.boards.boards import Board
from tinyml_cli.emulator.recordings import Surroundings, motion_file, sound_file
from tinyml_cli.errors import TinymlError
from tinyml_cli.link import ports
from tinyml_cli.link.ports import SerialPort
from tinyml_cli.link.transport import DeviceGoneError
from tinyml_cli.next_step import on_this_run

INSTALL = "Run: pip install 'tinyml-cli[emulator]'"
_PORT_WITHIN_S = 60.0
_POLL_S = 0.02
_GRACE_S = 3.0  # for the flash to be kept


@dataclass(frozen=True)
class BoardState:
    """What the emulator last told; see `process.py`."""

    ports: tuple[SerialPort, ...] = ()
    light: tuple[int, int, int] = (0, 0, 0)
    seconds: float = 0.0
    slept: float = 0.0
    processor: float = 0.0
    resets: int = 0
    is_over: bool = False
    failed: str = ""


class EmulatedBoard:
    """A modelled board that is plugged in while the `with` block runs; no other port is seen meanwhile.

    Args:
        board: what it stands for.
        elf: the program; None starts what `flash` holds, or else the bootloader.
        flash: a file that keeps the flash's 1 MB between sessions; None keeps nothing.
        surroundings: what it hears, and how it is moved.
        is_paced: no faster than a real one.
    """

    def __init__(
        self,
        board: Board,
        *,
        elf: Path | None = None,
        flash: Path | None = None,
        surroundings: Surroundings | None = None,
        is_paced: bool = True,
    ) -> None:
        check_emulated(board)
        self._board = board
        self._elf = elf
        self._flash = flash
        self._surroundings = surroundings or Surroundings()
        self._is_paced = is_paced
        self._process: processes.Process | None = None
        self._stack = contextlib.ExitStack()
        self._folder = Path()

    def __enter__(self) -> Self:
        """Starts the board and waits for its port.

        Raises:
            TinymlError: no program, recordings that cannot be read, or a program that brings no port.
        """
        if self._elf is not None and not self._elf.is_file():
            raise TinymlError(
                f"No firmware for board `{self._board.name}`",
                str(self._elf),
                f"Build it: {on_this_run('build', '--board', self._board.name)}",
            )
        with contextlib.ExitStack() as stack:
            self._folder = Path(stack.enter_context(temporary.folder("emulator")))
            log = stack.enter_context((self._folder / "stderr.txt").open("wb"))
            self._process = processes.Process(self._command(), stdin=processes.PIPE, stderr=log)
            stack.callback(self._stop)
            self._wait_for_port()
            stack.enter_context(ports.only(lambda: list(self.state().ports)))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if isinstance(error, DeviceGoneError) and (self.state().failed or self._has_ended()):
                raise self._crash() from error

    @property
    def plays(self) -> bool:
        """Whether it hears or feels a recording, which comes to an end."""
        return self._surroundings.has_end

    def state(self) -> BoardState:
        """What the emulator last told."""
        try:
            told: dict[str, Any] = json.loads((self._folder / "state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return BoardState()
        told["ports"] = tuple(
            SerialPort(
                port["device"],
                self._board.description,
                (port["vendor"], port["product"]),
                port["serial_number"],
            )
            for port in told["ports"]
        )
        return BoardState(**told | {"light": tuple(told["light"])})

    def wait_for(self, is_so: Callable[[BoardState], bool], timeout_s: float) -> bool:
        """Waits until the state is as wanted; False where the time is up.

        Raises:
            TinymlError: the emulator, or the program on it, has ended.
        """
        deadline = time.monotonic() + timeout_s
        while not is_so(state := self.state()):
            if state.failed or self._has_ended():
                raise self._crash()
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def said(self) -> str:
        """What the program sent through its UART, and the emulator's own complaints."""
        return (self._folder / "stderr.txt").read_text(encoding="utf-8", errors="replace")

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "tinyml_cli.emulator.process", str(self._folder / "state.json")]
        command += ["--sensor", "bmi270" if "bmi270" in self._board.sensors else "lsm9ds1"]
        if self._elf is not None:
            command += ["--elf", str(self._elf.absolute())]
        if self._flash is not None:
            command += ["--flash", str(self._flash.absolute())]
        if self._surroundings.sound is not None:
            command += ["--sound", str(sound_file(self._surroundings.sound, self._folder))]
        if self._surroundings.motion is not None:
            path, rate_hz = motion_file(self._surroundings.motion, self._folder)
            command += ["--motion", str(path), "--motion-hz", repr(rate_hz)]
        return command if self._is_paced else [*command, "--unpaced"]

    def _wait_for_port(self) -> None:
        if not self.wait_for(lambda state: bool(state.ports), _PORT_WITHIN_S):
            raise TinymlError(
                "The program on the emulated board does not show up on USB",
                str(self._elf or self._flash),
                f"Rebuild the firmware: {on_this_run('build', '--board', self._board.name)}",
            )

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _crash(self) -> TinymlError:
        """Why the emulator, or the program on it, has ended."""
        said = " | ".join([line for line in self.said().splitlines() if line.strip()][-4:])[-600:]
        return TinymlError(
            f"The emulated board `{self._board.name}` has stopped: {said or 'it said nothing'}",
            str(self._elf or self._flash),
            f"Rebuild the firmware: {on_this_run('build', '--board', self._board.name)}",
        )

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin
            with contextlib.suppress(OSError):
                process.stdin.close()
            with contextlib.suppress(processes.TimeoutExpired):
                process.wait(timeout=_GRACE_S)
            process.stop()


def check_emulated(board: Board) -> None:
    """Whether a board can be emulated here.

    Raises:
        TinymlError: it is not a board that is modelled, the extra is missing, or this system lacks pseudo
            terminals.
    """
    if board.hal != "nano33ble":
        what = f"The board `{board.name}` is not modelled" if board.kind == "usb" else "It is virtual anyway"
        raise TinymlError(what, "--emulated", "Use --emulated with --board nano33ble or nano33ble_rev2.")
    if sys.platform == "win32":
        raise TinymlError(
            "The emulated board needs the pseudo terminals of Linux or macOS",
            "--emulated",
            "Use --board sim, or run this in WSL.",
        )
    checks.package("unicorn", "The emulated board", INSTALL)
