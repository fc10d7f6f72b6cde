"""The length that a sound file declares: a shorter one was truncated, even if its decoder accepts it."""

from __future__ import annotations

import struct

_W64 = b"riff\x2e\x91\xcf\x11"
_XING_BYTES = 2
_UNKNOWN_BYTES = 0x7FFF_0000


def declared_bytes(head: bytes) -> int | None:
    """The size of the whole file in bytes, by its first bytes; None if its format does not say.

    AIFF, AU, RF64, Wave64 and MP3 with a Xing header do; `wav_file` handles WAV.
    """
    size: int | None = None
    if head[:4] in (b"FORM", b"RIFX") and len(head) >= 8:
        size = 8 + struct.unpack_from(">I", head, 4)[0]
    elif head[:4] == b".snd" and len(head) >= 12:
        size = sum(struct.unpack_from(">II", head, 4))
    elif head[:4] == b"RF64" and head[12:16] == b"ds64" and len(head) >= 28:
        size = 8 + struct.unpack_from("<Q", head, 20)[0]
    elif head[:8] == _W64 and len(head) >= 24:
        size = struct.unpack_from("<Q", head, 16)[0]
    elif (tag := xing_of(head)) is not None:
        size = _mp3_bytes(head, tag)
    return size if size is not None and size < _UNKNOWN_BYTES else None


def xing_of(head: bytes) -> int | None:
    """Where the Xing header of an MP3 lies in its first frame; None where there is none."""
    start = id3_bytes(head)
    if head[start : start + 1] != b"\xff":
        return None
    places = [head.find(name, start, start + 64) for name in (b"Xing", b"Info")]
    return next((place for place in places if place >= 0), None)


def _mp3_bytes(head: bytes, tag: int) -> int | None:
    if len(head) < tag + 16:
        return None
    flags, _, size = struct.unpack_from(">III", head, tag + 4)
    return id3_bytes(head) + int(size) if flags & _XING_BYTES and flags & 1 else None


def id3_bytes(head: bytes) -> int:
    """The length of an ID3v2 tag; its size has seven bits a byte."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
