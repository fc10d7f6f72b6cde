"""Child process with FFmpeg's decoders, so that a damaged file can only crash this process.

Started as ``python -m tinyml_cli.data.phone_worker LIMIT_BYTES``. One JSON request per line on stdin: path
and kind. One JSON answer per line on stdout: rate_hz, damage, samples and channels, followed by the sound,
float32 little-endian; or error, with samples 0.
"""

from __future__ import annotations

import json
import math
import struct
import sys
import time
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.limits import over_limit
from tinyml_cli.wording import counted

# A container's clock rounds, and encoders pad: only what is missing beyond this counts as cut off.
_TOLERANCE_S = 0.2
# Processor time that a file may take before it counts as damaged: this, and a second per so many bytes.
_LEAST_S, _BYTES_PER_S = 8.0, 200_000
# The sound in parts, and as a whole.
_COPIES = 2
# Beside the sound: the interpreter, FFmpeg's libraries, and its tables.
_OWN_BYTES = 512 << 20


def allowed_s(path: Path) -> float:
    """Processor time in seconds that decoding a file may take."""
    return _LEAST_S + path.stat().st_size / _BYTES_PER_S


def decode(path: Path, kind: str) -> tuple[NDArray[np.float32], int, str]:
    """The first sound of a file: (float32 [samples, channels], its rate in Hz, what is damaged).

    Raises:
        ValueError: no sound, damaged from the start, or over the limit of memory.
    """
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
        raise ValueError("it contains no audio")
    source = container.streams.audio[0]
    if source.codec_context is None:
        raise ValueError("its audio format is not supported")
    source.codec_context.thread_count = 1
    resampler = av.AudioResampler(format="fltp")
    parts: list[NDArray[np.float32]] = []
    rate_hz, held_bytes, damage = 0, 0, ""
    try:
        for frame in container.decode(source):
            for plane in resampler.resample(frame):
                parts.append(np.ascontiguousarray(plane.to_ndarray().T, np.float32))
                rate_hz = plane.sample_rate
                held_bytes += parts[-1].nbytes
            if reason := over_limit(_COPIES * held_bytes):
                raise _TooLargeError(reason)
    except (av.FFmpegError, ValueError) as error:
        if isinstance(error, _TooLargeError) or not parts:
            raise
        damage = "its audio ends early"
    if not parts:
        raise ValueError("it contains no samples")
    samples = np.concatenate(parts)
    declared_s = float(source.duration * source.time_base) if source.duration and source.time_base else 0.0
    if declared_s - len(samples) / rate_hz > _TOLERANCE_S:
        damage = f"it is truncated: {declared_s:.1f} s are declared, {len(samples) / rate_hz:.1f} s are there"
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
        raise ValueError("it is truncated: its index, written last, is missing")
    at = data.find(b"stsz")
    while at >= 0:
        declared = struct.unpack_from(">I", data, at + 12)[0] if at + 16 <= len(data) else 0
        if declared > len(data):
            raise ValueError(
                f"it is damaged: it declares {counted(declared, 'sample')}, more than its bytes can hold"
            )
        at = data.find(b"stsz", at + 4)


def _limit_memory(limit_bytes: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    most = limit_bytes + _OWN_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_time(seconds: float) -> None:
    """Ends this process once it has used so many more seconds of processor time."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), most))


def main(limit_bytes: int) -> None:
    """Answers requests until the pipe closes."""
    _limit_memory(limit_bytes)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        samples: NDArray[np.float32] = np.empty((0, 1), np.float32)
        try:
            path = Path(request["path"])
            _limit_time(allowed_s(path))
            samples, rate_hz, damage = decode(path, request["kind"])
            answer: dict[str, Any] = {"rate_hz": rate_hz, "damage": damage}
        # Whatever goes wrong in here is the file's fault, and the reason for its refusal.
        except Exception as error:
            answer = {"error": str(error) if isinstance(error, ValueError) else f"it is damaged ({error})"}
        answer |= {"samples": samples.shape[0], "channels": samples.shape[1]}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.write(np.ascontiguousarray(samples, "<f4").data)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
