"""The program that writes a board's flash through its bootloader: Arduino's build of bossac.

`pio run -t upload` is not used: it builds again, touches the port at 1200 baud once more, waits five
seconds for a port that already exists, and then takes any port that has just appeared, whatever it
belongs to (builder/tools/pioupload.py, WaitForNewSerialPort). The command below is the one it finally runs.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli import processes
from tinyml_cli.boards.network import require_network
from tinyml_cli.build import platformio
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.port_errors import busy_error, modem_manager_runs, permission_error, port_users

# nordicnrf52 10.11.0, platform.json. BOSSA's own releases cannot write this board: they lack its chip.
PACKAGE = "tool-bossac-nordicnrf52"
PACKAGE_SPECIFICATION = f"platformio/{PACKAGE}@~1.10901.0"
ARDUINO_VERSION = "1.9.1-arduino2"
OVERRIDE = "TINYML_BOSSAC"

_PROGRESS = re.compile(r"\] (?P<percent>\d+)% \(\d+/\d+ pages\)")
_INSTALL_TIMEOUT_S = 300.0
_UPLOAD_TIMEOUT_S = 180.0


class UploadError(TinymlError):
    """The upload broke off. `again` says whether another try may do better."""

    def __init__(self, what: str, where: str, next_step: str, again: bool) -> None:
        super().__init__(what, where, next_step)
        self.again = again


@dataclass(frozen=True)
class UploadTool:
    """A program with bossac's options.

    Attributes:
        program: the program, with arguments that come before the options.
        timeout_s: after so long it is taken to hang.
    """

    program: tuple[str, ...]
    timeout_s: float = _UPLOAD_TIMEOUT_S

    def upload(self, device: str, image: Path) -> None:
        """Erases the board's program, writes another and starts it.

        Args:
            device: the bootloader's port.
            image: the raw bytes of the program.

        Raises:
            UploadError: the tool failed; the board then stays in its bootloader.
            TinymlError: the tool cannot be started.
        """
        command = upload_command(self.program, device, image)
        try:
            process = processes.Process(command, stdout=processes.PIPE, stderr=processes.STDOUT)
        except OSError as error:
            raise TinymlError(
                f"Cannot start the upload tool: {error.strerror or error}",
                self.program[0],
                _tool_advice(),
            ) from error
        watchdog = threading.Timer(self.timeout_s, process.kill)
        watchdog.start()
        try:
            with process:
                said = list(_follow(process.lines()))
        finally:
            watchdog.cancel()
        if process.returncode != 0:
            raise explain_failure(said, process.returncode, device)


def upload_command(program: Sequence[str], device: str, image: Path) -> list[str]:
    """The call that PlatformIO ends in for these boards; bossac wants the port's name without /dev/."""
    port = device.removeprefix("/dev/")
    return [*program, "--port", port, "--write", "--erase", "-U", "--reset", str(image)]


def require_tool() -> UploadTool:
    """The upload tool, from $TINYML_BOSSAC, PlatformIO's packages or Arduino's; PlatformIO installs it where
    it is missing.

    Raises:
        TinymlError: there is none, and no network to get it.
    """
    if override := os.environ.get(OVERRIDE):
        if not Path(override).is_file():
            raise TinymlError(f"{OVERRIDE} is not a file", override, _tool_advice())
        return UploadTool((override,))
    found = find_tool()
    if found is None:
        _install_tool()
        found = find_tool()
    if found is None:
        raise TinymlError(
            f"The upload tool bossac is missing from {PACKAGE}", str(_packages()), _tool_advice()
        )
    return UploadTool((str(found),))


def find_tool() -> Path | None:
    """Where the upload tool lies on this computer; None where it does not."""
    name = "bossac.exe" if sys.platform == "win32" else "bossac"
    folders = [_packages() / PACKAGE, Path.home() / ".platformio" / "packages" / PACKAGE]
    folders += [
        root / "packages" / "arduino" / "tools" / "bossac" / ARDUINO_VERSION for root in _arduino_roots()
    ]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def explain_failure(said: Sequence[str], code: int, device: str) -> TinymlError:
    """The error that tells a user why the upload tool failed.

    Args:
        said: the lines it printed.
        code: its exit code.
    """
    text = "\n".join(said).lower()
    if "permission denied" in text:
        return permission_error(device)
    users = port_users(device)
    if users or "device or resource busy" in text:
        return busy_error(device, users)
    if "no device found on" in text:
        return UploadError(
            "The bootloader does not answer" + _modem_hint(),
            device,
            "Double-press the board's reset button, and run the same command again.",
            again=True,
        )
    if "sam-ba operation failed" in text:
        return UploadError(
            "The upload failed (SAM-BA operation failed): the connection was lost, or this bossac is not "
            "Arduino's version, the only one that supports this chip",
            device,
            "The board may have no complete program now. Plug it directly into the computer, "
            "double-press reset, and try again. "
            f"{_tool_advice()}",
            again=True,
        )
    if code < 0:
        return UploadError(
            "The upload tool hung and was stopped, or something else stopped it",
            device,
            "Double-press the reset button, and run the same command again.",
            again=True,
        )
    last = " | ".join(line.strip() for line in said if line.strip())[-300:]
    return UploadError(
        f"The upload tool failed with exit code {code}: {last or 'it printed nothing'}",
        device,
        "Double-press the reset button, and run the same command again.",
        again=False,
    )


def _follow(output: Iterable[str]) -> Iterator[str]:
    """The tool's lines, its progress bar shown as ours; a line ends at a carriage return too."""
    with console.progress(100, "uploading") as progress:
        for line in output:
            if match := _PROGRESS.search(line):
                progress.advance(max(0, int(match["percent"]) - progress.done))
            else:
                yield line


def _packages() -> Path:
    return Path(platformio.environment()["PLATFORMIO_CORE_DIR"]) / "packages"


def _arduino_roots() -> list[Path]:
    """Where the Arduino IDE and arduino-cli keep what they download (arduino-cli, directories.data)."""
    if sys.platform == "win32":
        return [Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "Arduino15"]
    if sys.platform == "darwin":
        return [Path.home() / "Library" / "Arduino15"]
    return [Path.home() / ".arduino15"]


def _install_tool() -> None:
    require_network(f"the upload tool ({PACKAGE})")
    console.info(f"Fetching the upload tool ({PACKAGE}) …")
    command = [
        sys.executable,
        "-m",
        "platformio",
        "pkg",
        "install",
        "--global",
        "--tool",
        PACKAGE_SPECIFICATION,
    ]
    try:
        outcome = processes.run(command, env=platformio.environment(), timeout_s=_INSTALL_TIMEOUT_S)
        said = (outcome.stderr.strip() or outcome.stdout.strip()).splitlines()
    except processes.TimeoutExpired:
        said = [f"no answer within {_INSTALL_TIMEOUT_S:.0f} s"]
        outcome = None
    if outcome is None or outcome.returncode != 0:
        raise TinymlError(
            f"PlatformIO could not install the upload tool ({said[-1] if said else 'it printed nothing'})",
            PACKAGE_SPECIFICATION,
            _tool_advice(),
        )


def _tool_advice() -> str:
    return (
        f"Set {OVERRIDE} to the bossac {ARDUINO_VERSION} that the Arduino IDE installs with the board "
        "package `Arduino Mbed OS Nano Boards`."
    )


def _modem_hint() -> str:
    if modem_manager_runs():
        return " (ModemManager is running and may be using it: sudo systemctl stop ModemManager)"
    return ""
