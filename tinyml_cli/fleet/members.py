"""A device behind a gateway: what the fleet asks of it, whatever it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tinyml_cli.errors import TinymlError
from tinyml_cli.fleet.gateway_state import GatewayState
from tinyml_cli.fleet.messages import FleetRelease
from tinyml_cli.fleet.summary import DeviceSummary

BOOTS = 3
"""After so many starts without a passed self-test, a device goes back to what it ran."""


class InstallError(Exception):
    """A release was not taken; the device runs what it ran."""


class PowerCutError(Exception):
    """A virtual device lost its power; it starts again with what its slots hold."""


@dataclass(frozen=True)
class HeldRelease:
    """A release that is on the gateway's disk, whole: `folder` holds its run, `update` its signed update."""

    document: FleetRelease
    folder: Path
    update: Path | None = None


class Member(Protocol):
    """A device.

    Attributes:
        id: unique in the fleet.
        board: its kind.
        takes_updates: whether it is brought releases as signed updates.
    """

    id: str
    board: str
    takes_updates: bool

    @property
    def is_silent(self) -> bool:
        """Whether it tells nothing any more."""

    def model(self) -> str:
        """The first digits of the SHA-256 of the model that runs; empty where none does."""

    def install(self, release: HeldRelease, revision: int) -> None:
        """Brings it to run a release: returns after its self-test has passed.

        Raises:
            InstallError: it was refused or did not start; the device runs what it ran.
            PowerCutError: nobody knows yet; `resume` finds out.
        """

    def resume(self) -> None:
        """After power came: goes on with an installation that was cut off, or starts what runs.

        Raises: as `install`.
        """

    def shadow(self, release: HeldRelease | None) -> None:
        """Has a second model score beside the acting one, or no more.

        Raises:
            InstallError: the device cannot.
        """

    def turn(self, summary: DeviceSummary) -> None:
        """Listens for a moment.

        Raises:
            TinymlError: the device does not answer.
        """


class MemberSlots:
    """Two places for a release, of which one is always whole: a board's flash, kept by the gateway.

    Args:
        state: of the gateway.
        id: of the device.
    """

    def __init__(self, state: GatewayState, id: str) -> None:
        self._state = state
        self._id = id

    def write(self, release: str, revision: int) -> None:
        """The other slot holds a release that has not been started."""
        self._state.change(self._id, trying=release, boots=0, revision=revision)

    def is_trying(self) -> str | None:
        """The release to start; None: what runs. One that was started too often is given up."""
        known = self._state.member(self._id)
        if known.trying is None:
            return None
        if known.boots >= BOOTS:
            self.give_up(f"did not pass its self-test in {BOOTS} starts")
            return None
        self._state.change(self._id, boots=known.boots + 1)
        return known.trying

    def keep(self) -> None:
        """The self-test has passed: the other slot is the one that is used."""
        known = self._state.member(self._id)
        self._state.change(
            self._id,
            running=known.trying,
            previous=known.running,
            trying=None,
            boots=0,
            failed=None,
            reason="",
        )

    def give_up(self, reason: str) -> None:
        """The release stays where it is, and is not started any more."""
        known = self._state.member(self._id)
        self._state.change(self._id, trying=None, boots=0, failed=known.trying, reason=reason)


def refused(error: TinymlError) -> InstallError:
    """An error of a stage as the reason of a device."""
    return InstallError(f"{error.what} {error.where}".strip()[:300])
