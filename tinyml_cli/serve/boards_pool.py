"""Firmware on this computer that answers: each model's C, in processes that are kept between requests."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli import __version__
from tinyml_cli.boards.boards import load_board
from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.refusals import BusyError
from tinyml_cli.link.link import Link
from tinyml_cli.link.virtual import VirtualDevice
from tinyml_cli.run import MANIFEST, Run
from tinyml_cli.serve.answers import BOARD
from tinyml_cli.serve.dispatcher import ARTIFACTS, Dispatcher
from tinyml_cli.serve.job_queue import JobQueue
from tinyml_cli.serve.orders import JobOrder

MOST_BOARDS = 16
_MOST_IDLE = 8
_WAIT_S = 30.0
_BUILD_S = 300.0
_POLL_S = 0.05


@dataclass
class OpenBoard:
    """A process with a model's firmware."""

    key: str
    link: Link
    stack: contextlib.ExitStack
    used_s: float = 0.0


class BoardPool:
    """Builds firmware by jobs, starts it, and lends it.

    Args:
        folder: keeps the programs.
        queue, dispatcher: of the jobs that build them.
    """

    def __init__(self, folder: Path, queue: JobQueue, dispatcher: Dispatcher) -> None:
        self._folder = folder
        self._queue = queue
        self._dispatcher = dispatcher
        self._idle: list[OpenBoard] = []
        self._places = threading.BoundedSemaphore(MOST_BOARDS)
        self._lock = threading.Lock()
        self._building: dict[str, threading.Lock] = {}
        self._is_closed = False

    @contextlib.contextmanager
    def lent(self, run: Run) -> Iterator[Link]:
        """A board that runs the run's firmware and waits for a command.

        Raises:
            TinymlError: the firmware cannot be built or started.
            BusyError: all boards are in use.
        """
        key = _key(run)
        program = self._program(run, key)
        if not self._places.acquire(timeout=_WAIT_S):
            raise BusyError(f"All {MOST_BOARDS} boards are in use", run.path.name, "Ask again later.")
        try:
            board = self._taken(key) or _started(key, program)
            try:
                yield board.link
            except BaseException:
                board.stack.close()  # whatever it is in the middle of
                raise
            self._give_back(board)
        finally:
            self._places.release()

    def close(self) -> None:
        """Ends all boards that wait."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for board in idle:
            board.stack.close()

    def _taken(self, key: str) -> OpenBoard | None:
        with self._lock:
            for board in reversed(self._idle):
                if board.key == key:
                    self._idle.remove(board)
                    return board
        return None

    def _give_back(self, board: OpenBoard) -> None:
        board.link.take_events()
        board.used_s = time.monotonic()
        with self._lock:
            if self._is_closed:
                surplus = [board]
            else:
                self._idle.append(board)
                surplus, self._idle = self._idle[:-_MOST_IDLE], self._idle[-_MOST_IDLE:]
        for each in surplus:
            each.stack.close()

    def _program(self, run: Run, key: str) -> Path:
        """The run's program for this computer, built where it is not there."""
        program = self._folder / key / "firmware.elf"
        with self._lock:
            building = self._building.setdefault(key, threading.Lock())
        with building:
            if not program.is_file():
                load_board(BOARD).require("build")
                self._build(run, program)
        return program

    def _build(self, run: Run, program: Path) -> None:
        job = self._queue.add(JobOrder(kind="firmware", run=run.path.name, board=BOARD), urgent=True)
        latest_s = time.monotonic() + _BUILD_S
        while (job := self._queue.find(job.id)).state in ("queued", "running"):
            if time.monotonic() > latest_s:
                raise BusyError("The firmware is still being built", run.path.name, "Ask again later.")
            time.sleep(_POLL_S)
        if job.error is not None:
            raise TinymlError(**job.error.model_dump())
        made = self._dispatcher.place(job.id) / ARTIFACTS / program.name
        program.parent.mkdir(parents=True, exist_ok=True)
        half = program.with_name(f"{job.id}.part")
        try:
            shutil.copy(made, half)
        except OSError as error:
            raise TinymlError("The build was cancelled", run.path.name, "Ask again.") from error
        half.replace(program)
        self._dispatcher.clear(job.id)
        self._queue.forget(job.id)


def _key(run: Run) -> str:
    """Of what the firmware is made from: the manifest names the hash of every model."""
    return hashlib.sha256(f"{__version__}\n".encode() + run.file(MANIFEST).read_bytes()).hexdigest()[:32]


def _started(key: str, program: Path) -> OpenBoard:
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(VirtualDevice(BOARD, program))
        link = stack.enter_context(Link(device.url))
        link.wait_ready()
        return OpenBoard(key, link, stack.pop_all())
    raise AssertionError
