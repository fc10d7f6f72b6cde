"""Windows of motion for a network: the host side of `firmware/lib/motion/motion_window.c`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.features.gesture_settings import CLIP, ImuInput
from tinyml_cli.features.signal import multipliers

Samples = NDArray[np.int16]


def to_real(windows: NDArray[Any], settings: ImuInput) -> NDArray[np.float32]:
    """What the float model sees of windows int16 [n, samples, 6]: float32 [n, samples, 6, 1]."""
    scaled = windows / np.array(settings.deviations)
    real: NDArray[np.float32] = np.clip(scaled, -CLIP, CLIP).astype(np.float32)
    return real[..., None]


def quantize(windows: NDArray[Any], settings: ImuInput, scale: float, zero_point: int) -> NDArray[np.int8]:
    """What the int8 model sees, [n, samples, 6, 1]."""
    factors, shift = multipliers(settings.deviations, scale)
    scaled = (windows.astype(np.int64) * factors + (1 << (shift - 1))) >> shift
    quantized: NDArray[np.int8] = np.clip(scaled + zero_point, -128, 127).astype(np.int8)
    return quantized[..., None]


class MotionWindow:
    """Decides, sample by sample, when a window is judged.

    Args:
        settings: how windows begin and follow each other.
    """

    def __init__(self, settings: ImuInput) -> None:
        self._settings = settings
        self._held = 0
        self._quiet = 0
        self._collecting = settings.start_mg == 0

    def push(self, sample: Sequence[int]) -> bool:
        """Takes one sample; whether the window that ends with it is to be judged."""
        settings = self._settings
        if self._quiet > 0:
            self._quiet -= 1
        if not self._collecting:
            loud = sum(abs(value) for value in sample[:3]) >= settings.start_mg
            if not loud or self._quiet > 0:
                return False
            self._collecting = True
        self._held += 1
        if self._held < settings.window_samples:
            return False
        if settings.start_mg > 0:
            self._collecting, self._held = False, 0
            return True
        self._held -= settings.stride_samples
        return self._quiet == 0

    def accept(self) -> None:
        """The window was a gesture: nothing more is judged for a while."""
        self._quiet = self._settings.suppression_samples


def windows_of(samples: Samples, settings: ImuInput) -> Iterator[tuple[int, Samples]]:
    """(index of its last sample, window int16 [window_samples, 6]) of each that would be judged, were none a
    gesture."""
    spotter = MotionWindow(settings)
    for index, sample in enumerate(samples.tolist()):
        if spotter.push(sample):
            yield index, samples[index + 1 - settings.window_samples : index + 1]
