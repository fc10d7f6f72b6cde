"""A gateway: speaks MQTT for devices that have no address, and keeps for them what a power cut must not take.

A thread lives with the devices, one after another; the event loop talks to the broker. They meet in the
gateway's state and in three tables under a lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.fleet.broker import Broker, MqttLine, connected, together
from tinyml_cli.fleet.gateway_state import GatewayState, MemberState
from tinyml_cli.fleet.members import HeldRelease, InstallError, Member, PowerCutError
from tinyml_cli.fleet.messages import (
    Acknowledged,
    DamagedMessageError,
    DesiredState,
    FleetRelease,
    GatewayStatus,
    Phase,
    ReportedState,
    device_topic,
    gateway_topic,
    release_topic,
)
from tinyml_cli.fleet.programs import Programs
from tinyml_cli.fleet.summary import DeviceSummary
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import Run

if TYPE_CHECKING:
    import aiomqtt

_ON_TOP_BYTES = 60
"""Topic and header of a telemetry message, beside its payload."""
_RESEND_S = 20.0
_POLL_S = 0.2
_IDLE_S = 0.01
_AT_ONCE = 500
_DESIRED = re.compile(r"tinyml/v1/dev/([^/]+)/shadow/desired")
_RELEASE = re.compile(r"tinyml/v1/release/([^/]+)(/package|/update)?")


@dataclass(frozen=True)
class GatewayOptions:
    """How a gateway works.

    Attributes:
        id: of the gateway.
        pace_s: between two moments in which a device is listened to.
        report_s: between two telemetry messages of a device, at least.
        bytes_per_s: that a device's telemetry takes at most, on average.
        heartbeat_s: between two reports of a device of which nothing changes.
    """

    id: str
    pace_s: float = 0.0
    report_s: float = 60.0
    bytes_per_s: float = 10.0
    heartbeat_s: float = 600.0


class Gateway:
    """See above.

    Args:
        broker: where to.
        options: how.
        members: its devices.
        state, programs: what it keeps.
        line: to the broker.
    """

    def __init__(
        self,
        broker: Broker,
        options: GatewayOptions,
        members: Sequence[Member],
        state: GatewayState,
        programs: Programs,
        line: MqttLine,
    ) -> None:
        self._broker = broker
        self._options = options
        self._members = {member.id: member for member in members}
        self._state = state
        self._programs = programs
        self._line = line
        self._lock = threading.Lock()
        self._desired: dict[str, DesiredState] = {}
        self._reports: dict[str, ReportedState] = {}
        self._reported: dict[str, tuple[MemberState, Phase, str]] = {}
        self._wanted: dict[str, int] = {}
        self._summaries: dict[str, DeviceSummary] = {}
        self._due_s: dict[str, float] = {}
        self._turn_s: dict[str, float] = {}
        self._ends = threading.Event()
        self.defect: BaseException | None = None

    async def serve(self) -> None:
        """Until it is cancelled, or the thread of the devices fails."""
        worker = threading.Thread(target=self._live, daemon=True)
        worker.start()
        status = gateway_topic(self._options.id, "status")
        will = (status, GatewayStatus(online=False).encoded())
        try:
            await connected(
                self._broker,
                lambda: self._broker.client(f"tinyml-gateway-{self._options.id}", will),
                self._talk,
                console.warn,
            )
        finally:
            self._ends.set()
            await asyncio.to_thread(worker.join, 30)
        if self.defect is not None:
            raise self.defect

    # The event loop

    async def _talk(self, client: aiomqtt.Client) -> None:
        await client.subscribe(gateway_topic(self._options.id, "ack"), qos=1)
        for start in range(0, len(self._members), _AT_ONCE):
            ids = list(self._members)[start : start + _AT_ONCE]
            await client.subscribe([(device_topic(id, "shadow/desired"), 1) for id in ids])
        online = GatewayStatus(online=True).encoded()
        await client.publish(gateway_topic(self._options.id, "status"), online, qos=1, retain=True)
        try:
            await together(self._receive(client), self._send(client))
        finally:  # an orderly end leaves no will
            offline = GatewayStatus(online=False).encoded()
            with contextlib.suppress(Exception):
                await client.publish(gateway_topic(self._options.id, "status"), offline, qos=1, retain=True)

    async def _receive(self, client: aiomqtt.Client) -> None:
        documents: dict[str, FleetRelease] = {}
        packages: dict[str, bytes] = {}
        with self._lock:
            asked, self._wanted = self._wanted, {}
        for id, number in asked.items():  # where the connection broke in the middle of a download
            await self._want(client, id, number)
        async for topic, payload in self._line.received(client):
            try:
                if match := _DESIRED.fullmatch(topic):
                    await self._take_desired(client, match[1], DesiredState.decoded(payload))
                elif match := _RELEASE.fullmatch(topic):
                    if match[2] == "/update":
                        await self._take_update(client, match[1], payload)
                        continue
                    if match[2]:
                        packages[match[1]] = payload
                    else:
                        documents[match[1]] = FleetRelease.decoded(payload)
                    await self._take_release(client, match[1], documents, packages)
                else:
                    known = Acknowledged.decoded(payload).upto.items()
                    upto = {id: n for id, (epoch, n) in known if epoch == self._state.epoch}
                    self._state.acknowledge(upto)
            except DamagedMessageError as error:
                console.warn(f"{topic}: a message that cannot be read: {str(error)[:100]}")

    async def _take_desired(self, client: aiomqtt.Client, device: str, desired: DesiredState) -> None:
        with self._lock:
            known = self._desired.get(device)
            if device not in self._members or (known and known.revision >= desired.revision):
                return
            self._desired[device] = desired
        update = desired.update if self._members[device].takes_updates else 0
        for id, number in ((desired.release, update), (desired.shadow, 0)):
            if id is not None and self._is_missing(id, number):
                await self._want(client, id, number)

    def _is_missing(self, id: str, number: int) -> bool:
        """Whether a release is not here, or not its update of this number."""
        return self._programs.held(id) is None or (number > 0 and self._programs.update_number(id) < number)

    async def _want(self, client: aiomqtt.Client, id: str, number: int) -> None:
        with self._lock:
            if self._wanted.get(id, -1) >= number:
                return
            self._wanted[id] = number
        await client.subscribe([(release_topic(id), 1), (release_topic(id, "/package"), 1)])
        if number:
            await client.subscribe(release_topic(id, "/update"), qos=1)

    async def _take_update(self, client: aiomqtt.Client, id: str, update: bytes) -> None:
        try:
            await asyncio.to_thread(self._programs.keep_update, id, update)
        except TinymlError as error:
            console.warn(str(error))
        await self._have(client, id)

    async def _have(self, client: aiomqtt.Client, id: str) -> None:
        """Ends a download that is whole."""
        with self._lock:
            if id not in self._wanted or self._is_missing(id, self._wanted[id]):
                return
            del self._wanted[id]
        await client.unsubscribe([release_topic(id, what) for what in ("", "/package", "/update")])

    async def _take_release(
        self,
        client: aiomqtt.Client,
        id: str,
        documents: dict[str, FleetRelease],
        packages: dict[str, bytes],
    ) -> None:
        if id not in documents or id not in packages:
            return
        try:
            await asyncio.to_thread(self._programs.keep, documents.pop(id), packages.pop(id))
        except TinymlError as error:
            console.warn(str(error))
            return
        await self._have(client, id)

    async def _send(self, client: aiomqtt.Client) -> None:
        told: dict[str, tuple[float, ReportedState]] = {}
        sent: dict[tuple[str, int], float] = {}
        while not self._ends.is_set():
            now = time.monotonic()
            with self._lock:
                reports = dict(self._reports)
            for id, report in reports.items():
                at_s, last = told.get(id, (0.0, None))
                if report != last or now >= at_s + self._options.heartbeat_s:
                    told[id] = (now, report)
                    topic = device_topic(id, "shadow/reported")
                    await self._line.publish(client, topic, report.encoded(), qos=1, retain=True)
            waiting = await asyncio.to_thread(self._state.waiting, _AT_ONCE)
            sent = {key: sent[key] for device, number, _ in waiting if (key := (device, number)) in sent}
            for device, number, payload in waiting:
                if now >= sent.get((device, number), 0.0):
                    await self._line.publish(client, device_topic(device, "telemetry"), payload)
                    sent[device, number] = now + _RESEND_S
            await asyncio.sleep(_POLL_S)

    # The thread of the devices

    def _live(self) -> None:
        try:
            for member in self._members.values():
                self._tried(member, member.resume)
            while not self._ends.is_set():
                visited = [self._visit(member) for member in self._members.values()]
                if not any(visited):
                    self._ends.wait(_IDLE_S)
        except BaseException as error:
            self.defect = error
        finally:
            self._ends.set()
            self._programs.close()

    def _visit(self, member: Member) -> bool:
        """Lives with a device for a moment; whether there was anything to do."""
        if self._ends.is_set():
            return True
        phase = self._obey(member)
        self._report(member, phase)
        now = time.monotonic()
        if now < self._turn_s.get(member.id, 0.0):
            return False
        self._turn_s[member.id] = now + self._options.pace_s
        summary = self._summary(member)
        try:
            member.turn(summary)
        except TinymlError as error:
            console.warn(f"{member.id}: {error}")
            self._turn_s[member.id] = now + max(1.0, self._options.pace_s)
        if now >= self._due_s.get(member.id, 0.0) and not summary.is_empty:
            self._queue(member)
        return True

    def _queue(self, member: Member) -> None:
        """Hands over what was counted; the next time, when the line has had time for so many bytes."""
        summary = self._summaries.get(member.id)
        if summary is None or summary.is_empty or member.is_silent:
            return
        size = self._state.queue(member.id, lambda number: summary.take(self._state.epoch, number))
        pause_s = max(self._options.report_s, (size + _ON_TOP_BYTES) / self._options.bytes_per_s)
        self._due_s[member.id] = time.monotonic() + pause_s

    def _summary(self, member: Member) -> DeviceSummary:
        if member.id not in self._summaries:
            running = self._state.member(member.id).running
            held = self._programs.held(running) if running else None
            document = held.document if held else None
            self._summaries[member.id] = DeviceSummary(document, _manifest(held) if held else None)
        return self._summaries[member.id]

    def _obey(self, member: Member) -> Phase:
        """Brings a device to what it shall run."""
        known = self._state.member(member.id)
        if known.trying is not None:
            self._tried(member, member.resume)
            return "updating"
        with self._lock:
            desired = self._desired.get(member.id)
        if desired is None or desired.revision <= known.revision:
            return "idle"
        held: dict[str, HeldRelease] = {}
        for id in (desired.release, desired.shadow):
            if id is not None:
                update = desired.update if member.takes_updates and id == desired.release else 0
                found = self._programs.held(id)
                if found is None or self._is_missing(id, update):
                    return "downloading"
                held[id] = found
        if desired.release and desired.release != known.running:
            release = held[desired.release]
            self._queue(member)  # what was counted belongs to the release that ran
            if not self._tried(member, lambda: member.install(release, desired.revision), desired):
                return "updating"
        shadow = held[desired.shadow] if desired.shadow else None
        with contextlib.suppress(InstallError):
            member.shadow(shadow)
            self._state.change(member.id, shadow=desired.shadow)
        self._state.change(member.id, revision=desired.revision)
        return "idle"

    def _tried(self, member: Member, act: Callable[[], None], desired: DesiredState | None = None) -> bool:
        """Does what may fail; False where the power failed, and it is to be done again."""
        try:
            act()
            if desired is not None:
                self._state.change(member.id, running=desired.release, failed=None, reason="")
        except InstallError as error:
            if desired is not None:
                self._state.change(member.id, failed=desired.release, reason=str(error))
        except PowerCutError:
            return False
        finally:
            self._summaries.pop(member.id, None)
        return True

    def _report(self, member: Member, phase: Phase) -> None:
        if member.is_silent:
            with self._lock:
                self._reports.pop(member.id, None)
            self._reported.pop(member.id, None)
            return
        known = self._state.member(member.id)
        made_of = (known, phase, member.model())
        if self._reported.get(member.id) == made_of:
            return
        self._reported[member.id] = made_of
        report = ReportedState(
            gateway=self._options.id,
            board=member.board,
            model=made_of[2],
            release=known.running,
            shadow=known.shadow,
            revision=known.revision,
            phase=phase,
            failed=known.failed,
            reason=known.reason[:300],
        )
        with self._lock:
            self._reports[member.id] = report


def _manifest(held: HeldRelease) -> Manifest:
    return Run(held.folder).manifest()
