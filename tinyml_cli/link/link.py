"""A conversation with a device: commands are answered or resent; events are collected."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.link import protocol
from tinyml_cli.link.protocol import (
    Ack,
    Event,
    Fault,
    KnownWord,
    LineDecoder,
    Nak,
    Output,
    Ready,
    Sensors,
    Slots,
    Text,
    TraceMode,
)
from tinyml_cli.link.transport import DeviceGoneError, Transport

_Reply = TypeVar("_Reply", Ack, Output, Ready, Sensors, Slots)

_RECONNECT_POLL_S = 0.2
_AHEAD = 16
# How long to keep waiting after a nak without a number: it may refuse older noise rather than our line.
_AFTER_BANNER_S = 1.0
_NUMBERLESS_NAK_GRACE_S = 0.3
# Reasons that a damaged line can have; the others say that the host asks for something impossible.
_TRANSIENT_REASONS = ("crc", "format")


class Reconnected(Event):
    """A host-side event: the port had vanished and is back; what was in flight is lost."""

    event: str = "reconnected"


class CommandRefusedError(TinymlError):
    """A command that the device refused; `reason` is what it gave."""

    def __init__(self, reason: str, what: str, where: str, next_step: str) -> None:
        super().__init__(what, where, next_step)
        self.reason = reason


class Link:
    """A device on a serial port or socket, one command at a time (stop-and-wait).

    Use as a context manager. Events that arrive while a command waits are kept for `take_events`.

    Args:
        url: a port name, or `socket://host:port`.
        timeout_s: how long to wait for an answer before a command is sent again.
        attempts: how often a command is sent at most.
        reconnect_s: how long to wait for a vanished serial port to come back.
        locate: finds the port again, since a board may come back under another name; raises TinymlError as
            long as it is away.
        on_lost: told when the port vanishes, before the wait.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = 5.0,
        attempts: int = 4,
        reconnect_s: float = 10.0,
        locate: Callable[[], str] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self.url = url
        self.resent = 0
        self.reboots = 0
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._reconnect_s = reconnect_s
        self._locate = locate
        self._on_lost = on_lost
        self._transport = Transport(url)
        self._decoder = LineDecoder()
        self._inbox: deque[Event] = deque()
        self._kept: deque[Event] = deque()
        self._seq = 0
        self._expected_banners = 1

    def __enter__(self) -> Self:
        self._transport.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def wait_ready(self, timeout_s: float = 10.0) -> Ready:
        """Waits for the boot banner; asks for it where none comes by itself.

        Raises:
            TinymlError: nothing answers, something else answers, or another protocol version.
        """
        deadline = time.monotonic() + timeout_s
        other_text = ""
        ask_at = time.monotonic() + min(1.0, timeout_s / 2)
        while (now := time.monotonic()) < deadline:
            event = self._next_event(min(ask_at, deadline))
            if isinstance(event, Ready):
                return _check_version(event, self.url)
            if isinstance(event, Fault):
                raise _fault(event, self.url)
            if isinstance(event, Text):
                other_text = event.text
            if now >= ask_at:
                self._ask_banner()
                ask_at = now + 1.0
        raise _silent(self.url, other_text)

    def info(self) -> Ready:
        """Asks for the banner."""
        self._expected_banners += 1
        return _check_version(self._command(protocol.encode_info, Ready), self.url)

    def reset(self) -> None:
        """Clears the device's audio state, stream clock and recogniser."""
        self._command(protocol.encode_reset, Ack)

    def trace(self, *modes: TraceMode) -> None:
        """Chooses what the device reports besides detections: "off", or one or several modes."""
        self._command(lambda seq: protocol.encode_trace(seq, *modes), Ack)

    def sensors(self) -> Sensors:
        """Asks for the sensors' readings."""
        return self._command(protocol.encode_sensors, Sensors)

    def led(self, red: int, green: int, blue: int) -> None:
        """Shows a colour; components are 0..255."""
        self._command(partial(protocol.encode_led, red=red, green=green, blue=blue), Ack)

    def feed_pcm(self, samples: NDArray[np.int16]) -> None:
        """Feeds the microphone: int16[1..640] samples; returns when the device has taken them."""
        self._command(partial(protocol.encode_pcm, samples_le=samples.astype("<i2").tobytes()), Ack)

    def stream_pcm(self, samples: NDArray[np.int16]) -> None:
        """Feeds int16 [n] samples, several commands ahead of their answers, to a process on this computer.

        Its pipe loses nothing. A serial line may, and what followed a lost command would come out of order.

        Raises:
            TinymlError: a command was refused or not answered.
        """
        waiting: deque[int] = deque()
        for start in range(0, len(samples), protocol.MAX_PCM_SAMPLES):
            self._seq = self._seq % protocol.MAX_SEQ + 1
            piece = samples[start : start + protocol.MAX_PCM_SAMPLES].astype("<i2").tobytes()
            self._write(protocol.encode_pcm(self._seq, samples_le=piece))
            waiting.append(self._seq)
            if len(waiting) == _AHEAD:
                self._await_ack(waiting.popleft())
        while waiting:
            self._await_ack(waiting.popleft())

    def _await_ack(self, seq: int) -> None:
        reply = self._await_reply(seq, Ack)
        if not isinstance(reply, Ack):
            raise _silent(self.url, "", "pcm")

    def feed_imu(self, samples: NDArray[np.int16]) -> None:
        """Feeds the motion sensor: int16 [1..106, 6]; returns when the device has taken them."""
        self._command(partial(protocol.encode_imu, samples_le=samples.astype("<i2").tobytes()), Ack)

    def advance(self, count: int) -> None:
        """Asks for the next points of a curve, 1 to 1,000: `wave` events, for `take_events`."""
        self._command(partial(protocol.encode_advance, count=count), Ack)

    def calibrate(self, seconds: int) -> None:
        """Starts a calibration over so many seconds of normal running; a `calibrated` event ends it."""
        self._command(partial(protocol.encode_calibrate, seconds=seconds), Ack)

    def learn(self, name: str, takes: int) -> None:
        """Has the board take the next words for this one; `learned` or `not_learned` ends it."""
        self._command(partial(protocol.encode_learn, takes=takes, name=name), Ack)

    def train(self, name: str, takes: int) -> None:
        """Has the board train by the next takes of a known word; `trained` or `not_learned` ends it."""
        self._command(partial(protocol.encode_learn, takes=takes, name=name, verb="train"), Ack)

    def forget(self, name: str) -> None:
        """Has the board forget a word that it learned."""
        self._command(partial(protocol.encode_forget, name=name), Ack)

    def words(self) -> list[KnownWord]:
        """The words that the board knows."""
        self._command(protocol.encode_list, Ack)
        events = self.take_events()
        self._kept.extend(event for event in events if not isinstance(event, KnownWord))
        return [event for event in events if isinstance(event, KnownWord)]

    def write_input(self, values: NDArray[np.int8]) -> None:
        """Writes a whole model input, int8[n] (flattened in C order)."""
        data = np.ascontiguousarray(values, dtype=np.int8).tobytes()
        for offset in range(0, len(data), protocol.MAX_INPUT_BYTES):
            piece = data[offset : offset + protocol.MAX_INPUT_BYTES]
            self._command(partial(protocol.encode_input, offset=offset, data=piece), Ack)

    def feed_frame(self, frame: bytes) -> None:
        """Feeds the camera with one frame; returns when the device has looked at it."""
        for offset in range(0, len(frame), protocol.MAX_INPUT_BYTES):
            piece = frame[offset : offset + protocol.MAX_INPUT_BYTES]
            self._command(partial(protocol.encode_frame, offset=offset, data=piece), Ack)

    def run_inference(self) -> Output:
        """Runs one inference on the input that was written."""
        return self._command(protocol.encode_run, Output)

    def slots(self) -> Slots:
        """Asks which model runs, and what lies in the slots."""
        return self._command(protocol.encode_slots, Slots)

    def update(self, offset: int, data: bytes) -> None:
        """Writes a piece of an update; returns when it lies in flash."""
        self._command(partial(protocol.encode_update, offset=offset, data=data), Ack)

    def update_packed(self, offset: int, data: bytes) -> None:
        """Writes a piece of an update's packed tables; returns when the board has unpacked it."""
        self._command(partial(protocol.encode_packed, offset=offset, data=data), Ack)

    def restart(self) -> None:
        """Starts the device anew; a virtual one ends."""
        self._command(protocol.encode_restart, Ack)

    def take_events(self) -> list[Event]:
        """Events that came unasked since the last call, in order."""
        events = list(self._kept)
        self._kept.clear()
        return events

    def events(self, duration_s: float | None = None) -> Iterator[Event]:
        """Yields events as they come, for `duration_s` seconds or forever.

        Raises:
            DeviceGoneError: the connection ended, or the port did not come back.
        """
        deadline = None if duration_s is None else time.monotonic() + duration_s
        yield from self.take_events()
        while deadline is None or time.monotonic() < deadline:
            now = time.monotonic()
            event = self._next_event(min(deadline or now + 0.5, now + 0.5))
            if event is not None:
                self._note_banner(event)
                yield event
            yield from self.take_events()

    def _command(self, encode: Callable[[int], bytes], reply_kind: type[_Reply]) -> _Reply:
        """Sends a command until it is answered; each line has one number, however often it is sent."""
        self._seq = self._seq % protocol.MAX_SEQ + 1
        line = encode(self._seq)
        verb = line.split(b" ", 1)[0].decode()
        for attempt in range(self._attempts):
            self.resent += attempt > 0
            self._write(line)
            reply = self._await_reply(self._seq, reply_kind)
            if isinstance(reply, reply_kind):
                return reply
            if isinstance(reply, Nak) and reply.seq and reply.reason not in _TRANSIENT_REASONS:
                raise _refused(self.url, reply, verb)
        if isinstance(reply, Nak):
            # Each sending was refused, for what damage does not explain: the firmware does not know the verb.
            if reply.reason not in _TRANSIENT_REASONS:
                raise _refused(self.url, reply, verb)
            raise TinymlError(
                f"`{verb}` arrived damaged {self._attempts} times ({printable_reason(reply)})",
                self.url,
                "Try another cable or USB port.",
            )
        raise _silent(self.url, "", verb)

    def _await_reply(self, seq: int, kind: type[_Reply]) -> _Reply | Nak | None:
        """The answer to `seq`; None when it does not come, or the device booted meanwhile."""
        deadline = time.monotonic() + self._timeout_s
        numberless: Nak | None = None
        perhaps_booted = False
        while time.monotonic() < deadline:
            event = self._next_event(deadline)
            if isinstance(event, kind) and (isinstance(event, Ready) or event.seq == seq):
                self._expected_banners -= isinstance(event, Ready)
                if not isinstance(event, Ready):
                    self._expected_banners = 0  # the device answers in order: no older banner can follow
                return event
            if isinstance(event, Nak) and event.seq == seq:
                return event
            if isinstance(event, Nak) and event.seq == 0 and numberless is None:
                numberless = event
                deadline = min(deadline, time.monotonic() + _NUMBERLESS_NAK_GRACE_S)
            if isinstance(event, Fault):
                raise _fault(event, self.url)
            if event is None or isinstance(event, Ack | Nak | Output | Sensors | Slots):
                continue  # nothing yet, or the late answer to an earlier sending
            self._kept.append(event)
            if isinstance(event, Reconnected) or self._note_banner(event):
                return None
            if isinstance(event, Ready):
                # Either the answer to an `info`, then ours follows at once; or that `info` was lost.
                perhaps_booted = True
                deadline = min(deadline, time.monotonic() + _AFTER_BANNER_S)
        self.reboots += perhaps_booted
        return numberless

    def _note_banner(self, event: Event) -> bool:
        """Counts a boot; True when `event` is a banner that nobody asked for."""
        if not isinstance(event, Ready):
            return False
        if self._expected_banners > 0:
            self._expected_banners -= 1
            return False
        self.reboots += 1
        return True

    def _ask_banner(self) -> None:
        self._expected_banners += 1
        self._write(protocol.encode_info(0))

    def _next_event(self, deadline: float) -> Event | None:
        """The next event, or None at the deadline."""
        while not self._inbox:
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                return None
            try:
                data = self._transport.read(remaining_s)
            except DeviceGoneError as error:
                self._reconnect(error)
                continue
            self._inbox.extend(self._decoder.feed(data))
        return self._inbox.popleft()

    def _write(self, line: bytes) -> None:
        try:
            self._transport.write(line)
        except DeviceGoneError as error:
            self._reconnect(error)

    def _reconnect(self, lost: DeviceGoneError) -> None:
        """Waits for a vanished port; raises `lost` where it does not come back."""
        if not self._transport.can_come_back:
            raise lost
        self._transport.close()
        if self._on_lost:
            self._on_lost()
        deadline = time.monotonic() + self._reconnect_s
        while True:
            try:
                if self._locate:
                    self.url = self._locate()
                    self._transport = Transport(self.url)
                self._transport.open()
                break
            except TinymlError:
                if time.monotonic() >= deadline:
                    raise lost from None
            time.sleep(_RECONNECT_POLL_S)
        self._decoder.reset()
        self._expected_banners = 1
        self._inbox.append(Reconnected())


def printable_reason(nak: Nak) -> str:
    """The reason of a refusal, safe to show."""
    return protocol.printable(nak.reason)[:80]


def _refused(url: str, nak: Nak, verb: str) -> CommandRefusedError:
    return CommandRefusedError(
        nak.reason,
        f"The device refused `{verb}`: {printable_reason(nak)}",
        url,
        "The firmware and this tinyml do not match: run `tinyml flash` again.",
    )


def _check_version(ready: Ready, url: str) -> Ready:
    if ready.protocol != protocol.PROTOCOL_VERSION:
        raise TinymlError(
            f"The firmware uses protocol {ready.protocol}, this tinyml uses {protocol.PROTOCOL_VERSION}",
            url,
            "Flash it with this version: tinyml flash",
        )
    return ready


def _fault(event: Fault, url: str) -> TinymlError:
    return TinymlError(
        f"The device reports a fault: {protocol.printable(event.what)[:200]}",
        url,
        "Build and flash again (tinyml flash); if it persists, report the text above.",
    )


def _silent(url: str, other_text: str, verb: str = "") -> TinymlError:
    if other_text:
        return TinymlError(
            f"The device does not run tinyml firmware; it sent {other_text[:80]!r}",
            url,
            "Flash it: tinyml flash --board BOARD",
        )
    return TinymlError(
        f"The device does not answer `{verb}`" if verb else "The device is silent",
        url,
        "Check that it runs tinyml firmware (tinyml flash), reset it, or choose another port with --port.",
    )
