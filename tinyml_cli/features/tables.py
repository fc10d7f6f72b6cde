"""The front end's constant tables, computed on the host for the numpy port, the C extension and firmware.

Values are rounded to single precision exactly where the reference front end does, and functions are
evaluated in double precision, so that every host gives the same integers and the device needs no libm.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.features.settings import AudioFrontendSettings

Int16Array = NDArray[np.int16]
UInt16Array = NDArray[np.uint16]

WINDOW_BITS = 12
WEIGHT_BITS = 12
NOISE_BITS = 14
SNR_BITS = 12
LOG_SEGMENTS = 128
LOG_ONE = 1 << 16
Q15_ONE = 32767

f32 = np.float32


@dataclass(frozen=True)
class FrontendTables:
    """Everything that `AudioFrontendConfig` points to; shapes for n = fft_size, c = channels."""

    settings: AudioFrontendSettings
    first_bin: int
    window: Int16Array  # [window_samples], Q12
    fft_order: UInt16Array  # [n/2]: where the k-th complex input goes
    fft_twiddles: Int16Array  # [3n/8, 2], Q15
    split_twiddles: Int16Array  # [n/4, 2], Q15
    band_widths: UInt16Array  # [c+1], bins
    falling: UInt16Array  # [bins], Q12: weight in the channel below the bin
    rising: UInt16Array  # [bins], Q12: weight in the channel above it
    gain: Int16Array  # [33, 3]: value, slope and curvature per octave of the noise estimate
    log2_error: UInt16Array  # [129], Q16

    @property
    def last_bin(self) -> int:
        """One past the last spectrum bin that any channel uses."""
        return self.first_bin + len(self.falling)

    @property
    def snr_shift(self) -> int:
        """Right shift after signal * gain, leaving 12 fraction bits."""
        return self.settings.pcan_gain_bits - self.settings.correction_bits - SNR_BITS

    def scalars(self) -> dict[str, int]:
        """The integer members of `AudioFrontendConfig`, in their order."""
        s = self.settings
        return {
            "window_samples": s.window_samples,
            "stride_samples": s.stride_samples,
            "fft_size": s.fft_size,
            "channels": s.channels,
            "first_bin": self.first_bin,
            "last_bin": self.last_bin,
            "even_smoothing": _truncated_q14(s.even_smoothing),
            "odd_smoothing": _truncated_q14(s.odd_smoothing),
            "min_signal_remaining": _truncated_q14(s.min_signal_remaining),
            "smoothing_bits": s.smoothing_bits,
            "snr_shift": self.snr_shift,
            "correction_bits": s.correction_bits,
            "log_scale_shift": s.log_scale_shift,
        }

    def arrays(self) -> dict[str, Int16Array | UInt16Array]:
        """The pointer members of `AudioFrontendConfig`, in their order."""
        return {
            "window": self.window,
            "fft_order": self.fft_order,
            "fft_twiddles": self.fft_twiddles,
            "split_twiddles": self.split_twiddles,
            "band_widths": self.band_widths,
            "falling": self.falling,
            "rising": self.rising,
            "gain": self.gain,
            "log2_error": self.log2_error,
        }


@lru_cache(maxsize=32)
def build_tables(settings: AudioFrontendSettings) -> FrontendTables:
    """Computes all tables of `settings`."""
    points = settings.fft_size // 2
    first_bin, widths, falling, rising = _filter_bank(settings)
    return FrontendTables(
        settings=settings,
        first_bin=first_bin,
        window=_hann_window(settings.window_samples),
        fft_order=fft_order(points),
        fft_twiddles=fft_twiddles(points),
        split_twiddles=split_twiddles(points),
        band_widths=widths,
        falling=falling,
        rising=rising,
        gain=_gain_octaves(settings),
        log2_error=log2_error(),
    )


def _truncated_q14(share: float) -> int:
    return int(f32(share) * f32(1 << NOISE_BITS))


def _hann_window(size: int) -> Int16Array:
    """Hann window sampled at half-integers, Q12."""
    step = float(f32(2 * math.pi / size))
    shape = [float(f32(0.5 - 0.5 * math.cos(step * (i + 0.5)))) for i in range(size)]
    return np.array([math.floor(value * (1 << WINDOW_BITS) + 0.5) for value in shape], np.int16)


def _radices(points: int) -> list[int]:
    """Factors of a power of two, outermost stage first: fours, then one two if needed."""
    exponent = points.bit_length() - 1
    return [4] * (exponent // 2) + [2] * (exponent % 2)


def fft_twiddles(points: int) -> Int16Array:
    """The rotations of a complex transform: [3 points / 4, 2], Q15."""
    return _rotations([-2 * math.pi * k / points for k in range(3 * points // 4)])


def split_twiddles(points: int) -> Int16Array:
    """The rotations that separate a real signal of twice the size: [points / 2, 2], Q15."""
    return _rotations([-math.pi * ((k + 1) / points + 0.5) for k in range(points // 2)])


def fft_order(points: int) -> UInt16Array:
    """Mixed-radix digit reversal: decimation in time wants input k at position order[k]."""
    order = np.zeros(points, np.uint16)
    for k in range(points):
        rest, position, span = k, 0, points
        for radix in _radices(points):
            span //= radix
            position += (rest % radix) * span
            rest //= radix
        order[k] = position
    return order


def _rotations(phases: list[float]) -> Int16Array:
    """e^(i phase) as (real, imaginary) in Q15, rounded half up."""
    pairs = [
        (math.floor(0.5 + Q15_ONE * math.cos(p)), math.floor(0.5 + Q15_ONE * math.sin(p))) for p in phases
    ]
    return np.array(pairs, np.int16)


def _mel(frequency_hz: float) -> np.float32:
    """Mel scale of O'Shaughnessy, 1127 ln(1 + f/700)."""
    return f32(1127 * math.log1p(frequency_hz / 700))


def _filter_bank(settings: AudioFrontendSettings) -> tuple[int, UInt16Array, UInt16Array, UInt16Array]:
    """Overlapping triangles on the mel scale, as one rising and one falling weight per bin.

    Returns (first bin, bins per band [channels + 1], falling weights, rising weights). Channel c is the
    rising part of band c plus the falling part of band c + 1.
    """
    bands = settings.channels + 1
    low, high = _mel(float(f32(settings.lower_hz))), _mel(float(f32(settings.upper_hz)))
    spacing = (high - low) / f32(bands)
    centers = [low + spacing * f32(i + 1) for i in range(bands)]
    hz_per_bin = f32(settings.sample_rate_hz / settings.fft_size)
    first_bin = int(1.5 + float(f32(settings.lower_hz) / hz_per_bin))  # never the constant component

    widths, falling, rising = [], [], []
    k = first_bin
    for band, center in enumerate(centers):
        below = low if band == 0 else centers[band - 1]
        start = k
        while (mel := _mel(float(f32(k) * hz_per_bin))) <= center:
            weight = (center - mel) / (center - below)
            falling.append(_rounded_weight(float(weight)))
            rising.append(_rounded_weight(1 - float(weight)))
            k += 1
        widths.append(k - start)
    if not falling or k > settings.fft_size // 2:
        raise TinymlError(
            f"no spectrum bin is between lower_hz {settings.lower_hz:g} and upper_hz {settings.upper_hz:g}",
            "features",
            "Widen the band or lengthen window_ms.",
        )
    return (
        first_bin,
        np.array(widths, np.uint16),
        np.array(falling, np.uint16),
        np.array(rising, np.uint16),
    )


def _rounded_weight(share: float) -> int:
    return math.floor(share * (1 << WEIGHT_BITS) + 0.5)


def _gain_octaves(settings: AudioFrontendSettings) -> Int16Array:
    """PCAN gain (noise + offset)^-strength as one parabola per octave of the noise estimate.

    Row b serves the estimates of b significant bits: a parabola through both ends and the middle.
    """
    input_bits = settings.smoothing_bits - settings.correction_bits

    def gain(estimate: int) -> int:
        noise = f32(estimate) / f32(1 << input_bits) + f32(settings.pcan_offset)
        power = f32(math.pow(float(noise), -float(f32(settings.pcan_strength))))
        value = f32(1 << settings.pcan_gain_bits) * power
        return Q15_ONE if value > Q15_ONE else int(value + f32(0.5))

    rows = [(gain(0), 0, 0), (gain(1), 0, 0)]
    for bits in range(2, 33):
        start = 1 << (bits - 1)
        end = min(2 * start, (1 << 32) - 1)
        to_middle, to_end = gain(start + start // 2) - gain(start), gain(end) - gain(start)
        slope = 4 * to_middle - to_end
        rows.append((gain(start), slope, to_end - slope))
    return np.array(rows, np.int64).astype(np.int16)


def log2_error() -> UInt16Array:
    """log2(1 + x) - x for x = i / 128, Q16: what a straight line lacks within one octave."""
    xs = [i / LOG_SEGMENTS for i in range(LOG_SEGMENTS + 1)]
    return np.array([math.floor(LOG_ONE * (math.log2(1 + x) - x) + 0.5) for x in xs], np.uint16)


def render_header(settings: AudioFrontendSettings) -> str:
    """The text of `audio_frontend_tables.h`, which defines `kAudioFrontendConfig` for C and C++."""
    tables = build_tables(settings)
    arrays = tables.arrays()
    # Positional, since C++14 has no designated initialisers.
    members = [f"    {value}, /* {name} */" for name, value in tables.scalars().items()]
    members += [f"    {_c_name(name)}," for name in arrays]
    return "\n".join(
        [
            "/* Constant tables of the audio front end, generated from these settings:",
            f" * {settings.model_dump_json()}",
            " */",
            "#ifndef AUDIO_FRONTEND_TABLES_H_",
            "#define AUDIO_FRONTEND_TABLES_H_",
            "",
            '#include "audio_frontend.h"',
            "",
            *(_render_array(_c_name(name), array) for name, array in arrays.items()),
            "static const AudioFrontendConfig kAudioFrontendConfig = {",
            *members,
            "};",
            "",
            "#endif",
            "",
        ]
    )


def _c_name(member: str) -> str:
    return "kAudioFrontend" + "".join(part.capitalize() for part in member.split("_"))


def _render_array(name: str, array: Int16Array | UInt16Array) -> str:
    if array.ndim == 1:
        ctype, items = f"{array.dtype}_t", [str(value) for value in array.tolist()]
    else:
        ctype = {2: "AudioFrontendComplex", 3: "AudioFrontendGain"}[array.shape[1]]
        items = ["{" + ", ".join(map(str, row)) + "}" for row in array.tolist()]
    text = textwrap.fill(", ".join(items), 110, initial_indent="    ", subsequent_indent="    ")
    return f"static const {ctype} {name}[{len(items)}] = {{\n{text}}};\n"
