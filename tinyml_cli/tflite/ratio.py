"""Signal-to-noise ratio after quantisation."""

from __future__ import annotations

import math

# Zero error has no logarithm and JSON no infinity; int8 rounding alone gives about 50 dB.
MAX_SQNR_DB = 120.0


def sqnr_db(signal: float, noise: float) -> float:
    """10 log10(signal / noise) in dB, from sums of squares, within ±MAX_SQNR_DB; two decimals."""
    if noise == 0:
        return MAX_SQNR_DB
    if signal == 0:
        return -MAX_SQNR_DB
    return round(min(max(10 * math.log10(signal / noise), -MAX_SQNR_DB), MAX_SQNR_DB), 2)
