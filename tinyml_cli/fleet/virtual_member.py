"""A virtual device: firmware on this computer in a room of its own; some are broken, each in its way."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml_cli.errors import TinymlError
from tinyml_cli.fleet.gateway_state import GatewayState
from tinyml_cli.fleet.members import HeldRelease, InstallError, MemberSlots, PowerCutError, refused
from tinyml_cli.fleet.programs import BOARD, OpenFirmware, Programs
from tinyml_cli.fleet.rooms import Room, RoomSound
from tinyml_cli.fleet.summary import DeviceSummary
from tinyml_cli.link.protocol import Detection, Event

FAULTS = ("deaf", "loud", "no-boot", "power-cuts", "silent")
"""The microphone hears next to nothing, or clips; updates never start; power fails in half of all steps of an
update; the device is not heard of any more after its second release."""

_GAIN_DB = {"deaf": -70.0, "loud": 45.0}


class VirtualMember:
    """See `Member`.

    Args:
        id: of the device.
        state: of its gateway.
        programs: firmware.
        sounds: a folder of recordings, with a folder for each word.
        seed: of its room and of its faults.
        fault: one of FAULTS, or "".
    """

    takes_updates = False

    def __init__(
        self, id: str, state: GatewayState, programs: Programs, sounds: Path, seed: int, fault: str = ""
    ) -> None:
        self.id = id
        self.board = BOARD
        self.fault = fault
        self._state = state
        self._slots = MemberSlots(state, id)
        self._programs = programs
        self._sounds = sounds
        self._seed = seed
        self._rng = np.random.default_rng((seed, 1))
        self._running: HeldRelease | None = None
        self._shadow: HeldRelease | None = None
        self._room: tuple[list[str], Room] | None = None

    @property
    def is_silent(self) -> bool:
        return self.fault == "silent" and self._state.member(self.id).previous is not None

    def model(self) -> str:
        return self._running.document.model_sha256[:16] if self._running else ""

    def install(self, release: HeldRelease, revision: int) -> None:
        self._fail_sometimes()
        self._slots.write(release.document.id, revision)
        self._fail_sometimes()
        self.resume()

    def resume(self) -> None:
        wanted = self._state.member(self.id).trying
        while (trying := self._slots.is_trying()) is not None:
            self._fail_sometimes()
            if self._starts(trying):
                self._fail_sometimes()
                self._slots.keep()
        known = self._state.member(self.id)
        self._running = self._programs.held(known.running) if known.running else None
        if wanted is not None and known.running != wanted:
            raise InstallError(known.reason)

    def _starts(self, id: str) -> bool:
        """Whether a release passes its self-test here."""
        release = self._programs.held(id)
        if release is None:
            return False
        is_update = self._state.member(self.id).running is not None
        return self._program(release).passed and not (self.fault == "no-boot" and is_update)

    def _program(self, release: HeldRelease) -> OpenFirmware:
        try:
            return self._programs.program(release)
        except TinymlError as error:
            raise refused(error) from error

    def _fail_sometimes(self) -> None:
        if self.fault == "power-cuts" and self._rng.random() < 0.5:
            raise PowerCutError

    def shadow(self, release: HeldRelease | None) -> None:
        self._shadow = release

    def turn(self, summary: DeviceSummary) -> None:
        if self._running is None:
            return
        utterance = self._utterance(self._running)
        is_right, events = self._judged(self._running, utterance)
        rate_hz = self._running_rate(self._running)
        summary.add(events, len(utterance.audio) / rate_hz)
        summary.probe(is_right)
        if self._shadow is not None:
            shadow_is_right, _ = self._judged(self._shadow, utterance)
            summary.shadow(self._shadow.document.id, is_right, shadow_is_right)

    def _judged(self, release: HeldRelease, utterance: RoomSound) -> tuple[bool, list[Event]]:
        """Whether a release hears what is said and nothing else, and all that it says."""
        try:
            events = self._programs.program(release).play(utterance.audio)
        except TinymlError:
            self._programs.forget(release)
            raise
        heard = {event.label for event in events if isinstance(event, Detection)}
        return heard == ({utterance.expected} if utterance.expected else set()), events

    def _utterance(self, release: HeldRelease) -> RoomSound:
        labels = release.document.labels
        if self._room is None or self._room[0] != labels:
            self._room = labels, Room(self._sounds, labels, self._running_rate(release), self._seed)
        return self._room[1].utterance(_GAIN_DB.get(self.fault, 0.0))

    def _running_rate(self, release: HeldRelease) -> int:
        features = self._programs.program(release).manifest.features
        if features is None:
            raise TinymlError(
                "Virtual devices hear, and the release's model does not",
                release.document.name,
                "Release a model of sound, or use --board.",
            )
        return features.sample_rate_hz
