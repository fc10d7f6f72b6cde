"""Real firmware, native and on the virtual board, under hostile bytes: it must go on to answer correctly."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tinyml_cli.evaluation.parity import device_outputs
from tinyml_cli.link import protocol
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event
from tinyml_cli.link.virtual import VirtualDevice

Firmware = tuple[str, Path]

_FUZZ_BYTES = 400_000
_PATIENCE_S = 10.0


@pytest.fixture
def link(firmware: Firmware) -> Iterator[Link]:
    board, elf = firmware
    with VirtualDevice(board, elf) as device, Link(device.url) as link:
        link.wait_ready()
        yield link


def _garbage(rng: random.Random) -> bytes:
    valid = protocol.encode_pcm(rng.randrange(65536), rng.randbytes(2 * rng.randrange(1, 641)))
    other = protocol.encode_input(
        rng.randrange(65536), rng.randrange(4000), rng.randbytes(rng.randrange(1, 400))
    )
    damaged = bytearray(rng.choice([valid, other]))
    for _ in range(rng.randrange(1, 4)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    choices = [
        rng.randbytes(rng.randrange(200)),
        bytes(damaged),
        valid[: rng.randrange(len(valid))],
        b"x" * rng.randrange(4000, 6000) + b"\n",
        b"\n" * rng.randrange(50) + b"\0\r\n \n",
        rng.choice([b"info", b"reset", b"trace", b"pcm", b"in", b"run", b"zz"])
        + b" %d\n" % rng.randrange(-9, 99999),
        b"in 5 4294967295 AAAA 00000000\n",
        b"pcm 99999999999999999999 AAAA 00000000\n",
        b"trace 3 everything\nrun\nrun  \nrun 1 2 3\n",
    ]
    return rng.choice(choices)


def _events_up_to(link: Link, kind: type[Event], count: int) -> list[Event]:
    """Events until `count` of a kind have come, and any that follow at once."""
    events: list[Event] = []
    for event in link.events(_PATIENCE_S):
        events.append(event)
        if sum(isinstance(seen, kind) for seen in events) == count:
            break
    return events + list(link.events(0.2))


def test_firmware_survives_any_bytes_and_answers_as_before(link: Link) -> None:
    ready = link.info()
    rng = random.Random(2024)
    inputs = np.random.default_rng(1).integers(-128, 128, (2, ready.input_bytes)).astype(np.int8)
    before = device_outputs(link, inputs)
    sent = 0
    while sent < _FUZZ_BYTES:
        piece = _garbage(rng)
        link._write(piece)
        sent += len(piece)
        list(link.events(0.0005))
    link._write(b"\n")
    link.trace("off")
    link.reset()
    assert link.info().model_dump() == ready.model_dump()
    assert np.array_equal(device_outputs(link, inputs), before)


def test_firmware_refuses_with_the_reason_that_the_protocol_names(link: Link) -> None:
    good = protocol.encode_pcm(7, bytes(64))
    cases = {
        good.replace(b"AAAA", b"AAAB", 1): (7, "crc"),
        b"zz 8\n": (0, "command"),
        b"run\n": (0, "format"),
        b"a" * 4096 + b"\n": (0, "length"),
        protocol.encode_input(9, 60_000, b"\1"): (9, "range"),
    }
    for line, expected in cases.items():
        link._write(line)
        naks = [event for event in _events_up_to(link, protocol.Nak, 1) if isinstance(event, protocol.Nak)]
        assert [(nak.seq, nak.reason) for nak in naks] == [expected], line[:40]


def test_a_repeated_pcm_number_is_heard_once(link: Link) -> None:
    link.reset()
    link.trace("features")
    line = protocol.encode_pcm(41, bytes(1280))
    for _ in range(3):
        link._write(line)
    events = _events_up_to(link, protocol.Ack, 3)
    acks = [event.seq for event in events if isinstance(event, protocol.Ack)]
    frames = [event.frame for event in events if isinstance(event, protocol.Features)]
    assert acks == [41, 41, 41]
    assert frames == [0]
