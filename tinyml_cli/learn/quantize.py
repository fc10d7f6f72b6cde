"""`tinyml learn quantize`: a matrix in whole numbers of few bits, and what rounding costs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.learn import inputs
from tinyml_cli.learn.inputs import Matrix
from tinyml_cli.learn.lesson import Lesson, number
from tinyml_cli.outcomes.lessons import QuantizedBits, QuantizedMatrix
from tinyml_cli.pages import terminal
from tinyml_cli.wording import counted

BITS = range(2, 9)
_SIDE = 64
_BINS = 61
_DPI = 110


@dataclass(frozen=True)
class AffineGrid:
    """Real value = scale x (whole number - zero point).

    Attributes:
        scale: the step between neighbours.
        zero_point: the whole number that stands for 0.
        low: the smallest whole number.
        high: the largest.
    """

    scale: float
    zero_point: int
    low: int
    high: int

    @classmethod
    def of(cls, values: Matrix, bits: int, symmetric: bool) -> AffineGrid:
        """The grid that holds all values and 0 exactly; a symmetric one has its zero point at 0.

        B. Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
        Inference", CVPR 2018, equation 1.
        """
        half = 2 ** (bits - 1)
        if symmetric:
            return cls(float(np.abs(values).max()) / (half - 1) or 1.0, 0, 1 - half, half - 1)
        smallest, largest = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
        scale = (largest - smallest) / (2 * half - 1) or 1.0
        return cls(scale, round(-half - smallest / scale), -half, half - 1)

    def whole(self, values: Matrix) -> NDArray[np.int64]:
        """The nearest whole numbers."""
        nearest = np.rint(values / self.scale) + self.zero_point
        return np.asarray(np.clip(nearest, self.low, self.high), np.int64)

    def real(self, whole: NDArray[np.int64]) -> Matrix:
        """The values that whole numbers stand for."""
        return np.asarray(self.scale * (whole - self.zero_point), np.float64)


def learn_quantize(
    bits: int, symmetric: bool, outlier: float | None, matrix: str | None, seed: int, out: Path
) -> Lesson:
    """Rounds a matrix to whole numbers, and compares 2 to 8 bits.

    Args:
        bits: of the whole numbers.
        symmetric: whether 0 stands for 0.
        outlier: takes the place of the first value; None: nothing does.
        matrix: as `inputs.matrix` reads it; None: 64 x 64 values of a normal distribution.
        seed: of these.
        out: the picture.

    Raises:
        TinymlError: the matrix is none, or the picture cannot be written.
    """
    rng = np.random.default_rng(seed)
    values = inputs.matrix(matrix, "--matrix") if matrix else rng.normal(size=(_SIDE, _SIDE))
    if outlier is not None:
        values[0, 0] = outlier
    by_bits = [_measured(values, each, symmetric) for each in BITS]
    grid = AffineGrid.of(values, bits, symmetric)
    whole = grid.whole(values)
    restored = grid.real(whole)
    outcome = QuantizedMatrix(
        rows=values.shape[0],
        columns=values.shape[1],
        symmetric=symmetric,
        smallest=float(values.min()),
        largest=float(values.max()),
        distinct_before=len(np.unique(values)),
        chosen=by_bits[BITS.index(bits)],
        by_bits=by_bits,
        picture=str(out),
    )
    _draw(out, values, restored, outcome)
    rows = [
        [
            each.bits,
            number(each.scale),
            each.zero_point,
            each.distinct,
            number(each.rms_error),
            "none" if each.sqnr_db is None else f"{each.sqnr_db:.1f} dB",
            f"{each.bytes:,}",
        ]
        for each in by_bits
    ]
    heads = ("bits", "scale", "zero point", "distinct", "RMS error", "signal to error", "bytes")
    bars = {f"{each.bits} bits": each.rms_error for each in by_bits}
    return Lesson(
        outcome,
        _sentences(outcome, float(values[0, 0]), int(whole[0, 0]), float(restored[0, 0])),
        f"RMS error\n{terminal.bars(bars)}",
        [("The same matrix in whole numbers", heads, rows)],
    )


def _measured(values: Matrix, bits: int, symmetric: bool) -> QuantizedBits:
    grid = AffineGrid.of(values, bits, symmetric)
    whole = grid.whole(values)
    errors = grid.real(whole) - values
    noise, signal = float(np.mean(np.square(errors))), float(np.mean(np.square(values)))
    return QuantizedBits(
        bits=bits,
        scale=grid.scale,
        zero_point=grid.zero_point,
        distinct=len(np.unique(whole)),
        largest_error=float(np.abs(errors).max()),
        rms_error=noise**0.5,
        sqnr_db=float(10 * (np.log10(signal) - np.log10(noise))) if noise and signal else None,
        bytes=-(-values.size * bits // 8),
    )


def _sentences(found: QuantizedMatrix, value: float, whole: int, restored: float) -> str:
    chosen = found.chosen
    zero = f"{'-' if chosen.zero_point < 0 else '+'} {abs(chosen.zero_point)}"
    return (
        f"{counted(found.rows * found.columns, 'value')} from {number(found.smallest)} to "
        f"{number(found.largest)} in {chosen.bits} bits: scale {number(chosen.scale)}, zero point "
        f"{chosen.zero_point}.\n"
        f"The first one, {number(value)}: {number(value)} / {number(chosen.scale)} {zero} is rounded to "
        f"{whole}, which stands for {number(restored)}.\n"
        f"{counted(found.distinct_before, 'distinct value')} became {chosen.distinct:,}, and "
        f"{4 * found.rows * found.columns:,} bytes of float32 became {chosen.bytes:,}; the largest error is "
        f"{number(chosen.largest_error)}, at most half a scale.\nPicture: {found.picture}"
    )


def _draw(path: Path, values: Matrix, restored: Matrix, found: QuantizedMatrix) -> None:
    from tinyml_cli.pages import pictures

    figure = pictures.new(11, 3.6)
    chosen = found.chosen
    axes: Any = figure.add_subplot(1, 3, 1)
    margin = chosen.scale / 2
    edges = np.linspace(found.smallest - margin, found.largest + margin, _BINS)
    axes.hist(values.ravel(), edges, histtype="stepfilled", color="#9db7d5", label="float32")
    axes.hist(restored.ravel(), edges, histtype="step", color="#c23b22", label=f"{chosen.bits} bits")
    axes.set_yscale("log")
    axes.set_title(f"Values: {chosen.distinct:,} distinct ones are left", fontsize=9)
    axes.legend(fontsize=7)
    axes = figure.add_subplot(1, 3, 2)
    axes.hist((restored - values).ravel() / chosen.scale, np.linspace(-0.5, 0.5, _BINS), color="#0072b2")
    axes.set_xlabel("scales")
    axes.set_title("Errors: within half a scale", fontsize=9)
    axes = figure.add_subplot(1, 3, 3)
    axes.semilogy(
        [each.bits for each in found.by_bits], [max(each.rms_error, 1e-12) for each in found.by_bits], "o-"
    )
    axes.plot(chosen.bits, max(chosen.rms_error, 1e-12), "o", color="#c23b22")
    axes.set_xlabel("bits")
    axes.set_title("RMS error: about half with each bit", fontsize=9)
    pictures.write(path, figure, _DPI)
