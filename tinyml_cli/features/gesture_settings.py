"""The input of the wand's model, as kept in recipe and manifest."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

UNKNOWN = "unknown"
"""Label 0 of every wand: a motion that is none of its gestures."""

MAX_WINDOW_SAMPLES = 512  # MOTION_MAX_WINDOW in motion_window.h
AXES = 6
"""Of motion: three of acceleration, three of rotation."""
CLIP = 2.0
"""The float model of raw motion sees -CLIP..CLIP."""
STROKE_RATE_HZ = 119.0
"""Samples a second from which strokes are computed: the LSM9DS1's."""


class ImuInput(BaseModel):
    """Windows of motion as a model takes them; what is not set is taken from the data.

    Attributes:
        rate_hz: samples per second.
        window_samples: how much motion the model sees at once.
        stride_samples: from one inference to the next, where `start_mg` is 0.
        start_mg: a window begins where the absolute accelerations of the axes add up to this; 0: windows
            follow each other for ever.
        suppression_ms: how long nothing more is recognised after a gesture.
        accelerometer_mg, gyroscope_ddps: what is 1 to the float model, which sees -CLIP..CLIP.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    rate_hz: float = Field(default=119.0, ge=10, le=1000)
    window_samples: int = Field(default=178, ge=16, le=MAX_WINDOW_SAMPLES)
    stride_samples: int = Field(default=30, ge=1, le=MAX_WINDOW_SAMPLES)
    start_mg: int = Field(default=0, ge=0, le=16_000)
    suppression_ms: int = Field(default=1000, ge=0, le=60_000)
    accelerometer_mg: float = Field(default=2000.0, ge=10, le=32_000)
    gyroscope_ddps: float = Field(default=2500.0, ge=10, le=32_000)

    @property
    def suppression_samples(self) -> int:
        """`suppression_ms` in samples."""
        return round(self.suppression_ms * self.rate_hz / 1000)

    @property
    def deviations(self) -> list[float]:
        """What is 1 to the float model, for each of the six values of a sample."""
        return [self.accelerometer_mg] * 3 + [self.gyroscope_ddps] * 3


class GestureInput(BaseModel):
    """A wand's input and operating point.

    Attributes:
        input: strokes drawn as pictures, or windows of raw motion.
        imu: windows, for `input` imu.
        threshold: a gesture counts from this score on; chosen on the validation split.
        rotation_invariant: strokes are turned until they begin above their middle.
    """

    model_config = ConfigDict(extra="forbid")

    input: Literal["stroke", "imu"] = "stroke"
    imu: ImuInput | None = None
    threshold: float = Field(default=0.5, ge=0, le=1)
    rotation_invariant: bool = False

    @property
    def rate_hz(self) -> float:
        """Samples a second that the board takes."""
        return STROKE_RATE_HZ if self.imu is None else self.imu.rate_hz
