"""Confidence in a rate of rare events: exact Poisson limits, and the listening time needed to show a rate."""

from __future__ import annotations

import math

_CONFIDENCE = 0.95


def poisson_interval(events: int, exposure: float, confidence: float = _CONFIDENCE) -> tuple[float, float]:
    """The exact two-sided interval of a rate, events per unit of exposure.

    Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28, 1936: the limits of the mean are
    chi2(a/2; 2k)/2 and chi2(1-a/2; 2k+2)/2, the means whose tail (k or more, k or fewer) has probability a/2.

    Args:
        events: number counted.
        exposure: duration or amount, such as hours; more than 0.
        confidence: minimum coverage.

    Raises:
        ValueError: a negative count, or no exposure.
    """
    tail, exposure = (1 - confidence) / 2, _checked(events, exposure)
    low = 0.0 if events == 0 else _mean_where(events - 1, 1 - tail)
    return low / exposure, _mean_where(events, tail) / exposure


def upper_limit(events: int, exposure: float, confidence: float = _CONFIDENCE) -> float:
    """The one-sided upper limit of a rate: 3 / exposure without any event (the rule of three)."""
    exposure = _checked(events, exposure)
    return _mean_where(events, 1 - confidence) / exposure


def exposure_needed(rate: float, events: int = 0, confidence: float = _CONFIDENCE) -> float:
    """The exposure needed to show that a rate is at most `rate`, if only `events` happen in it.

    Without events it is 3 / rate: Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?",
    JAMA 249, 1983.
    """
    return _mean_where(events, 1 - confidence) / rate


def _checked(events: int, exposure: float) -> float:
    if events < 0 or not exposure > 0:
        raise ValueError(f"{events} events in {exposure}")
    return exposure


def _mean_where(events: int, probability: float) -> float:
    """The Poisson mean at which the probability of `events` or fewer has this value, by bisection."""
    low, high = 0.0, events + 10 * math.sqrt(events + 1) + 10
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _at_most(events, middle) > probability else (low, middle)
    return (low + high) / 2


def _at_most(events: int, mean: float) -> float:
    """P(X <= events) of a Poisson variable."""
    if mean <= 0:
        return 1.0
    logarithm = math.log(mean)
    return math.fsum(math.exp(k * logarithm - mean - math.lgamma(k + 1)) for k in range(events + 1))
