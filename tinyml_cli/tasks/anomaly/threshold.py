"""The threshold, from scores of normal windows that were not used for training."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.features.anomaly_settings import AnomalyInput, AnomalyThreshold
from tinyml_cli.statistics.chance import binomial_at_most
from tinyml_cli.statistics.rates import upper_limit
from tinyml_cli.tasks.anomaly.alarm import alarms, threshold_of, windows_needed
from tinyml_cli.wording import counted

DEFAULT_FPR = 0.01
# A threshold with fewer windows (or alarms) beyond it is no better than chance.
FEW = 5
_MILLION = 1_000_000


def check_reachable(
    windows: int, window_s: float, fpr: float | None, false_alarms_per_hour: float | None
) -> None:
    """Refuses a false-alarm rate that this amount of normal data cannot verify.

    Args:
        windows: normal windows held out for the threshold.
        window_s: seconds from one to the next.
        fpr, false_alarms_per_hour: the target; the latter if given.

    Raises:
        TinymlError: it says how much more data is needed.
    """
    if false_alarms_per_hour is not None:
        hours = windows * window_s / 3600
        if hours * false_alarms_per_hour < 1:
            raise _too_little(
                f"{false_alarms_per_hour:g} false alarms per hour cannot be verified with {hours:.2g} "
                "hours of normal running",
                f"{1 / false_alarms_per_hour - hours:.2g} more hours",
                f"--false-alarms-per-hour {_rounded_up(1 / max(hours, 1e-9))} or more",
            )
        return
    share = fpr or DEFAULT_FPR
    missing = windows_needed(_ppm(share)) - windows
    if missing > 0:
        raise _too_little(
            f"A false-alarm share of {share:g} cannot be verified with {counted(windows, 'normal window')}",
            f"{missing} more ({missing * window_s / 60:.1f} minutes)",
            f"--fpr {_rounded_up(1 / max(windows, 2))} or more",
        )


def _rounded_up(value: float) -> str:
    """Two digits, never below the value."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{math.ceil(value / unit - 1e-9) * unit:.10g}"


def _ppm(share: float) -> int:
    return max(1, round(share * _MILLION))


def choose(
    scores: NDArray[np.int64],
    float_scores: NDArray[np.float64],
    recording: NDArray[np.int64],
    window_s: float,
    settings: AnomalyInput,
) -> AnomalyThreshold:
    """The lowest threshold that meets the target on this data.

    Args:
        scores: int64 [n] of the int8 model, in order of time within each recording.
        float_scores: float64 [n], the same for the float model.
        recording: int64 [n], the recording of each.
        window_s: seconds from one window to the next.
        settings: the target, and when the alarm goes on.

    Raises:
        TinymlError: the data cannot verify that rate; it says how much more is needed.
    """
    check_reachable(len(scores), window_s, settings.fpr, settings.false_alarms_per_hour)
    hours = len(scores) * window_s / 3600
    if settings.false_alarms_per_hour is not None:
        return _by_hour(scores, float_scores, recording, hours, settings)
    fpr = settings.fpr or DEFAULT_FPR
    found = threshold_of(scores.tolist(), _ppm(fpr))
    assert found is not None
    target = f"at most {fpr:g} of normal windows"
    return described(found, scores, float_scores, window_s, settings.confidence, target, _ppm(fpr))


def described(
    threshold: int,
    scores: NDArray[np.int64],
    float_scores: NDArray[np.float64],
    window_s: float,
    confidence: float,
    target: str,
    share_ppm: int | None = None,
) -> AnomalyThreshold:
    """A threshold with the share of normal windows that reach it.

    Args:
        threshold: of the int8 score.
        scores, float_scores: of the same normal windows, [n].
        window_s: seconds from one window to the next.
        confidence: of the upper limit of that share.
        target: what was asked for.
        share_ppm: the share that `calibrate` keeps to; the one found by default.
    """
    exceeded = int((scores >= threshold).sum())
    share = exceeded / len(scores)
    return AnomalyThreshold(
        score=threshold,
        level=round(float(scores.mean())),
        share_ppm=min(_ppm(share), _MILLION // 2) if share_ppm is None else share_ppm,
        target=target,
        windows=len(scores),
        hours=len(scores) * window_s / 3600,
        exceeded=exceeded,
        rate=share,
        rate_upper=binomial_upper(exceeded, len(scores), confidence),
        confidence=confidence,
        float_score=_same_share(float_scores, exceeded),
    )


def _by_hour(
    scores: NDArray[np.int64],
    float_scores: NDArray[np.float64],
    recording: NDArray[np.int64],
    hours: float,
    settings: AnomalyInput,
) -> AnomalyThreshold:
    wanted = settings.false_alarms_per_hour
    assert wanted is not None
    sequences = [scores[recording == each].tolist() for each in np.unique(recording)]

    def count(threshold: int) -> int:
        return sum(alarms(sequence, threshold, settings.alarm) for sequence in sequences)

    found = _least(np.unique(scores), lambda threshold: count(threshold) <= wanted * hours)
    exceeded, above = count(found), int((scores >= found).sum())
    return AnomalyThreshold(
        score=found,
        level=round(float(scores.mean())),
        share_ppm=max(1, round(_MILLION * max(above, 1) / len(scores))),
        target=f"at most {wanted:g} alarms per hour",
        windows=len(scores),
        hours=hours,
        exceeded=exceeded,
        rate=exceeded / hours,
        rate_upper=upper_limit(exceeded, hours, settings.confidence),
        confidence=settings.confidence,
        float_score=_same_share(float_scores, above),
    )


def _least(candidates: NDArray[np.int64], keeps: Callable[[int], bool]) -> int:
    """Searches from the highest score downwards, as long as the target is met."""
    best = int(candidates[-1]) + 1
    for candidate in candidates[::-1].tolist():
        if not keeps(candidate + 1):
            break
        best = candidate + 1
    return best


def _same_share(float_scores: NDArray[np.float64], exceeded: int) -> float:
    """The float model's threshold that the same number of windows exceed."""
    ordered = np.sort(float_scores)[::-1]
    return float(np.nextafter(ordered[min(exceeded, len(ordered) - 1)], np.inf))


def binomial_upper(events: int, trials: int, confidence: float) -> float:
    """The exact one-sided upper limit of a share: the share with probability 1 - confidence of so few events.

    C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26, 1934.
    """
    if events >= trials:
        return 1.0
    low, high = events / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        is_below = binomial_at_most(events, trials, middle) > 1 - confidence
        low, high = (middle, high) if is_below else (low, middle)
    return high


def _too_little(what: str, more: str, looser: str) -> TinymlError:
    return TinymlError(
        what,
        "normal data held out for the threshold",
        f"Record {more} for it, raise training.threshold_share, or ask for {looser}.",
    )
