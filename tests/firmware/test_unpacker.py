"""Packed tables: the board unpacks what Python packs, in any pieces, and survives any bytes."""

from __future__ import annotations

import random
import struct

import pytest

from tests.firmware.native import compile_harness, run
from tinyml_cli.updates import packing


def _unpacked(tables: bytes, packed: bytes, base: bytes | None, piece: int) -> bytes:
    program = compile_harness("unpacker", "model_slots", "signature", "hal")
    head = struct.pack("<BI", base is not None, len(tables))
    return run(program, str(piece), stdin=head + (base or b"") + packed)


@pytest.mark.slow
def test_the_board_unpacks_what_was_packed() -> None:
    source = random.Random(0)
    noise = source.randbytes(3000)
    near = bytes((byte + source.choice((0, 0, 0, 1, -1))) % 256 for byte in noise)
    for tables, base in (
        (noise, None),
        (near, noise),
        (noise, noise),
        (b"\xff" * 3000, None),  # carries through held bytes
        (bytes(3000), b"\x01" * 3000),
        (b"\x00\xff" * 1500, None),
        (b"a", None),
    ):
        packed = packing.pack(tables, base)
        for piece in (1, 7, 4096):
            assert _unpacked(tables, packed, base, piece) == tables
    assert len(packing.pack(noise, noise)) < 150 < len(packing.pack(near, noise)) < 1500
    assert packing.smallest(noise, None) is None


@pytest.mark.slow
def test_any_bytes_are_unpacked_or_end() -> None:
    source = random.Random(1)
    honest = packing.pack(source.randbytes(500))
    for _ in range(60):
        packed = bytearray(honest)
        for _ in range(source.randrange(1, 20)):
            packed[source.randrange(len(packed))] = source.randrange(256)
        hostile = bytes(packed[: source.randrange(len(packed))]) + source.randbytes(source.randrange(50))
        assert len(_unpacked(bytes(4000), hostile, None, source.randrange(1, 60))) <= 4000
