"""Boots the virtual boards: `sim` (QEMU's Cortex-M4) and `native` (a process of this computer)."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tinyml_cli.device.boards import load_board
from tinyml_cli.device.transport import DeviceGoneError
from tinyml_cli.errors import TinymlError

_ATTACH = Path(__file__).with_name("attach.py")
_START_TIMEOUT_S = 20.0
_PORT_ATTEMPTS = 5
_POLL_S = 0.005
# QEMU says this once it listens; until then a connection could reach a stranger on the same port.
_QEMU_LISTENS = "QEMU waiting for connection"
_QEMU_PORT_TAKEN = "Failed to find an available port"


class VirtualDevice:
    """A booted virtual board; use as a context manager around the Link.

        with VirtualDevice("sim", elf) as device, Link(device.url) as link:
            ready = link.wait_ready()

    The board starts to run when its URL is opened, and can be opened once. It ends with the block, and with
    this process however that ends.

    Args:
        board: "sim" or "native".
        elf: the firmware.
    """

    def __init__(self, board: str, elf: Path) -> None:
        self.board = board
        self.elf = elf
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def pid(self) -> int:
        """Process id of the device, or of the guard that holds QEMU; 0 when there is none."""
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
                f"There is no firmware for board `{self.board}`",
                str(self.elf),
                f"Build it: tinyml build --board {self.board}",
            )
        self._folder = tempfile.TemporaryDirectory(prefix="tinyml-device-", ignore_cleanup_errors=True)
        try:
            port = self._start_qemu() if board.kind == "virtual" else self._start_process()
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
            except subprocess.TimeoutExpired:
                self._stop()
                return
            crash = self._crash()
            self._stop()
            raise crash from error
        self._stop()

    def _start_qemu(self) -> int:
        for _ in range(_PORT_ATTEMPTS):
            port = _free_port()
            self._spawn("guard", qemu_command(self.elf, port), stdin=subprocess.PIPE)
            if self._wait_for_qemu():
                return port
            if not any(sign in self._stderr() for sign in (_QEMU_PORT_TAKEN, "Address already in use")):
                break
        raise self._crash()

    def _wait_for_qemu(self) -> bool:
        """Whether QEMU listens; False when it ended or says nothing."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            if _QEMU_LISTENS in self._stderr():
                return True
            if self._process is None or self._process.poll() is not None:
                return False
            time.sleep(_POLL_S)
        return False

    def _start_process(self) -> int:
        if sys.platform == "win32":
            raise TinymlError(
                "Board `native` needs Linux or macOS",
                str(self.elf),
                "Use the other virtual board: --board sim",
            )
        self._spawn("listen", [str(self.elf.resolve())], stdout=subprocess.PIPE)
        assert self._process and self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise self._crash()
        return int(line)

    def _spawn(self, mode: str, command: list[str], **streams: Any) -> None:
        self._end_process()
        # Ctrl-C in a terminal reaches the whole process group; the device must outlive it for the summary.
        if sys.platform == "win32":
            streams["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
        else:
            streams["start_new_session"] = True
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **streams}
        with self._log().open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_ATTACH), mode, *command], stderr=log, **streams
            )

    def _stop(self) -> None:
        self._end_process()
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdout:
            process.stdout.close()
        if process.stdin:
            process.stdin.close()  # the guard kills QEMU when its input ends
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5.0)
        process.kill()
        process.wait()

    def _log(self) -> Path:
        assert self._folder
        return Path(self._folder.name) / "stderr.txt"

    def _stderr(self) -> str:
        return self._log().read_text(encoding="utf-8", errors="replace")

    def _crash(self) -> TinymlError:
        """What the ended device left behind, as an error."""
        code = self._process.poll() if self._process else None
        lines = [line for line in self._stderr().splitlines() if line.strip() and _QEMU_LISTENS not in line]
        said = " | ".join(lines[:6])[:600]
        return TinymlError(
            f"The virtual board `{self.board}` ended with exit code {code}" + (f": {said}" if said else ""),
            str(self.elf),
            f"Build the firmware again: tinyml build --board {self.board}",
        )


def qemu_command(elf: Path, port: int) -> list[str]:
    """QEMU as a Cortex-M4 board that waits for the host on a TCP port.

    `-icount shift=0` makes one instruction last one virtual nanosecond, so instruction counts repeat exactly.
    `sleep=off` would skip idle time, but then an idle board jumps from tick to tick: half a core is burnt for
    nothing, and serial input is twice as slow.
    """
    chardev = f"socket,id=uart,host=127.0.0.1,port={port},server=on,wait=on,nodelay=on"
    # fmt: off
    return [
        "qemu-system-arm", "-M", "mps2-an386", "-cpu", "cortex-m4", "-icount", "shift=0",
        "-nographic", "-monitor", "none", "-chardev", chardev, "-serial", "chardev:uart", "-kernel", str(elf),
    ]
    # fmt: on


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
