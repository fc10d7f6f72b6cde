"""The computer's end of the USB cable: enumerates a CDC ACM device and moves its bytes.

USB 2.0, chapter 9 (requests, descriptors); USB CDC PSTN 1.2, 6.3 (line coding, control line state). It
behaves as Linux's cdc-acm where programs can tell: data is taken only while the port is open, DTR rises and
falls with it, and a read ends with a packet of less than 64 bytes or with two full ones.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tinyml_cli.emulator.wiring import Wiring

_PACKET_BYTES = 64
_READ_BYTES = 2 * _PACKET_BYTES
_RESET_US, _STEP_US, _TIMEOUT_US = 10_000, 20, 2_000_000
_IN = 0x80
_GET_DESCRIPTOR, _SET_CONFIGURATION = 6, 9
_DEVICE, _CONFIGURATION, _STRING = 1, 2, 3
_ENGLISH = 0x0409
_CLASS_OUT, _SET_LINE_CODING, _SET_CONTROL_LINE_STATE = 0x21, 0x20, 0x22
_ENDPOINT_DESCRIPTOR, _BULK = 5, 2
_DTR_RTS = 3


@dataclass(frozen=True)
class SetupPacket:
    """The eight bytes that begin a control transfer, and the data that follows to the device."""

    request_type: int
    request: int
    value: int
    index: int
    length: int
    data: bytes = b""

    def to_bytes(self) -> bytes:
        """As on the wire."""
        return struct.pack("<BBHHH", self.request_type, self.request, self.value, self.index, self.length)


@dataclass(frozen=True)
class Identity:
    """What the descriptors say."""

    vendor: int
    product: int
    serial_number: str


class Device(Protocol):
    """The other end: what the host does to it."""

    def bus_reset(self) -> None:
        """The host resets the bus, as it does with every new device."""

    def setup(self, packet: SetupPacket) -> None:
        """A control transfer begins."""

    def control_data(self, data: bytes) -> None:
        """The host sends a packet of a control transfer's data."""

    def control_taken(self) -> None:
        """The host has taken a packet of a control transfer's data."""

    def taken(self, endpoint: int) -> None:
        """The host has taken the packet of an IN endpoint."""

    def takes(self, endpoint: int) -> bool:
        """Whether an OUT endpoint has room for a packet."""

    def give(self, endpoint: int, data: bytes) -> None:
        """The host sends a packet to an OUT endpoint."""


class UsbHost:
    """One cable.

    Args:
        chip: whose time this follows.
        device: at the other end.
        attached, detached: told when the device is ready to be opened, and when it has gone.
        received: told the bytes that the program sent.
    """

    def __init__(
        self,
        chip: Wiring,
        device: Device,
        attached: Callable[[Identity], None],
        detached: Callable[[], None],
        received: Callable[[bytes], None],
    ) -> None:
        self._chip, self._device = chip, device
        self._attached, self._detached, self._received = attached, detached, received
        self._clear()

    def _clear(self) -> None:
        self.is_attached = False
        self.is_ready = False
        self.is_open = False
        self._requests: deque[tuple[SetupPacket, Callable[[bytes], None] | None]] = deque()
        self._current: tuple[SetupPacket, Callable[[bytes], None] | None] | None = None
        self._started_at = 0
        self._answer = bytearray()
        self._sent = 0
        self._waiting: dict[int, bytes] = {}  # IN endpoint -> its packet
        self._outgoing = bytearray()
        self._read = bytearray()
        self._in = self._out = 0
        self._needs_reset = False

    # What the device does.

    def attach(self) -> None:
        """A pull-up appears on D+: a device is there."""
        self._clear()
        self.is_attached = self._needs_reset = True
        self.wake(_RESET_US)

    def detach(self) -> None:
        """It has gone."""
        was_ready = self.is_ready
        self._clear()
        self._chip.wake_at(self, None)
        if was_ready:
            self._detached()

    def packet(self, endpoint: int, data: bytes) -> None:
        """A packet lies ready in an IN endpoint."""
        self._waiting[endpoint] = data
        self.wake()

    def control_ready(self) -> None:
        """The device is ready for a packet of a control transfer's data."""
        if self._current:
            data = self._current[0].data[self._sent : self._sent + _PACKET_BYTES]
            self._sent += len(data)
            self._device.control_data(data)

    def control_done(self) -> None:
        """The status stage: the control transfer has succeeded."""
        if self._current:
            then, self._current = self._current[1], None
            if then:
                then(bytes(self._answer))
        self.wake()

    def control_stalled(self) -> None:
        """The device refuses a request: as if it had answered nothing."""
        self._answer.clear()
        self.control_done()

    # What the computer does.

    def open(self, baud: int) -> None:
        """A program opens the port, or changes its speed."""
        self._line_coding(baud)
        if not self.is_open:
            self.is_open = True
            self._line_state(_DTR_RTS)

    def close(self) -> None:
        """The last program has closed the port."""
        self.is_open = False
        self._outgoing.clear()
        self._read.clear()
        self._line_state(0)

    def send(self, data: bytes) -> None:
        """Bytes for the device."""
        self._outgoing += data
        self.wake()

    @property
    def backlog_bytes(self) -> int:
        """What the device has not taken yet."""
        return len(self._outgoing)

    def wake(self, after_us: int = _STEP_US) -> None:
        """Looks at the bus in a moment."""
        if self.is_attached:
            self._chip.wake_at(self, self._chip.now + self._chip.cycles(after_us))

    def advance(self) -> None:
        """One step of what there is to do."""
        usb = self._device
        if self._needs_reset:
            self._needs_reset = False
            usb.bus_reset()
            self._enumerate()
        elif self._current is None and self._requests:
            self._current = self._requests.popleft()
            self._answer.clear()
            self._sent, self._started_at = 0, self._chip.now
            usb.setup(self._current[0])
        elif self._current and self._chip.now - self._started_at > self._chip.cycles(_TIMEOUT_US):
            self._drop()
        elif 0 in self._waiting:
            self._answer += self._waiting.pop(0)
            usb.control_taken()
        elif self.is_open and self._in in self._waiting:
            self._take(self._waiting.pop(self._in))
            usb.taken(self._in)
        elif self._outgoing and self.is_ready and usb.takes(self._out):
            data = bytes(self._outgoing[:_PACKET_BYTES])
            del self._outgoing[:_PACKET_BYTES]
            usb.give(self._out, data)
        else:
            if self._current:
                self.wake(_TIMEOUT_US)
            return
        self.wake()

    def _take(self, packet: bytes) -> None:
        self._read += packet
        if len(packet) < _PACKET_BYTES or len(self._read) >= _READ_BYTES:
            data = bytes(self._read)
            self._read.clear()
            if data:
                self._received(data)

    def _drop(self) -> None:
        self._current = None
        self.wake()

    def _ask(self, packet: SetupPacket, then: Callable[[bytes], None] | None = None) -> None:
        self._requests.append((packet, then))
        self.wake()

    def _descriptor(self, kind: int, length: int, then: Callable[[bytes], None], index: int = 0) -> None:
        language = _ENGLISH if kind == _STRING else 0
        self._ask(SetupPacket(_IN, _GET_DESCRIPTOR, kind << 8 | index, language, length), then)

    def _enumerate(self) -> None:
        def device(data: bytes) -> None:
            vendor, product, _, _, _, serial_index = struct.unpack_from("<HHHBBB", data.ljust(18, b"\0"), 8)
            self._descriptor(_CONFIGURATION, 9, configuration_header)
            self._descriptor(_STRING, 255, lambda text: ready(vendor, product, text), serial_index)

        def configuration_header(data: bytes) -> None:
            total = int.from_bytes(data[2:4], "little")
            self._descriptor(_CONFIGURATION, total, self._find_endpoints)

        def ready(vendor: int, product: int, text: bytes) -> None:
            identity = Identity(vendor, product, text[2:].decode("utf-16-le", "replace"))
            self._ask(SetupPacket(0, _SET_CONFIGURATION, 1, 0, 0), lambda _: self._ready(identity))

        self._descriptor(_DEVICE, 18, device)

    def _find_endpoints(self, configuration: bytes) -> None:
        at = 0
        while at + 2 <= len(configuration) and configuration[at]:
            if configuration[at + 1] == _ENDPOINT_DESCRIPTOR and configuration[at + 3] & 3 == _BULK:
                endpoint = configuration[at + 2]
                if endpoint & _IN:
                    self._in = endpoint & 0xF
                else:
                    self._out = endpoint
            at += configuration[at]

    def _ready(self, identity: Identity) -> None:
        self.is_ready = True
        self._attached(identity)

    def _line_coding(self, baud: int) -> None:
        data = struct.pack("<IBBB", baud, 0, 0, 8)
        self._ask(SetupPacket(_CLASS_OUT, _SET_LINE_CODING, 0, 0, len(data), data))

    def _line_state(self, bits: int) -> None:
        self._ask(SetupPacket(_CLASS_OUT, _SET_CONTROL_LINE_STATE, bits, 0, 0))
