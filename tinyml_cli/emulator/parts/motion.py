"""How the board is moved: at rest, then a recording once, then its last sample, as if it were put down."""

from __future__ import annotations

import struct

# Lying flat: mg on the board's axes, then mdps.
AT_REST = (0, 0, 1000, 0, 0, 0)
_MEASURED_HZ = 119  # of the sensors, as the Arduino libraries set them
_SAMPLE = struct.Struct("<6i")


class Motion:
    """Samples of acceleration (mg) and rotation (thousandths of a degree a second) on the board's axes.

    Args:
        samples: six int32 each, little endian: ax, ay, az, gx, gy, gz.
        rate_hz: theirs.

    Attributes:
        started_s: when the recording begins to play; None: not yet.
    """

    def __init__(self, samples: bytes = b"", rate_hz: float = 100.0) -> None:
        self._samples = list(_SAMPLE.iter_unpack(samples)) or [AT_REST]
        self._rate_hz = rate_hz
        self.started_s: float | None = None

    def is_over(self, now_s: float) -> bool:
        """Whether the last sample's time has passed."""
        return self.started_s is not None and self._number(now_s) >= len(self._samples)

    def at(self, now_s: float) -> tuple[int, ...]:
        """The sample of a moment."""
        if self.started_s is None or now_s < self.started_s:
            return AT_REST
        return self._samples[min(self._number(now_s), len(self._samples) - 1)]

    def number_at(self, now_s: float) -> int:
        """How many measurements there have been, for flags that say "new"."""
        return int(now_s * _MEASURED_HZ)

    def _number(self, now_s: float) -> int:
        return int((now_s - (self.started_s or 0.0)) * self._rate_hz)
