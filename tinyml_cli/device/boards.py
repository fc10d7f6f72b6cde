"""Boards as data: one YAML file each, validated on every read."""

from __future__ import annotations

import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import first_problem

_BOARDS_DIR = Path(__file__).parent / "boards"


class Need(BaseModel):
    """A program that a board cannot do without, and how to get it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: str
    purpose: str
    when: Literal["build", "run"] = "build"
    debian: str
    macos: str
    windows: str

    @property
    def present(self) -> bool:
        """Whether the program is on PATH."""
        return shutil.which(self.tool) is not None

    @property
    def install_hint(self) -> str:
        """The command that installs it on the system this runs on."""
        if sys.platform == "darwin":
            return self.macos
        return self.windows if sys.platform == "win32" else self.debian

    @property
    def install_hints(self) -> str:
        """One line with the way on each system."""
        return f"Debian/Ubuntu: `{self.debian}`; macOS: `{self.macos}`; Windows: `{self.windows}`"


class UsbId(BaseModel):
    """One of the identities that a real board has on USB.

    Attributes:
        id: vendor and product in hexadecimal, such as "2341:805a".
        role: what answers under it, the uploaded program ("sketch") or the bootloader.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern="^[0-9a-f]{4}:[0-9a-f]{4}$")
    role: Literal["sketch", "bootloader"]

    @property
    def numbers(self) -> tuple[int, int]:
        """(vendor, product)."""
        vendor, product = self.id.split(":")
        return int(vendor, 16), int(product, 16)


class Board(BaseModel):
    """One board.

    Attributes:
        kind: "virtual" (an emulator), "process" (of this computer) or "usb" (real hardware).
        hal: the folder of `firmware/lib/hal/` that drives it.
        pio_platform: a folder of `firmware/platforms/`, or a PlatformIO platform specification.
        flash_bytes, ram_bytes: what the program may use; None where nothing limits it.
        hosts: values of sys.platform that it can be built on; empty means all.
        usb_ids: how a real board is known among the serial ports; empty for others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern="^[a-z][a-z0-9_]*$")
    description: str
    kind: Literal["virtual", "process", "usb"]
    hal: Literal["sim", "native", "nano33ble"]
    pio_platform: str
    pio_board: str
    default_engine: Literal["aot", "tflm"]
    flash_bytes: int | None = Field(default=None, gt=0)
    ram_bytes: int | None = Field(default=None, gt=0)
    hosts: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    usb_ids: tuple[UsbId, ...] = ()

    def require(self, when: Literal["build", "run"]) -> None:
        """Checks that what the board needs to be built or run is on this computer.

        Raises:
            TinymlError: a program is missing (says how to install it), or this system cannot do it.
        """
        if self.hosts and sys.platform not in self.hosts:
            raise TinymlError(
                f"The board `{self.name}` works on {', '.join(self.hosts)} only, not on {sys.platform}",
                "--board",
                "Use --board sim.",
            )
        for need in self.needs:
            if need.when == when and not need.present:
                raise TinymlError(
                    f"The program `{need.tool}` is missing (needed to {need.purpose})",
                    f"board {self.name}",
                    f"Install it: {need.install_hints}.",
                )


def board_names() -> list[str]:
    """The names of all known boards, sorted."""
    return sorted(path.stem for path in _BOARDS_DIR.glob("*.yaml"))


@cache
def load_board(name: str) -> Board:
    """Reads one board's description.

    Raises:
        TinymlError: no such board (the known ones are listed), or its file is damaged.
    """
    if name not in board_names():
        raise TinymlError(
            f"There is no board `{name}`", "--board", f"Known boards: {', '.join(board_names())}."
        )
    path = _BOARDS_DIR / f"{name}.yaml"
    try:
        return Board.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        problem = first_problem(error) if isinstance(error, ValidationError) else str(error)
        raise TinymlError(
            f"The board's description is damaged ({problem})",
            str(path),
            "Reinstall it: pip install --force-reinstall tinyml-cli",
        ) from error
