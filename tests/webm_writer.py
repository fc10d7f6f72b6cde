"""Writes WebM as a browser's recorder does, from the packets of an Ogg Opus stream."""

from __future__ import annotations


def opus_packets(ogg: bytes) -> tuple[bytes, list[bytes]]:
    """(the OpusHead packet, the sound packets) of an Ogg file."""
    packets, partial, position = [], b"", 0
    while position < len(ogg):
        count = ogg[position + 26]
        lacing = ogg[position + 27 : position + 27 + count]
        position += 27 + count
        for length in lacing:
            partial += ogg[position : position + length]
            position += length
            if length < 255:
                packets.append(partial)
                partial = b""
    return packets[0], packets[2:]


def write_webm(header: bytes, packets: list[bytes], live: bool, block_groups: bool) -> bytes:
    """A file with one Opus track.

    Args:
        live: segment and clusters have an unknown size, as while a recording runs.
        block_groups: packets lie in BlockGroups rather than in SimpleBlocks.
    """
    ebml = _element("1a45dfa3", _element("4286", b"\1") + _element("4282", b"webm"))
    entry = (
        _element("d7", b"\1")
        + _element("73c5", b"\x12\x34")
        + _element("83", b"\2")
        + _element("86", b"A_OPUS")
        + _element("63a2", header)
        + _element("e1", _element("b5", bytes.fromhex("473b8000")) + _element("9f", b"\1"))
    )
    info = _element("1549a966", _element("2ad7b1", (1_000_000).to_bytes(3)) + _element("4d80", b"test"))
    tracks = _element("1654ae6b", _element("ae", entry))
    clusters = b""
    for start in range(0, len(packets), 20):
        blocks = b""
        for index, packet in enumerate(packets[start : start + 20]):
            block = b"\x81" + (20 * index).to_bytes(2) + (b"\0" if block_groups else b"\x80") + packet
            blocks += _element("a0", _element("a1", block)) if block_groups else _element("a3", block)
        clusters += _element("1f43b675", _element("e7", (20 * start).to_bytes(3)) + blocks, live)
    return ebml + _element("18538067", info + tracks + clusters, live)


def _element(identity: str, payload: bytes, unknown_size: bool = False) -> bytes:
    size = b"\x01" + b"\xff" * 7 if unknown_size else (len(payload) | 1 << 56).to_bytes(8)
    return bytes.fromhex(identity) + size + payload
