"""Opus sound from WebM files, which browsers record even if a page names its file `.ogg`.

The packets are put unchanged into Ogg, which libsndfile reads. WebM is a subset of Matroska
(RFC 9559) in EBML (RFC 8794); Opus in Ogg is RFC 7845, Ogg itself RFC 3533.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from tinyml_cli.limits import over_limit

_SEGMENT, _CLUSTER, _BLOCK_GROUP = 0x18538067, 0x1F43B675, 0xA0
_TRACKS, _TRACK_ENTRY, _TRACK_NUMBER = 0x1654AE6B, 0xAE, 0xD7
_CODEC_ID, _CODEC_PRIVATE = 0x86, 0x63A2
_SIMPLE_BLOCK, _BLOCK = 0xA3, 0xA1
_CONTAINERS = {_SEGMENT, _CLUSTER, _BLOCK_GROUP, _TRACKS}
_SAMPLE_BYTES = 4
_LACING = 0x06
_LAST_PAGE, _FIRST_PAGE = 4, 2


def has_opus(head: bytes) -> bool:
    """Whether a WebM's first bytes name Opus, as those of every browser's recording do."""
    return b"A_OPUS" in head


def declared_bytes(head: bytes) -> int | None:
    """The size of the whole file by its first bytes; None for a live recording, which does not know it."""
    try:
        _, at = _varint(head, 0, keep_marker=True)
        size, at = _varint(head, at, keep_marker=False)
        kind, at = _varint(head, at + size, keep_marker=True)
        size, end = _varint(head, at, keep_marker=False)
    except IndexError:
        return None
    is_unknown = size == (1 << (7 * (end - at))) - 1
    return None if kind != _SEGMENT or is_unknown else end + size


def opus_as_ogg(content: bytes) -> BytesIO:
    """The first Opus track of a WebM file as an Ogg file.

    Args:
        content: the whole file; one that was cut off gives what it holds.

    Raises:
        ValueError: no Opus track, or no sound in it.
    """
    track, header = 0, b""
    packets: list[bytes] = []
    for kind, payload in _elements(content):
        if kind == _TRACK_ENTRY and not track:
            entry = dict(_elements(payload))
            if entry.get(_CODEC_ID, b"").rstrip(b"\0") == b"A_OPUS":
                track = int.from_bytes(entry.get(_TRACK_NUMBER, b"\1"))
                header = entry.get(_CODEC_PRIVATE, b"")
        elif kind in (_SIMPLE_BLOCK, _BLOCK) and track:
            packets += _packet(payload, track)
    if not track or not header.startswith(b"OpusHead"):
        raise ValueError("the WebM file contains no Opus audio")
    if not packets:
        raise ValueError("it contains no samples")
    channels = max(1, header[9] if len(header) > 9 else 1)
    if reason := over_limit(sum(map(_samples, packets)) * channels * _SAMPLE_BYTES):
        raise ValueError(reason)
    return BytesIO(_ogg(header, packets))


def _packet(block: bytes, track: int) -> list[bytes]:
    """The packet of a block, or nothing if the block is another track's; RFC 9559, section 10."""
    try:
        number, start = _varint(block, 0, keep_marker=False)
    except IndexError:
        return []
    if number != track or len(block) <= start + 3:
        return []
    if block[start + 2] & _LACING:
        raise ValueError("its packets are laced, which is not supported")
    return [block[start + 3 :]]


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """(id, payload) of every element that is not a container, containers being walked through."""
    position = 0
    while position < len(content):
        try:
            kind, position = _varint(content, position, keep_marker=True)
            size, position = _varint(content, position, keep_marker=False)
        except IndexError:
            return
        if kind in _CONTAINERS:
            continue  # their children follow; an unknown size, as of a live recording, does no harm
        yield kind, content[position : position + size]
        position += size


def _varint(content: bytes, position: int, keep_marker: bool) -> tuple[int, int]:
    """(a variable-length integer, where it ends); RFC 8794, section 4.

    Raises:
        IndexError: the content ends inside, or there is none here.
    """
    first = content[position]
    length = 9 - first.bit_length()
    if length > 8 or position + length > len(content):
        raise IndexError
    value = int.from_bytes(content[position : position + length])
    return value if keep_marker else value & ~(1 << (7 * length)), position + length


def _ogg(header: bytes, packets: list[bytes]) -> bytes:
    """One packet a page: simple, and the stream is decoded at once anyway."""
    vendor = b"tinyml"
    tags = b"OpusTags" + len(vendor).to_bytes(4, "little") + vendor + bytes(4)
    pages = [_page(header, 0, 0, _FIRST_PAGE), _page(tags, 1, 0, 0)]
    position = 0
    for index, packet in enumerate(packets):
        position += _samples(packet)
        flags = _LAST_PAGE if index == len(packets) - 1 else 0
        pages.append(_page(packet, index + 2, position, flags))
    return b"".join(pages)


def _samples(packet: bytes) -> int:
    """Samples at 48 kHz in an Opus packet, from its first two bytes (RFC 6716, section 3.1)."""
    configuration, code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        frame = (480, 960, 1920, 2880)[configuration % 4]
    elif configuration < 16:
        frame = (480, 960)[configuration % 2]
    else:
        frame = (120, 240, 480, 960)[configuration % 4]
    frames = (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[code]
    return frame * frames


def _page(packet: bytes, number: int, position: int, flags: int) -> bytes:
    lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
    if len(lacing) > 255:
        raise ValueError("a packet is longer than Opus allows")
    body = (
        b"OggS\0"
        + bytes([flags])
        + position.to_bytes(8, "little")
        + (1).to_bytes(4, "little")
        + number.to_bytes(4, "little")
        + bytes(4)
        + bytes([len(lacing)])
        + lacing
        + packet
    )
    return body[:22] + _crc(body).to_bytes(4, "little") + body[26:]


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        table.append(value & 0xFFFFFFFF)
    return table


_CRC_TABLE = _crc_table()


def _crc(data: bytes) -> int:
    """Ogg's checksum: CRC-32 with the polynomial 0x04C11DB7, unreflected, from 0."""
    value = 0
    for byte in data:
        value = ((value << 8) & 0xFFFFFFFF) ^ _CRC_TABLE[(value >> 24) ^ byte]
    return value
