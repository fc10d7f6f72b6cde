"""Programs of our own for the nRF52840, compiled when a test wants them, and boards that run them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from tinyml_cli.emulator.recordings import SOUND_HZ
from tinyml_cli.installed import spec_of

SOURCES = Path(__file__).parent / "programs"
_COMPILER = "arm-none-eabi-gcc"
_FLAGS = ["-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-mcpu=cortex-m4", "-mthumb"]
_FLAGS += ["-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-ffreestanding", "-nostartfiles", "-nostdlib"]


def require() -> None:
    """Skips where the compiler or the emulator's package is missing."""
    if shutil.which(_COMPILER) is None:
        pytest.skip(f"{_COMPILER} is not installed")
    if spec_of("unicorn") is None:
        pytest.skip("the extra `emulator` is not installed")


@cache
def compiled(name: str, folder: Path) -> Path:
    """A program's ELF file."""
    require()
    elf = folder / f"{name}.elf"
    sources = [str(SOURCES / f"{part}.c") for part in ("startup", "cdc", name)]
    script = ["-T", str(SOURCES / "nrf52840.ld")]
    subprocess.run([_COMPILER, *_FLAGS, *script, *sources, "-lgcc", "-o", str(elf)], check=True)
    return elf


@dataclass
class Desk:
    """A modelled board on a desk, in this process."""

    board: Any
    host: Any
    said: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)
    identities: list[Any] = field(default_factory=list)
    lights: list[tuple[int, int, int]] = field(default_factory=list)

    def run(self, seconds: float) -> None:
        """Lets some of the board's time pass."""
        chip = self.board.chip
        chip.run(chip.now + chip.cycles(1e6 * seconds))
        assert not chip.failed, chip.failed

    def ask(self, line: str, seconds: float = 0.2) -> str:
        """Sends a line to the program; what it answers within a time of the board's."""
        self.received.clear()
        self.host.send(line.encode() + b"\n")
        self.run(seconds)
        return self.received.decode().strip()


def desk(
    elf: Path, sensor: str = "lsm9ds1", sound: bytes = b"", motion: bytes = b"", motion_hz: float = 100.0
) -> Desk:
    """A board that runs a program, its port open as soon as there is one."""
    from tinyml_cli.emulator.memory import read_program
    from tinyml_cli.emulator.nano33ble import Nano33Ble
    from tinyml_cli.emulator.parts.microphone import HeardSound
    from tinyml_cli.emulator.parts.motion import Motion
    from tinyml_cli.emulator.usb_host import UsbHost

    said, lights = bytearray(), []
    board = Nano33Ble(
        sensor,  # type: ignore[arg-type]
        HeardSound(sound, SOUND_HZ),
        Motion(motion, motion_hz),
        lights.append,
        said.extend,
    )
    made = Desk(board, None, said, lights=lights)

    def attached(identity: Any) -> None:
        made.identities.append(identity)
        made.host.open(115_200)

    gone = partial(made.identities.append, None)
    made.host = UsbHost(board.chip, board.chip.usb, attached, gone, made.received.extend)
    board.chip.usb.host = made.host
    for start, data in read_program(elf):
        board.chip.memory.load(start, data)
    board.start()
    return made
