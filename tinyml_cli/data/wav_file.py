"""WAV files that recorders left unfinished: truncated, never closed, unpadded, or after other data.

A WAV is RIFF: chunks of a name, a size and that many bytes, padded to an even number ("Multimedia Programming
Interface and Data Specifications 1.0", IBM and Microsoft, 1991).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO

# Text in front of a WAV, such as an ID3 tag with a cover, ends within this.
_SEARCHED_BYTES = 4 << 20
# What recorders write for a size that they do not know yet.
_UNKNOWN_BYTES = 0x7FFF_0000
_OTHER_KINDS = (b"fLaC", b"OggS", b"FORM", b"RIFX", b"RF64", b"caff", b".snd", b"\x1a\x45\xdf\xa3", b"#!AM")


@dataclass
class Wav:
    """Where a WAV's sound lies.

    Attributes:
        format: the `fmt ` chunk.
        start, size: of its sound in the file, in bytes.
        damage: what is missing; empty where nothing is.
        notes: other deviations from the format, all harmless.
    """

    format: bytes = b""
    start: int = 0
    size: int = 0
    damage: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether any reader of WAV files would read all of it."""
        return not self.damage and not self.notes

    def mended(self, stream: IO[bytes]) -> BytesIO:
        """A clean WAV file with the same sound."""
        stream.seek(self.start)
        sound = stream.read(self.size)
        fmt = _chunk(b"fmt ", self.format)
        body = b"WAVE" + fmt + _chunk(b"data", sound)
        return BytesIO(b"RIFF" + struct.pack("<I", len(body)) + body)


def examine(stream: IO[bytes]) -> Wav | None:
    """Looks for a WAV in a file, at its beginning or behind other bytes; None where there is none.

    Raises:
        ValueError: a WAV without format or without sound; the text says which.
    """
    end = stream.seek(0, os.SEEK_END)
    begin = _find(stream)
    if begin is None:
        return None
    wav = Wav()
    if begin:
        wav.notes.append(f"{begin:,} bytes precede the WAV file")
    found = dict(_chunks(stream, begin + 12, end, wav))
    if b"fmt " not in found or b"data" not in found:
        missing = "`fmt ` chunk" if b"fmt " not in found else "audio: it ends inside its header"
        raise ValueError(f"the WAV file has no {missing}")
    at, size = found[b"fmt "]
    stream.seek(at)
    wav.format = stream.read(size)
    wav.start, wav.size = found[b"data"]
    if wav.size == 0:
        raise ValueError("it contains no samples")
    if len(wav.format) >= 14 and (frame := int.from_bytes(wav.format[12:14], "little")) > 1:
        wav.size -= wav.size % frame
    return wav


def _find(stream: IO[bytes]) -> int | None:
    stream.seek(0)
    head = stream.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        return 0
    if head[:4] in _OTHER_KINDS or head[4:8] == b"ftyp":
        return None
    stream.seek(0)
    head = stream.read(_SEARCHED_BYTES)
    at = head.find(b"RIFF")
    while at >= 0:
        if head[at + 8 : at + 12] == b"WAVE":
            return at
        at = head.find(b"RIFF", at + 1)
    return None


def _chunks(stream: IO[bytes], at: int, end: int, wav: Wav) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """(name, (start, size)) of each chunk; notes in `wav` what is wrong with them."""
    has_sound = False
    while at + 8 <= end:
        stream.seek(at)
        name, size = struct.unpack("<4sI", stream.read(8))
        if not _is_name(name):
            if has_sound:
                wav.notes.append(f"{end - at:,} stray bytes after its audio")
            return
        at, there = at + 8, end - at - 8
        if name == b"data" and not has_sound:
            has_sound = True
            size = _sound_bytes(stream, at, size, there, wav)
        yield name, (at, min(size, there))
        at += size
        if size % 2 and at < end:
            at += _padding(stream, at, end, wav)


def _sound_bytes(stream: IO[bytes], at: int, size: int, there: int, wav: Wav) -> int:
    """How much sound there is, whatever the header says."""
    if size == 0 and there and not _is_chunk(stream, at, at + there):
        wav.notes.append(f"it was never closed: its header declares 0 bytes of audio, {there:,} follow")
        return there
    if size <= there:
        return size
    if size >= _UNKNOWN_BYTES:
        wav.notes.append(f"it was never closed: {there:,} bytes of audio of unknown length")
    else:
        wav.damage = f"it is truncated: its header declares {size:,} bytes of audio, the file has {there:,}"
    return there


def _padding(stream: IO[bytes], at: int, end: int, wav: Wav) -> int:
    """1, or 0 where a recorder forgot the byte that makes an odd chunk even."""
    if not _is_chunk(stream, at + 1, end) and _is_chunk(stream, at, end):
        wav.notes.append("an odd-sized chunk lacks its padding byte")
        return 0
    return 1


def _is_chunk(stream: IO[bytes], at: int, end: int) -> bool:
    """Whether a chunk may begin here: a name, and a size that the file has room for."""
    stream.seek(at)
    head = stream.read(8)
    return len(head) == 8 and _is_name(head[:4]) and int.from_bytes(head[4:], "little") <= end - at - 8


def _is_name(name: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in name) and name.strip() != b""


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
