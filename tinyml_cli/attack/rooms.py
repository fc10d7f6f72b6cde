"""What lies between a loudspeaker and a microphone: a delay and a room, as filters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SHIFT_S = 0.1
_T60_S = (0.1, 0.5)
_TAIL_S = 0.5
# Energy of the reverberation for each unit of the direct sound's.
_REVERBERANT = (0.2, 1.0)


@dataclass(frozen=True)
class Paths:
    """One linear filter for each item.

    Attributes:
        spectra: complex128 [n, bins], of responses that may begin before 0.
        size: of the Fourier transform.
    """

    spectra: npt.NDArray[np.complex128]
    size: int

    def apply(self, sound: FloatArray) -> FloatArray:
        """float64 [n or 1, samples] as it is heard, [n, samples]."""
        return self._filtered(sound, self.spectra)

    def adjoint(self, gradient: FloatArray) -> FloatArray:
        """The gradient by what was played, from that by what was heard; the same shape."""
        return self._filtered(gradient, self.spectra.conj())

    def _filtered(self, sound: FloatArray, spectra: npt.NDArray[np.complex128]) -> FloatArray:
        heard: FloatArray = np.fft.irfft(np.fft.rfft(sound, self.size) * spectra, self.size)
        return heard[:, : sound.shape[1]]


def draw(n: int, samples: int, rate_hz: int, reverberant: bool, rng: np.random.Generator) -> Paths:
    """Random delays of up to SHIFT_S either way; with `reverberant`, random rooms too.

    A room is noise that decays by 60 dB in 0.1 to 0.5 s (J. D. Polack's model), as loud as a fifth of the
    direct sound or more. Each response has energy 1.
    """
    tail = round(_TAIL_S * rate_hz) if reverberant else 1
    shifts = rng.integers(-round(SHIFT_S * rate_hz), round(SHIFT_S * rate_hz) + 1, n)
    size = 1 << (samples + tail + int(np.abs(shifts).max(initial=0)) - 1).bit_length()
    response = np.zeros((n, size))
    response[:, 0] = 1.0
    if reverberant:
        seconds = np.arange(1, tail) / rate_hz
        decay = 10 ** (-3 * seconds / rng.uniform(*_T60_S, (n, 1)))
        noise = rng.normal(0, 1, (n, tail - 1)) * decay
        noise *= np.sqrt(rng.uniform(*_REVERBERANT, (n, 1)) / np.square(noise).sum(axis=1, keepdims=True))
        response[:, 1:tail] = noise
        response /= np.sqrt(np.square(response).sum(axis=1, keepdims=True))
    # A circular shift: what comes before 0 lies at the end, beyond the samples that are kept.
    for row, shift in enumerate(shifts):
        response[row] = np.roll(response[row], shift)
    return Paths(np.fft.rfft(response), size)
