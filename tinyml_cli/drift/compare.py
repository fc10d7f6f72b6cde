"""Compares two distributions: population stability index and Kolmogorov-Smirnov distance."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.features.drift_settings import DriftColumn
from tinyml_cli.outcomes.boards import Shift

PSI_WATCH = 0.1
PSI_DRIFT = 0.25
KS_DRIFT = 0.2

_PSI_BINS = 10
_LEAST_SHARE = 1e-4
# The 99.9 % quantile of chi squared with 9 degrees of freedom, and of Kolmogorov's distribution.
_CHI2_999 = 27.88
_KOLMOGOROV_999 = 1.95


def compare(
    name: str,
    reference: DriftColumn,
    values: NDArray[np.float64],
    psi_limit: float = PSI_DRIFT,
    ks_limit: float = KS_DRIFT,
) -> Shift:
    """Compares one quantity.

    Without a shift, the PSI is about (1 / n + 1 / m) chi squared: B. Yurdakul, "Statistical Properties of
    Population Stability Index", Western Michigan University, 2018. A distance beyond c sqrt(1 / n + 1 / m)
    has a probability of 0.001 for c = 1.95: N. Smirnov, Annals of Mathematical Statistics 19, 1948. Both
    assume independent values, but neighbours in time are correlated: n and m are divided by the integrated
    autocorrelation time of the reference. (In the log, a slow shift would itself make that time long.)

    Args:
        name: name of the quantity.
        reference: its distribution.
        values: float64 [n], from the log, n at least 1.
        psi_limit, ks_limit: thresholds of drift.
    """
    return compare_counts(name, reference, counts_of(reference, values), psi_limit, ks_limit)


def counts_of(reference: DriftColumn, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many of the values [n] lie in each bin of a reference."""
    return np.bincount(
        np.searchsorted(np.array(reference.edges), values, "left"), minlength=len(reference.edges) + 1
    )


def coarse(reference: DriftColumn) -> DriftColumn:
    """The same distribution in the bins of the PSI: short enough to count in on a gateway."""
    bins = _psi_bins(np.array(reference.shares))
    shares = np.bincount(bins, reference.shares)
    kept = np.unique(bins)
    edges = [edge for edge, (low, high) in zip(reference.edges, pairwise(bins), strict=True) if low != high]
    return reference.model_copy(update={"edges": edges, "shares": shares[kept].tolist()})


def compare_counts(
    name: str,
    reference: DriftColumn,
    counts: NDArray[np.int64],
    psi_limit: float = PSI_DRIFT,
    ks_limit: float = KS_DRIFT,
) -> Shift:
    """As `compare`, of counts [bins] in the reference's bins, at least one of them above 0."""
    n = int(counts.sum())
    now, then = counts / n, np.array(reference.shares)
    distance = float(np.abs(np.cumsum(now) - np.cumsum(then)).max())
    index = _psi(then, now)
    spread = reference.dependence * (1 / n + 1 / reference.n)
    chance = spread * _CHI2_999
    drifted = index >= max(psi_limit, chance) or distance >= max(
        ks_limit, _KOLMOGOROV_999 * math.sqrt(spread)
    )
    watch = not drifted and index >= max(PSI_WATCH, chance)
    return Shift(
        name=name,
        n=n,
        n_reference=reference.n,
        psi=index,
        ks=min(1.0, distance),
        drifted=bool(drifted),
        watch=bool(watch),
    )


def _psi(then: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Over bins that each hold about a tenth of the reference."""
    bins = _psi_bins(then)
    p = np.maximum(np.bincount(bins, then, _PSI_BINS), 0)
    q = np.bincount(bins, now, _PSI_BINS)
    used = (p > 0) | (q > 0)
    p, q = np.maximum(p[used], _LEAST_SHARE), np.maximum(q[used], _LEAST_SHARE)
    return float(((q - p) * np.log(q / p)).sum())


def _psi_bins(shares: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.minimum((np.cumsum(shares) - shares / 2) * _PSI_BINS, _PSI_BINS - 1).astype(np.int64)
