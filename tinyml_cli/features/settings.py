"""The audio front end's settings: one schema for recipe, manifest, host and firmware."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

MIN_FFT_SIZE = 64
MAX_FFT_SIZE = 1024  # AUDIO_FRONTEND_MAX_FFT_SIZE in audio_frontend.h
MAX_CHANNELS = 64  # AUDIO_FRONTEND_MAX_CHANNELS in audio_frontend.h


class AudioFrontendSettings(BaseModel):
    """Settings of the integer front end. The defaults are micro_speech's, with a 20 ms stride.

    Noise reduction and per-channel amplitude normalisation follow Wang et al., "Trainable Frontend For
    Robust and Far-Field Keyword Spotting", ICASSP 2017, with PCAN in place of PCEN.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_rate_hz: int = Field(default=16000, ge=4000, le=48000)
    window_ms: int = Field(default=30, ge=1, le=250)
    stride_ms: int = Field(default=20, ge=1, le=250)
    channels: int = Field(default=40, ge=1, le=MAX_CHANNELS)
    lower_hz: float = Field(default=125.0, ge=0)
    upper_hz: float = Field(default=7500.0, gt=0)
    smoothing_bits: int = Field(default=10, ge=0, le=16, description="fraction bits of the noise estimate")
    even_smoothing: float = Field(default=0.025, ge=0, lt=1)
    odd_smoothing: float = Field(default=0.06, ge=0, lt=1)
    min_signal_remaining: float = Field(default=0.05, ge=0, le=1)
    pcan_strength: float = Field(default=0.95, ge=0, le=1)
    pcan_offset: float = Field(default=80.0, gt=0)
    pcan_gain_bits: int = Field(default=21, ge=0, le=30)
    log_scale_shift: int = Field(default=6, ge=0, le=10)

    @property
    def window_samples(self) -> int:
        """Samples that one frame looks at."""
        return self.window_ms * self.sample_rate_hz // 1000

    @property
    def stride_samples(self) -> int:
        """Samples between the starts of two frames."""
        return self.stride_ms * self.sample_rate_hz // 1000

    @property
    def fft_size(self) -> int:
        """The smallest power of two that holds a window."""
        return 1 << (self.window_samples - 1).bit_length()

    @property
    def correction_bits(self) -> int:
        """Bits by which the filter bank's output is below full scale: the FFT divides by its size, and the
        square root halves the 12 fraction bits of the weights."""
        return self.fft_size.bit_length() - 1 - 6

    def frames(self, n_samples: int) -> int:
        """Whole frames in a clip of `n_samples`."""
        return max(0, (n_samples - self.window_samples) // self.stride_samples + 1)

    @model_validator(mode="after")
    def _fits_the_firmware(self) -> AudioFrontendSettings:
        if not MIN_FFT_SIZE // 2 < self.window_samples <= MAX_FFT_SIZE:
            raise ValueError(
                f"window_ms: {self.window_ms} ms at {self.sample_rate_hz} Hz is {self.window_samples} "
                f"samples; must be {MIN_FFT_SIZE // 2 + 1} to {MAX_FFT_SIZE}"
            )
        if not 1 <= self.stride_samples <= self.window_samples:
            raise ValueError(f"stride_ms: {self.stride_ms} ms is not in 1..window_ms ({self.window_ms})")
        if not self.lower_hz < self.upper_hz < self.sample_rate_hz / 2:
            raise ValueError(
                f"lower_hz < upper_hz < {self.sample_rate_hz / 2:g} (half of sample_rate_hz) must hold, "
                f"got {self.lower_hz:g} and {self.upper_hz:g}"
            )
        if self.smoothing_bits < self.correction_bits:
            raise ValueError(f"smoothing_bits: at least {self.correction_bits} with this window_ms")
        if self.pcan_gain_bits < self.correction_bits + 12:
            raise ValueError(f"pcan_gain_bits: at least {self.correction_bits + 12} with this window_ms")
        return self
