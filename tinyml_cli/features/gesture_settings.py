"""What the wand's model takes, as recipe and manifest keep it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

UNKNOWN = "unknown"
"""Label 0 of every wand: a motion that is none of its gestures."""


class ImuInput(BaseModel):
    """Windows of motion as a model takes them.

    Attributes:
        rate_hz: samples per second.
        window_ms: how much motion the model sees at once.
        stride_ms: from one inference to the next while the wand moves.
        axes: 6 (accelerometer, gyroscope) or 3 (accelerometer alone).
        accelerometer_mg, gyroscope_ddps: what is 1.0 to the float model; dps / 10 is what the board sends.
    """

    model_config = ConfigDict(extra="forbid")

    rate_hz: float = Field(default=100.0, ge=10, le=1000)
    window_ms: int = Field(default=1500, ge=100, le=10_000)
    stride_ms: int = Field(default=100, ge=10, le=5000)
    axes: Literal[3, 6] = 6
    accelerometer_mg: float = Field(default=2000.0, gt=0)
    gyroscope_ddps: float = Field(default=5000.0, gt=0)

    @property
    def window_samples(self) -> int:
        """Samples of one window."""
        return round(self.window_ms * self.rate_hz / 1000)

    @property
    def stride_samples(self) -> int:
        """Samples from one inference to the next."""
        return max(1, round(self.stride_ms * self.rate_hz / 1000))


class GestureInput(BaseModel):
    """A wand's input and operating point.

    Attributes:
        input: strokes drawn as pictures, or windows of raw motion.
        imu: windows, for `input` imu.
        threshold: a gesture counts from this score on; chosen on the validation split.
    """

    model_config = ConfigDict(extra="forbid")

    input: Literal["stroke", "imu"] = "stroke"
    imu: ImuInput | None = None
    threshold: float = Field(default=0.5, ge=0, le=1)
