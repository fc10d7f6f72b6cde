"""The manifest's settings of anomaly detection: from samples to a score, a threshold and an alarm."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

SUMMARY_FEATURES = ("mean", "energy", "difference", "crest")  # SIGNAL_SUMMARY_FEATURES in signal_features.h
MAX_WINDOW_SAMPLES = 512  # SIGNAL_MAX_WINDOW in signal_features.h

Method = Literal["autoencoder", "kmeans", "gmm"]
Sensor = Literal["imu", "microphone", "series"]


class _AnomalySection(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class SignalInput(_AnomalySection):
    """Windows of a sensor's samples, and what is computed from each."""

    sample_rate_hz: float = Field(gt=0)
    window_samples: int = Field(ge=2, le=4096)
    stride_samples: int = Field(ge=1)
    channels: list[str] = Field(min_length=1, max_length=16)
    sample_scale: float = Field(
        default=1.0, gt=0, description="int16 units of the board per unit of the data"
    )
    bands: int = Field(default=0, ge=0, le=64, description="0: the samples themselves are the features")
    floor_lsb: int = Field(default=4, ge=1, le=1000, description="amplitude that counts as noise")

    @property
    def n_features(self) -> int:
        """Features of one window."""
        return len(self.channels) * (
            self.bands + len(SUMMARY_FEATURES) if self.bands else self.window_samples
        )

    @model_validator(mode="after")
    def _fits_the_firmware(self) -> SignalInput:
        if self.bands:
            window = self.window_samples
            if window & (window - 1) or not 8 <= window <= MAX_WINDOW_SAMPLES:
                raise ValueError(f"window_samples: {window} is not a power of two in 8..{MAX_WINDOW_SAMPLES}")
            if self.bands > window // 2 - 1:
                raise ValueError(f"bands: at most {window // 2 - 1} with windows of {window} samples")
        return self


class SoundInput(_AnomalySection):
    """Windows of log-mel frames; the manifest's `features` say how a frame is made."""

    frames: int = Field(ge=1, le=256)
    stride_frames: int = Field(ge=1)


class Mixture(_AnomalySection):
    """Clusters in the int8 output of the network, as anomaly_score.h has them."""

    shift: int = Field(ge=0, le=63)
    centers: list[list[int]]
    weights: list[list[int]]
    constants: list[int]


class Alarm(_AnomalySection):
    """When an alarm goes on and off, in windows."""

    raise_windows: int = Field(ge=1, le=10_000)
    clear_windows: int = Field(ge=1, le=10_000)
    hold_windows: int = Field(ge=0, le=60_000)
    release_permille: int = Field(ge=1, le=1000, description="release level, of the threshold")
    level_shift: int = Field(default=7, ge=1, le=16, description="the level reaches back over 2^this windows")


class AnomalyThreshold(_AnomalySection):
    """The threshold of the int8 score, from normal data that training did not see."""

    score: int = Field(ge=0, lt=1 << 32)
    level: int = Field(ge=0, lt=1 << 32, description="mean score of that data")
    share_ppm: int = Field(
        ge=1, le=500_000, description="of normal windows above it; what `calibrate` keeps to"
    )
    target: str = Field(description="what was asked for")
    windows: int = Field(ge=1)
    hours: float = Field(gt=0)
    exceeded: int = Field(ge=0, description="windows (or alarms, for a rate per hour) above it")
    rate: float = Field(ge=0, description="share of windows, or alarms per hour")
    rate_upper: float = Field(ge=0, description="its upper limit at the confidence")
    confidence: float = Field(gt=0, lt=1)
    float_score: float = Field(ge=0, description="the same of the float model")


class AnomalyInput(_AnomalySection):
    """Anomaly detection of one run."""

    method: Method
    sensor: Sensor
    signal: SignalInput | None = None
    sound: SoundInput | None = None
    feature_names: list[str]
    offsets: list[int]
    deviations: list[float] = Field(description="0: the feature never changed, and is left out")
    clip: float = Field(gt=0, description="of the float model's input, in deviations")
    alarm: Alarm
    fpr: float | None = None
    false_alarms_per_hour: float | None = None
    confidence: float = 0.95
    mixture: Mixture | None = None
    threshold: AnomalyThreshold | None = None

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> AnomalyInput:
        if (self.signal is None) == (self.sound is None):
            raise ValueError("give either signal or sound")
        if not len(self.offsets) == len(self.deviations) == len(self.feature_names):
            raise ValueError("offsets, deviations and feature_names differ in length")
        return self

    def window_s(self, stride_ms: float) -> float:
        """Seconds between the ends of two windows; `stride_ms` is that of sound's frames."""
        if self.signal is not None:
            return self.signal.stride_samples / self.signal.sample_rate_hz
        assert self.sound is not None
        return self.sound.stride_frames * stride_ms / 1000
