"""The features of a window of samples, for any sensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.features import signal as signal_features
from tinyml_cli.features.anomaly_settings import SignalInput, SoundInput
from tinyml_cli.features.audio_frontend import extract_batch
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest


@dataclass(frozen=True)
class WindowInput:
    """Windows of a signal, or of sound: exactly one of `signal` and `sound` is set.

    Attributes:
        signal: motion, vibration, other series.
        sound: log-mel frames, computed by `frontend`.
    """

    signal: SignalInput | None
    sound: SoundInput | None
    frontend: AudioFrontendSettings | None

    @classmethod
    def of(cls, manifest: Manifest) -> WindowInput:
        """The manifest's windows.

        Raises:
            TinymlError: the run is not anomaly detection.
        """
        if manifest.anomaly is None:
            raise TinymlError(
                "The run is not an anomaly detection run", "manifest.json", "Train one: tinyml train anomaly"
            )
        return cls(manifest.anomaly.signal, manifest.anomaly.sound, manifest.features)

    @property
    def window_samples(self) -> int:
        """Samples of one window."""
        if self.signal is not None:
            return self.signal.window_samples
        sound, frontend = self._parts
        return frontend.window_samples + (sound.frames - 1) * frontend.stride_samples

    @property
    def stride_samples(self) -> int:
        """Samples from one window to the next."""
        if self.signal is not None:
            return self.signal.stride_samples
        sound, frontend = self._parts
        return sound.stride_frames * frontend.stride_samples

    @property
    def rate_hz(self) -> float:
        """Samples per second."""
        return self.signal.sample_rate_hz if self.signal is not None else float(self._parts[1].sample_rate_hz)

    @property
    def sample_scale(self) -> float:
        """Units of the board per unit of the data."""
        return self.signal.sample_scale if self.signal is not None else 1.0

    @property
    def window_s(self) -> float:
        """Seconds from one window to the next."""
        return self.stride_samples / self.rate_hz

    @property
    def values_per_step(self) -> int:
        """Values per step in time; 0 if the features have no time axis."""
        if self.signal is not None:
            return 0 if self.signal.bands else len(self.signal.channels)
        return self._parts[1].channels

    def features(self, samples: NDArray[np.int16]) -> NDArray[np.int32]:
        """int32 [n, features] of windows int16 [n, window_samples, channels], as in the firmware."""
        if self.signal is not None:
            return signal_features.extract_windows(samples, self.signal)
        _, frontend = self._parts
        frames = extract_batch(np.ascontiguousarray(samples[:, :, 0]), frontend)
        return frames.reshape(len(frames), -1).astype(np.int32)

    def feature_names(self) -> list[str]:
        """The name of each feature, in order."""
        if self.signal is not None:
            return signal_features.feature_names(self.signal)
        sound, frontend = self._parts
        return [f"mel{band}[{frame}]" for frame in range(sound.frames) for band in range(frontend.channels)]

    @property
    def _parts(self) -> tuple[SoundInput, AudioFrontendSettings]:
        assert self.sound is not None and self.frontend is not None
        return self.sound, self.frontend
