"""Softmax regression of the last layer, one vector at a time, in the whole numbers of the board.

firmware/lib/teaching/row_training.cpp does the same. "Unknown" has no row: its logit is 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int8 = npt.NDArray[np.int8]
Int64 = npt.NDArray[np.int64]

UNKNOWN = -1
"""The label of a vector that is no word."""
EPOCHS, OTHERS_EACH, OTHER_STRIDE, RATE_BITS = 10, 8, 617, 4  # of word_lesson.cpp
_ONE = 1 << 15
_FINE_BITS = 8
_LOGIT_BITS = 19
_MOST_FINE = 127 << _FINE_BITS
_MOST_BIAS = 1 << 29


@dataclass
class RowTraining:
    """Rows while they are trained, 256 times finer than they are kept.

    Attributes:
        fine: int64 [rows, values] in 2^-12.
        fine_bias: int64 [rows] in 2^-19.
    """

    fine: Int64
    fine_bias: Int64

    @classmethod
    def of(cls, weights: Int8, biases: npt.NDArray[np.int32]) -> RowTraining:
        """Begins with rows int8 [rows, values] in 1/16 and biases [rows] in 1/2048."""
        return cls(
            (weights.astype(np.int64) << _FINE_BITS).clip(-_MOST_FINE, _MOST_FINE),
            (biases.astype(np.int64) << _FINE_BITS).clip(-_MOST_BIAS, _MOST_BIAS),
        )

    def errors(self, unit: Int8, label: int) -> Int64:
        """Probability minus what it should be, in 2^-15, of each row; UNKNOWN is a label, too."""
        logits = self.fine @ unit.astype(np.int64) + self.fine_bias
        highest = max(0, int(logits.max(initial=0)))
        shares = _decay(highest - logits)
        errors: Int64 = shares * _ONE // (int(shares.sum()) + int(_decay(np.array([highest]))[0]))
        if label != UNKNOWN:
            errors[label] -= _ONE
        return errors

    def step(self, unit: Int8, label: int, rate_bits: int) -> None:
        """One step of 2^-rate_bits along the gradient: errors times unit vector int8 [values]."""
        errors = self.errors(unit, label)
        change = _shifted(np.outer(errors, unit.astype(np.int64)), 10 + rate_bits)
        self.fine = (self.fine - change).clip(-_MOST_FINE, _MOST_FINE)
        bias_change = _shifted(errors * 16, rate_bits)
        self.fine_bias = (self.fine_bias - bias_change).clip(-_MOST_BIAS, _MOST_BIAS)

    def rows(self) -> tuple[Int8, npt.NDArray[np.int32]]:
        """Weights and biases as rows keep them."""
        weights = _shifted(self.fine, _FINE_BITS).clip(-127, 127).astype(np.int8)
        return weights, _shifted(self.fine_bias, _FINE_BITS).astype(np.int32)


def practise(
    training: RowTraining, units: Int8, label: int, others: Int8, usable: npt.NDArray[np.bool_]
) -> None:
    """Trains rows by the vectors of a word's takes, and by other sound in between.

    Args:
        training: rows so far.
        units: of the takes, int8 [vectors, values].
        label: number of the word's row.
        others: other sound, int8 [windows, values].
        usable: bool [windows], in which nobody says the word.
    """
    other = 0
    for number in range(EPOCHS * len(units)):
        training.step(units[number % len(units)], label, RATE_BITS)
        for _ in range(OTHERS_EACH if len(others) else 0):
            other = (other + OTHER_STRIDE) % len(others)
            if usable[other]:
                training.step(others[other], UNKNOWN, RATE_BITS)


def _shifted(values: Int64, bits: int) -> Int64:
    """values / 2^bits, rounded half up."""
    half = (1 << bits) >> 1
    found: Int64 = (values + half) >> bits
    return found


def _decay(distance: Int64) -> Int64:
    """e^-distance in 2^-15, for distances in 2^-19."""
    power = (distance * 94548) >> 16
    whole = np.minimum(power >> _LOGIT_BITS, 40)
    part = (power & ((1 << _LOGIT_BITS) - 1)) >> 4
    cubic = 7872 - ((part * 1543) >> 15)
    square = 22713 - ((part * cubic) >> 15)
    found: Int64 = np.where(whole > 15, 0, (_ONE - ((part * square) >> 15)) >> np.minimum(whole, 15))
    return found
