"""Sound as phones write it, M4A, AAC, AMR and 3GP, by FFmpeg's decoders: the extra `phone`."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.declared_size import id3_bytes
from tinyml_cli.data.phone import INSTALL_PHONE
from tinyml_cli.limits import over_limit

SUFFIXES = (".m4a", ".aac", ".amr", ".3gp", ".3gpp", ".3g2", ".mp4", ".m4b", ".mka", ".wma")

_SAMPLE_BYTES = 4
_ASF = bytes.fromhex("3026b2758e66cf11")
# A container's clock rounds, and encoders pad: only what is missing beyond this counts as cut off.
_TOLERANCE_S = 0.2


def kind_of(head: bytes) -> str | None:
    """FFmpeg's name of the container, by a file's first bytes; None for every other kind.

    The name is given to FFmpeg: left to guess, it would also open playlists, which name other files.
    """
    head = head[id3_bytes(head) :]
    if head[4:8] == b"ftyp":
        return "mov"
    if head.startswith(b"#!AMR"):
        return "amr"
    if head.startswith(_ASF):
        return "asf"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    # ADTS: twelve bits of synchronisation, layer 0 (ISO/IEC 13818-7); MP3 has another layer.
    is_adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
    return "aac" if is_adts else None


@cache
def is_installed() -> bool:
    """Whether the extra is there."""
    from importlib.util import find_spec

    return find_spec("av") is not None


def read(path: Path, kind: str) -> tuple[NDArray[np.float32], int, str]:
    """Decodes the first sound of a file.

    Args:
        path: the file.
        kind: as `kind_of` says.

    Returns:
        (float32 [samples, channels], its rate in Hz, what is damaged; empty where nothing is).

    Raises:
        ValueError: the extra is missing, no sound, damaged from the start, or over the limit of memory.
    """
    if not is_installed():
        raise ValueError(f"{path.suffix.lstrip('.').upper() or kind} takes an extra: {INSTALL_PHONE}")
    import av

    with path.open("rb") as stream:
        _check_tables(stream, kind)
        try:
            with av.open(stream, format=kind) as container:
                return _decoded(container)
        except (av.FFmpegError, OverflowError, TypeError, IndexError, MemoryError) as error:
            raise ValueError(f"it is damaged ({error.__class__.__name__})") from error


def _decoded(container: Any) -> tuple[NDArray[np.float32], int, str]:
    import av

    if not container.streams.audio:
        raise ValueError("it holds no sound")
    source = container.streams.audio[0]
    source.codec_context.thread_count = 1
    resampler = av.AudioResampler(format="fltp")
    parts: list[NDArray[np.float32]] = []
    rate_hz, held_bytes, damage = 0, 0, ""
    try:
        for frame in container.decode(source):
            for plane in resampler.resample(frame):
                parts.append(np.asarray(plane.to_ndarray(), np.float32))
                rate_hz = plane.sample_rate
                held_bytes += parts[-1].nbytes
            # The parts and the whole that they are joined to.
            if reason := over_limit(2 * held_bytes):
                raise _TooLargeError(reason)
    except (av.FFmpegError, ValueError) as error:
        if isinstance(error, _TooLargeError) or not parts:
            raise
        damage = "its sound breaks off"
    if not parts:
        raise ValueError("it holds no samples")
    samples = np.concatenate(parts, axis=1).T
    declared_s = float(source.duration * source.time_base) if source.duration and source.time_base else 0.0
    if declared_s - len(samples) / rate_hz > _TOLERANCE_S:
        damage = f"it is cut off: {declared_s:.1f} s are declared, {len(samples) / rate_hz:.1f} s are there"
    return samples, rate_hz, damage


class _TooLargeError(ValueError):
    pass


def _check_tables(stream: IO[bytes], kind: str) -> None:
    """FFmpeg makes an entry for every sample that an MP4 declares: never more than the file has bytes."""
    if kind != "mov":
        return
    data = stream.read()
    stream.seek(0)
    if b"moov" not in data:
        raise ValueError("it is cut off: its index, which is written last, is missing")
    at = data.find(b"stsz")
    while at >= 0:
        declared = struct.unpack_from(">I", data, at + 12)[0] if at + 16 <= len(data) else 0
        if declared > len(data):
            raise ValueError(f"it is damaged: it declares {declared:,} samples, more than its bytes")
        at = data.find(b"stsz", at + 4)
