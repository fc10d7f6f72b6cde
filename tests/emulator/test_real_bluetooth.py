"""The wand's Bluetooth service by the real ArduinoBLE on the modelled board, with a central for a radio."""

from __future__ import annotations

import struct
from pathlib import Path
from uuid import UUID

import pytest

from tests.emulator import desk, real_stack
from tests.emulator.central import SECURITY, SIGNALING, Central
from tests.emulator.test_real_builds import _SENSOR, firmware
from tests.firmware.fed_applications import APPLICATIONS
from tinyml_cli.collect.stroke_source import SERVICE_UUID, STROKE_UUID
from tinyml_cli.link.protocol import Stroke

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(3600)]

_SERVICE, _STROKE = (UUID(each).bytes[::-1] for each in (SERVICE_UUID, STROKE_UUID))
_WAITING, _DONE = 0, 2
_NESTED = 3
_MARGIN_BYTES = 6144
"""Of its 12 kB of stack that no request may reach."""


@pytest.mark.parametrize("engine", ["aot", "tflm"])
@pytest.mark.parametrize("board", sorted(_SENSOR))
def test_a_central_reads_strokes_and_the_stack_has_room(
    board: str,
    engine: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    application = APPLICATIONS["wand"]
    elf = firmware("wand", board, engine, lambda: application.make(tmp_path, request), monkeypatch)
    modelled = desk.desk(elf, _SENSOR[board])
    central = Central(modelled, elf)
    central.connect()
    assert central.ask(b"\x02\xf7\x00") == b"\x03\xf2\x00"  # what fits its packets of 251 bytes
    handle = _find(central)
    assert central.read(handle) == struct.pack("<ii", _WAITING, 0) + bytes(320)
    with real_stack.connected(modelled) as link:
        link.wait_ready(300.0)
        link.take_events()
        application.feed(link)
        (points,) = (event.points for event in link.take_events() if isinstance(event, Stroke))
        state = struct.pack("<ii", _DONE, len(points) // 2)
        assert central.read(handle) == state + points + bytes(320 - len(points))
        real_stack.ask_everything(link, application.feed)
    _ask_the_rest(central, handle)
    central.disconnect()
    central.connect()  # it advertises again
    assert central.read(handle)[:4] == state[:4]
    stack = real_stack.used(modelled, elf)
    print(f"wand, {board}, {engine}, with a central: {stack}")
    assert 1000 < stack.used_bytes <= stack.reserved_bytes - _MARGIN_BYTES


def _find(central: Central) -> int:
    """The handle of the stroke's value, found as a central does."""
    first, services = 1, []
    while (answer := central.ask(struct.pack("<BHHH", 0x10, first, 0xFFFF, 0x2800)))[0] == 0x11:
        each = answer[1]
        for at in range(2, len(answer), each):
            begin, end = struct.unpack_from("<HH", answer, at)
            services.append((answer[at + 4 : at + each], begin, end))
        first = services[-1][2] + 1
    assert services[-1][0] == _SERVICE
    _, begin, end = services[-1]
    answer = central.ask(struct.pack("<BHHH", 0x08, begin, end, 0x2803))
    _, properties, value = struct.unpack_from("<HBH", answer, 2)
    assert (properties, answer[7:]) == (0x02, _STROKE)  # read, nothing else
    return value


def _ask_the_rest(central: Central, handle: int) -> None:
    """Every other request of a central, allowed or not, and pairing."""
    for pdu in (
        struct.pack("<BHH", 0x04, 1, 0xFFFF),  # find information
        struct.pack("<BHHHH", 0x06, 1, 0xFFFF, 0x2800, 0x1800),  # find by type
        struct.pack("<BHHH", 0x08, 1, 0xFFFF, 0x2A00),  # read by type: the name
        struct.pack("<BH", 0x0A, 0xFFF0),  # an attribute that is not there
        struct.pack("<BHH", 0x0C, handle, 9999),
        struct.pack("<BHH", 0x0E, handle, 3),  # read several
        struct.pack("<BH", 0x12, handle) + bytes(200),  # write what can only be read
        struct.pack("<BHH", 0x16, handle, 0) + bytes(200),
        struct.pack("<BB", 0x18, 1),
    ):
        assert central.ask(pdu)[0] in (0x01, pdu[0] + 1), pdu[:1].hex()
    central.tell(struct.pack("<BBHH", 0x13, 1, 2, 0), SIGNALING)
    central.tell(b"?" * 40, 0x40)  # no such channel
    assert central.ask(bytes([0x01, 3, 0, 0x0D, 16, 3, 3]), SECURITY)[0] == 0x02
    central.received.clear()
    # As many as the ring holds, before the first is answered: each waits within the one before.
    for _ in range(_NESTED):
        central.tell(bytes([0x0C, *range(64)]), SECURITY)
    central.wait(lambda: [each[0] for at, each in central.received if at == SECURITY].count(0x0C) == _NESTED)
    central.run(1.0)
    assert central.ask(bytes([0x04, *range(16)]), SECURITY)[0] == 0x04
    central.tell(bytes([0x0D, *range(16)]), SECURITY)
    central.run(1.0)
