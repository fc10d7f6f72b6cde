"""Boards as data: one YAML file each, validated on every read. Users add theirs in their own folders."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tinyml_cli import processes, temporary
from tinyml_cli.boards.board_files import PACKAGED, board_files
from tinyml_cli.documents import UnreadableError
from tinyml_cli.errors import TinymlError, did_you_mean
from tinyml_cli.installed import spec_of
from tinyml_cli.validation import first_problem
from tinyml_cli.yaml_documents import load_yaml


class Need(BaseModel):
    """A program that a board cannot do without, and how to get it.

    Attributes:
        instead: a Python package that takes its place where it is missing.
        target: of a compiler, the other machine that it must be able to link for; "" asks for none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: str
    instead: str = ""
    target: str = ""
    purpose: str
    when: Literal["build", "run"] = "build"
    debian: str
    macos: str
    windows: str

    @property
    def found(self) -> Path | None:
        """The program on PATH, or the package that takes its place; None where it is missing."""
        if path := self._on_path:
            return path
        spec = spec_of(self.instead) if self.instead else None
        return Path(spec.origin or "") if spec else None

    @property
    def present(self) -> bool:
        """Whether the board has it here."""
        return self.found is not None

    @property
    def is_replaced(self) -> bool:
        """Whether the package takes the place of the program."""
        return bool(self.instead) and self._on_path is None

    @property
    def _on_path(self) -> Path | None:
        path = _program(self.tool)
        return path if path is None or not self.target or _links_for(path, self.target) else None

    @property
    def install_hints(self) -> str:
        """One line with the way on each system."""
        anywhere = f"; without rights of installation: `pip install {self.instead}`" if self.instead else ""
        return f"Debian/Ubuntu: `{self.debian}`; macOS: `{self.macos}`; Windows: `{self.windows}`{anywhere}"


Engine = Literal["aot", "tflm"]


def _program(name: str) -> Path | None:
    path = shutil.which(name)
    # macOS has files of these names that only offer to install the compiler.
    if path is None or (sys.platform == "darwin" and path.startswith("/usr/bin/") and not _has_xcode_tools()):
        return None
    return Path(path)


@cache
def _has_xcode_tools() -> bool:
    try:
        return processes.run(["xcode-select", "-p"], timeout_s=20).returncode == 0
    except (OSError, processes.TimeoutExpired):
        return False


@cache
def _links_for(compiler: Path, target: str) -> bool:
    """Whether a compiler has the back end, the linker and the C library of another machine."""
    with temporary.folder("probe") as place:
        source, linked = Path(place) / "probe.c", Path(place) / "probe"
        source.write_bytes(
            b'#include <string.h>\n#include <math.h>\nint main(void) { return (int)strlen(""); }\n'
        )
        command = [str(compiler), f"--target={target}", str(source), "-lm", "-o", str(linked)]
        try:
            return processes.run(command, timeout_s=20).returncode == 0 and linked.is_file()
        except (OSError, processes.TimeoutExpired):
            return False


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


class Power(BaseModel):
    """What the processor draws, for estimates of energy; nothing else of the board is in it.

    Attributes:
        active_ma: while it computes, from flash.
        sleep_ma: while it waits, with all of its RAM kept.
        source: the document and the conditions that the figures hold for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    supply_v: float = Field(gt=0)
    active_ma: float = Field(gt=0)
    sleep_ma: float = Field(gt=0)
    source: str


class Camera(BaseModel):
    """A camera that can be plugged in.

    Attributes:
        name: what the firmware's driver is chosen by.
        library: Arduino's, as PlatformIO names it, with a pinned version; used by applications that look.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["ov7675"]
    library: str


class Bluetooth(BaseModel):
    """The radio, for applications that serve something by it.

    Attributes:
        library: Arduino's, as PlatformIO names it, with a pinned version.
        flash_bytes, ram_bytes: what it adds to a program.
        heap_bytes: what it takes of the heap while it runs, which must be free beside the core's.
        stack_bytes: what it needs of the main thread's stack.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    library: str
    flash_bytes: int = Field(default=0, ge=0)
    ram_bytes: int = Field(default=0, ge=0)
    heap_bytes: int = Field(default=0, ge=0)
    stack_bytes: int = Field(default=0, ge=0, multiple_of=8)


CORE_STACK_BYTES = 32_768
"""Of the main thread, in `core_ram_bytes`: mbed_config.h, MBED_CONF_RTOS_MAIN_THREAD_STACK_SIZE."""


class Arduino(BaseModel):
    """How a board is built with Arduino's core.

    Attributes:
        lib_deps: libraries, as PlatformIO names them, each with a pinned version.
        tflm: the library that carries TensorFlow Lite Micro, for the engine tflm.
        tflm_lacks: operators that this version of it does not have.
        imus: motion sensors whose driver the firmware gets; their libraries stand in lib_deps.
        camera: which one the firmware can look through.
        bluetooth: serves strokes, for wands.
        core_flash_bytes, core_ram_bytes: what an empty program takes, for estimates before a build.
        heap_bytes: RAM that the core needs besides variables.
        main_stack_bytes: of the thread that runs the application; None leaves it to the core.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lib_deps: tuple[str, ...] = ()
    tflm: str
    tflm_lacks: tuple[str, ...] = ()
    imus: tuple[Literal["lsm9ds1", "bmi270"], ...] = ()
    camera: Camera | None = None
    bluetooth: Bluetooth | None = None
    core_flash_bytes: int = Field(gt=0)
    core_ram_bytes: int = Field(gt=0)
    heap_bytes: int = Field(ge=0)
    main_stack_bytes: int | None = Field(default=None, ge=4096, multiple_of=8)

    def empty_flash_bytes(self, peripherals: Collection[str]) -> int:
        """What a program takes without its own code, for an application that drives the peripherals."""
        radio = self._radio(peripherals)
        return self.core_flash_bytes + (radio.flash_bytes if radio else 0)

    def empty_ram_bytes(self, peripherals: Collection[str], stack_bytes: int | None) -> int:
        """The same of RAM; `stack_bytes` takes the place of the core's stack."""
        own, radio = 0 if stack_bytes is None else stack_bytes - CORE_STACK_BYTES, self._radio(peripherals)
        return self.core_ram_bytes + own + (radio.ram_bytes if radio else 0)

    def free_heap_bytes(self, peripherals: Collection[str]) -> int:
        """What must be left for the heap, for an application that drives the peripherals."""
        radio = self._radio(peripherals)
        return self.heap_bytes + (radio.heap_bytes if radio else 0)

    def stack_bytes(self, peripherals: Collection[str]) -> int | None:
        """The main thread's stack for such an application; None where the core's is left."""
        radio = self._radio(peripherals)
        return self.main_stack_bytes and self.main_stack_bytes + (radio.stack_bytes if radio else 0)

    def _radio(self, peripherals: Collection[str]) -> Bluetooth | None:
        return self.bluetooth if "bluetooth" in peripherals else None


class Board(BaseModel):
    """One board.

    Attributes:
        kind: "virtual" (an emulator), "process" (of this computer), "page" (of a browser) or "usb" (real
            hardware).
        hal: the folder of `firmware/lib/hal/` that drives it.
        pio_platform: a folder of `firmware/platforms/`, or a PlatformIO platform with its version.
        engines: what the firmware can be built with.
        clock_hz: of the processor; None where it is the computer's own.
        flash_bytes, ram_bytes: what the program may use; None where nothing limits it.
        sensors: what the board carries that the firmware can read.
        hosts: values of sys.platform that it can be built on; empty means all.
        usb_ids: how a real board is known among the serial ports; empty for others.
        power: None where no figures are known.
        arduino: None where the firmware needs no Arduino core.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern="^[a-z][a-z0-9_]*$")
    description: str
    kind: Literal["virtual", "process", "page", "usb"]
    hal: Literal["sim", "native", "browser", "nano33ble"]
    pio_platform: str
    pio_board: str
    default_engine: Engine
    engines: tuple[Engine, ...] = ("aot", "tflm")
    clock_hz: int | None = Field(default=None, gt=0)
    flash_bytes: int | None = Field(default=None, gt=0)
    ram_bytes: int | None = Field(default=None, gt=0)
    sensors: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    usb_ids: tuple[UsbId, ...] = ()
    power: Power | None = None
    arduino: Arduino | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.default_engine not in self.engines:
            raise ValueError("default_engine is not one of engines")
        if (self.kind == "usb") != bool(self.usb_ids):
            raise ValueError("usb_ids are required for boards of kind usb, and only allowed there")
        if (self.hal == "nano33ble") != (self.arduino is not None):
            raise ValueError("the section arduino is required for the hal nano33ble, and only allowed there")
        return self

    @property
    def compiler(self) -> Literal["gcc", "clang", "zig"]:
        """What builds for it here: GCC or Clang on PATH, or the Zig compiler that pip installs."""
        needs = [need for need in self.needs if need.when == "build"]
        if any(need.is_replaced and need.instead == "ziglang" for need in needs):
            return "zig"
        return "clang" if any(need.tool == "clang" for need in needs) else "gcc"

    @property
    def level(self) -> Literal["host", "emulated", "on the board"]:
        """Of evidence: what a figure that the board gives stands for."""
        if self.kind == "usb":
            return "on the board"
        return "emulated" if self.kind == "virtual" else "host"

    def require(self, when: Literal["build", "run"]) -> None:
        """Checks that what the board needs to be built or run is on this computer.

        Raises:
            TinymlError: a program is missing (says how to install it), or this system cannot do it.
        """
        if self.hosts and sys.platform not in self.hosts:
            raise TinymlError(
                f"The board `{self.name}` works only on {', '.join(self.hosts)}, not on {sys.platform}",
                "--board",
                "Use --board sim.",
            )
        for need in self.needs:
            if need.when == when and not need.present:
                lacks = f" cannot link for {need.target}" if _program(need.tool) else " is missing"
                raise TinymlError(
                    f"The program `{need.tool}`{lacks} (needed to {need.purpose})",
                    f"board {self.name}",
                    f"Install it: {need.install_hints}.",
                )


def board_names() -> list[str]:
    """The names of all known boards, sorted."""
    return sorted(board_files())


def load_board(name: str) -> Board:
    """Reads one board's description.

    Raises:
        TinymlError: no such board (the known ones are listed), or its file is damaged (names the field).
    """
    files = board_files()
    if name not in files:
        raise TinymlError(
            f"Unknown board `{name}`",
            "--board",
            f"{did_you_mean(name, files)}Known boards: {', '.join(board_names())}.",
        )
    return _load(files[name], files[name].stat().st_mtime_ns)


@cache
def _load(path: Path, mtime_ns: int) -> Board:
    try:
        board = Board.model_validate(load_yaml(path))
    except UnreadableError as error:
        raise _damaged(path, str(error)) from error
    except ValidationError as error:
        problem = first_problem(error, Board)
        raise _damaged(path, f"{problem.what}. {problem.advice}".rstrip(". ")) from error
    if board.name != path.stem:
        raise _damaged(path, f"`name` is `{board.name}`, but the file is called {path.name}")
    return board


def _damaged(path: Path, problem: str) -> TinymlError:
    if path.parent == PACKAGED:
        advice = "Reinstall it: pip install --force-reinstall tinyml-cli"
    else:
        advice = "Fix the file; docs/boards.md describes its fields."
    return TinymlError(f"The board's description is invalid ({problem})", str(path), advice)
