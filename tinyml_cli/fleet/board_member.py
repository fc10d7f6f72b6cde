"""A board on a port, as a device of the fleet."""

from __future__ import annotations

import contextlib
import time

from tinyml_cli.build.target import BuildTarget
from tinyml_cli.connect import open_board
from tinyml_cli.errors import TinymlError
from tinyml_cli.fleet.members import HeldRelease, InstallError
from tinyml_cli.fleet.summary import DeviceSummary
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event, Ready
from tinyml_cli.run import Run

_LISTEN_S = 0.5
_AGAIN_S = 5.0


class BoardMember:
    """See `Member`. Its firmware runs the model that was flashed.

    Args:
        id: of the device.
        run, target: whose firmware it has, and where it is.
    """

    def __init__(self, id: str, run: Run, target: BuildTarget) -> None:
        self.id = id
        self.board = target.board.name
        self._run = run
        self._target = target
        self._link: Link | None = None
        self._stack = contextlib.ExitStack()
        self._ready: Ready | None = None
        self._retry_s = 0.0

    @property
    def is_silent(self) -> bool:
        return False

    def open(self) -> Ready:
        """Connects it.

        Raises:
            TinymlError: it does not answer.
        """
        with contextlib.ExitStack() as stack:
            self._link = stack.enter_context(open_board(self._run, self._target))
            self._ready = self._link.wait_ready()
            self._link.trace("scores", "features", "status")
            self._stack = stack.pop_all()
        return self._ready

    def close(self) -> None:
        """Disconnects it."""
        self._link = None
        self._stack.close()

    def model(self) -> str:
        return self._ready.model[:16] if self._ready else ""

    def install(self, release: HeldRelease, revision: int) -> None:
        if self._ready and release.document.model_sha256.startswith(self._ready.model):
            return
        raise InstallError(
            "gateways bring no release to a real board: update it with tinyml flash --model-only"
        )

    def resume(self) -> None:
        """Nothing is ever cut off."""

    def shadow(self, release: HeldRelease | None) -> None:
        if release is not None:
            raise InstallError("a board's own microphone feeds no second model")

    def turn(self, summary: DeviceSummary) -> None:
        if self._link is None:
            if time.monotonic() < self._retry_s:
                return
            self._retry_s = time.monotonic() + _AGAIN_S
            self.open()
        assert self._link is not None
        started = time.monotonic()
        events: list[Event] = []
        try:
            for event in self._link.events(_LISTEN_S):
                if isinstance(event, Ready):
                    self._ready = event
                events.append(event)
        except TinymlError:
            self.close()
            raise
        summary.add(events, time.monotonic() - started)
