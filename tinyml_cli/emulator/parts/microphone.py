"""What the board's microphone hears: silence, then a recording once, then silence."""

from __future__ import annotations


class HeardSound:
    """Samples at a fixed rate, handed out at whatever rate the program asks for.

    Args:
        samples: int16, little endian, mono.
        rate_hz: theirs.

    Attributes:
        started: whether the recording plays.
        is_over: whether the last sample has been heard.
    """

    def __init__(self, samples: bytes = b"", rate_hz: int = 16_000) -> None:
        self._samples = memoryview(samples).cast("h") if samples else memoryview(b"").cast("h")
        self._rate_hz = rate_hz
        self._position = 0.0
        self.started = False

    @property
    def length_s(self) -> float:
        """How long the recording is."""
        return len(self._samples) / self._rate_hz

    @property
    def is_over(self) -> bool:
        return self._position >= len(self._samples)

    def take(self, count: int, rate_hz: float) -> bytes:
        """The next `count` samples at `rate_hz`, the nearest ones where the rates differ."""
        if not self.started:
            return bytes(2 * count)
        start, step = self._position, self._rate_hz / rate_hz
        if abs(step - 1.0) < 0.02:  # 16,000 Hz and the chip's 16,129 Hz: the same samples, a little faster
            step = 1.0
        self._position = start + count * step
        if step == 1.0:
            taken = self._samples[int(start) : int(start) + count].tobytes()
        else:
            at = [int(start + n * step) for n in range(count)]
            taken = b"".join(
                self._samples[n].to_bytes(2, "little", signed=True) for n in at if n < len(self._samples)
            )
        return taken.ljust(2 * count, b"\0")
