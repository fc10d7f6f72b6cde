"""What firmware is built for: one object, made from a command's options and passed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tinyml_cli import registry
from tinyml_cli.boards.boards import Board, load_board
from tinyml_cli.build.cascade import APP as CASCADE
from tinyml_cli.emulator.board import check_emulated
from tinyml_cli.emulator.recordings import Surroundings
from tinyml_cli.errors import TinymlError
from tinyml_cli.run import Run

MULTI_TENANT = "multi_tenant"


LEARNER = "learner"
"""Keyword spotting that is taught words on the board; see `tinyml_cli.teaching.firmware`."""


@dataclass(frozen=True)
class AddedSources:
    """Sources that take the place of the run's exported ones or join them.

    Attributes:
        texts: by file name.
        defines: macros of tinyml_build.h, without their TINYML_.
    """

    texts: Mapping[str, str]
    defines: Mapping[str, str]


@dataclass(frozen=True)
class SlotOptions:
    """What firmware is built with whose model can be replaced by an update.

    Attributes:
        public_key: that verifies updates, 32 bytes.
        release: of the model that is compiled in, updates have a higher one; None: the time of its file.
    """

    public_key: bytes
    release: int | None = None


@dataclass(frozen=True)
class BuildTarget:
    """A board, and what shall run on it besides the model of a run.

    Attributes:
        board: the board.
        asked_engine: "aot" or "tflm"; None takes the board's default, see `engine`.
        tflm_dir: source tree of TensorFlow Lite Micro as a PlatformIO library, for the engine tflm.
        app: the firmware application; None takes what the models need, see `application`.
        port: a serial port or pyserial URL; None looks for a real board and starts a virtual one.
        second: the run whose model shares the board.
        added: what the application needs besides the run's exported sources.
        slots: set where updates may replace the model.
        emulated: what surrounds a model of the board that takes its place; None is the board itself.
        benchmark: what the application `bench` measures; None takes what fits the model's shapes.
    """

    board: Board
    asked_engine: str | None = None
    tflm_dir: Path | None = None
    app: str | None = None
    port: str | None = None
    second: Run | None = None
    benchmark: str | None = None
    slots: SlotOptions | None = None
    emulated: Surroundings | None = None
    added: AddedSources | None = None

    @property
    def engine(self) -> str:
        """The engine that was asked for, or the board's default; for slots the one that has them."""
        return self.asked_engine or ("aot" if self.slots is not None else self.board.default_engine)

    @property
    def is_usb(self) -> bool:
        """Whether the board is real hardware, or a model that stands in for it."""
        return self.board.kind == "usb"

    def on(self, board: str) -> Self:
        """The same for another board, wherever that is.

        Raises:
            TinymlError: no such board.
        """
        return replace(self, board=load_board(board), port=None)

    def bench(self, benchmark: str | None = None) -> Self:
        """The same with the application `bench`."""
        return replace(self, app="bench", benchmark=benchmark)

    def application(self, run: Run) -> str:
        """The firmware application of a run's model and of the one that shares its board."""
        if self.app is not None:
            return self.app
        return default_app(run.manifest().task) if self.second is None else shared_app(self.second)


def build_target(
    board: str,
    engine: str | None = None,
    tflm_dir: Path | None = None,
    *,
    app: str | None = None,
    port: str | None = None,
    second: Run | None = None,
    slots: SlotOptions | None = None,
    emulated: Surroundings | None = None,
) -> BuildTarget:
    """The target that options of a command line name.

    Raises:
        TinymlError: no such board, or it cannot be emulated.
    """
    target = BuildTarget(
        load_board(board), engine, tflm_dir, app, port, second, slots=slots, emulated=emulated
    )
    if emulated is not None:
        check_emulated(target.board)
        if port is not None:
            what = "An emulated board has a port of its own"
            raise TinymlError(what, "--port", "Omit --port, or --emulated.")
    return target


def default_app(task: str) -> str:
    """The application that a task's firmware runs; `bench` for a model without a task."""
    app: str = registry.task(task).firmware_app
    return app


def peripherals(app: str) -> set[str]:
    """What an application drives that not every board has: `camera`, `bluetooth`."""
    return {name for task in registry.tasks_of(app) for name in task.peripherals}


def main_stack_bytes(target: BuildTarget, app: str) -> int | None:
    """An application's own stack; None where the board leaves it to the core."""
    arduino = target.board.arduino
    return arduino.stack_bytes(peripherals(app)) if arduino else None


def shared_app(second: Run) -> str:
    """The application of a board whose second model is this run's."""
    return CASCADE if second.manifest().image is not None else MULTI_TENANT
