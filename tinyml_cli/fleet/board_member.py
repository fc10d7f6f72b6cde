"""A board on a port, as a device of the fleet."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from tinyml_cli.build.target import BuildTarget
from tinyml_cli.connect import open_board
from tinyml_cli.errors import TinymlError
from tinyml_cli.fleet.gateway_state import GatewayState
from tinyml_cli.fleet.members import HeldRelease, InstallError, PowerCutError, refused
from tinyml_cli.fleet.programs import Programs
from tinyml_cli.fleet.summary import DeviceSummary
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event, Ready, Slots
from tinyml_cli.run import Run
from tinyml_cli.updates import image
from tinyml_cli.updates.delivery import RefusedUpdateError, deliver, slots_of

_LISTEN_S = 0.5
_AGAIN_S = 5.0


class BoardMember:
    """See `Member`. What it runs lies in its own flash: the model that was flashed, or that of a slot.

    Args:
        id: of the device.
        run, target: whose firmware it has, and where it is.
        state, programs: of its gateway.
    """

    is_silent = False
    takes_updates = True

    def __init__(
        self, id: str, run: Run, target: BuildTarget, state: GatewayState, programs: Programs
    ) -> None:
        self.id = id
        self.board = target.board.name
        self._run = run
        self._target = target
        self._state = state
        self._programs = programs
        self._link: Link | None = None
        self._stack = contextlib.ExitStack()
        self._model = ""
        self._retry_s = 0.0

    def open(self) -> Link:
        """Connects it where it is not.

        Raises:
            TinymlError: it does not answer.
        """
        if self._link is None:
            with contextlib.ExitStack() as stack:
                link = stack.enter_context(open_board(self._run, self._target, keeps_flash=True))
                self._started(link, link.wait_ready())
                self._link, self._stack = link, stack.pop_all()
        return self._link

    def close(self) -> None:
        """Disconnects it."""
        self._link = None
        self._stack.close()

    def _started(self, link: Link, ready: Ready) -> None:
        """Takes in what a board runs that has just started, and asks it to report again."""
        self._model = ready.model
        known = self._state.member(self.id).running
        held = self._programs.held(known) if known else None
        if held is None or not _is_of(held, ready.model):
            self._state.change(self.id, running=None)
        link.trace("scores", "features", "status")

    def model(self) -> str:
        return self._model[:16]

    def install(self, release: HeldRelease, revision: int) -> None:
        if time.monotonic() < self._retry_s:
            raise PowerCutError
        try:
            self._bring(release, self.open())
        except RefusedUpdateError as error:
            if release.update is not None:  # the next time it is fetched again: anybody may have forged it
                release.update.unlink(missing_ok=True)
            raise refused(error) from error
        except TinymlError as error:  # its power failed, or it was unplugged; its slots know how far it came
            self._lose()
            raise PowerCutError from error

    def _bring(self, release: HeldRelease, link: Link) -> None:
        try:
            before = slots_of(link)
        except RefusedUpdateError:
            if _is_of(release, self._model):
                return
            raise
        if _is_of(release, before.model) and not _has_newer(before):
            return
        update = _update(release)
        number = image.read_header(update, release.document.name).release
        after = before
        if number > before.release and number not in _rejected(before):
            deliver(link, update, self.id, self._tables(before.model))
            link.restart()
            after = self._restarted(link)
        if after.release != number:
            raise InstallError(
                f"runs model {after.model} of release {after.release}: the new one did not pass its self-test"
                if number in _rejected(after)
                else f"runs release {after.release}; the update's {number} is no newer"
            )

    def _tables(self, model: str) -> bytes | None:
        """Those that the board runs, where it had them from here."""
        known = self._state.member(self.id).running
        held = self._programs.held(known) if known else None
        if held is None or held.update is None or not _is_of(held, model):
            return None
        return held.update.read_bytes()[image.HEADER_BYTES :]

    def _restarted(self, link: Link) -> Slots:
        if self._target.is_usb:
            self._started(link, link.wait_ready())
        else:
            self.close()
            link = self.open()
        return slots_of(link)

    def resume(self) -> None:
        """Its slots go on by themselves."""

    def shadow(self, release: HeldRelease | None) -> None:
        if release is not None:
            raise InstallError("a board's own microphone feeds no second model")

    def turn(self, summary: DeviceSummary) -> None:
        if self._link is None and time.monotonic() < self._retry_s:
            return
        started = time.monotonic()
        events: list[Event] = []
        try:
            link = self.open()
            for event in link.events(_LISTEN_S):
                if isinstance(event, Ready):
                    self._started(link, event)
                events.append(event)
        except TinymlError:
            self._lose()
            raise
        summary.add(events, time.monotonic() - started)

    def _lose(self) -> None:
        self.close()
        self._retry_s = time.monotonic() + _AGAIN_S


def _is_of(release: HeldRelease, model: str) -> bool:
    return bool(model) and release.document.model_sha256.startswith(model)


def _has_newer(slots: Slots) -> bool:
    """Whether the board would start something else the next time."""
    waiting = ((slots.a, slots.a_release), (slots.b, slots.b_release))
    return any(state == "complete" and number > slots.release for state, number in waiting)


def _rejected(slots: Slots) -> set[int]:
    states = ((slots.a, slots.a_release), (slots.b, slots.b_release))
    return {number for state, number in states if state == "rejected"}


def _update(release: HeldRelease) -> bytes:
    path: Path | None = release.update
    if path is None:
        raise InstallError("was signed for no board: start the rollout with --update-key")
    return path.read_bytes()
