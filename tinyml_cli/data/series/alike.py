"""What recordings of one data set must have in common: their columns, and a rate that all are brought to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from tinyml_cli.data import inventory
from tinyml_cli.data.series.gravity import Values
from tinyml_cli.data.series.read import Series, Stretch, collecting
from tinyml_cli.errors import TinymlError

RATE_TOLERANCE = 0.02
# Resampling may make at most this many samples of each measured one.
_MOST_MADE = 4.0
_FILTER_SAMPLES = 64


def columns(series: Series) -> tuple[str, ...]:
    """What a recording holds, however its file names it: axes of motion, else its columns."""
    if series.is_only_motion:
        gravity = "" if series.has_gravity else " without gravity"
        return tuple(
            f"{kind}{gravity * (kind == 'acceleration')} {axis}" for kind, axis in sorted(series.axes)
        )
    return tuple(name.lower() for name in series.channels)


def check_columns(found: Sequence[Series]) -> None:
    """Refuses recordings of different columns.

    Raises:
        TinymlError: there are two kinds.
    """
    kinds = {columns(each): each for each in reversed(found)}
    if len(kinds) > 1:
        (one, first), (other, second) = list(kinds.items())[:2]
        raise TinymlError(
            f"`{first.path.name}` has the columns {', '.join(one)}; `{second.path.name}` has "
            f"{', '.join(other)}",
            str(second.path.parent),
            "Use files with the same columns.",
        )


def usual_rate(found: Sequence[Series]) -> float | None:
    """The rate in Hz of most samples; None where no file tells one."""
    samples: Counter[float] = Counter()
    for each in found:
        if each.rate_hz is not None:
            near = (rate for rate in samples if is_near(rate, each.rate_hz))
            samples[next(near, each.rate_hz)] += sum(len(stretch.values) for stretch in each.stretches)
    return samples.most_common(1)[0][0] if samples else None


def is_near(rate_hz: float, other_hz: float) -> bool:
    """Whether two rates are the same, measured by different clocks."""
    return abs(rate_hz - other_hz) <= RATE_TOLERANCE * other_hz


def at_rate(series: Series, rate_hz: float, option: str) -> Series:
    """A recording, brought to a rate unless that is its own.

    Args:
        series: of a known rate.
        rate_hz: wanted.
        option: how the user sets the wanted rate, for the message.

    Raises:
        TinymlError: most of its samples would be made up.
    """
    own_hz = series.rate_hz
    if own_hz is None or is_near(own_hz, rate_hz):
        return series
    if rate_hz > _MOST_MADE * own_hz:
        raise TinymlError(
            f"The file has {own_hz:.4g} samples per second, too few to make {rate_hz:.4g} of them",
            str(series.path),
            f"Remove it, or choose a lower rate: {option}={own_hz:.4g}",
        )
    stretches = tuple(
        Stretch(_resampled(each.values, own_hz, rate_hz), each.condition) for each in series.stretches
    )
    return replace(
        series, stretches=stretches, rate_hz=rate_hz, reading=replace(series.reading, used_rate_hz=rate_hz)
    )


def all_at_rate(
    found: Sequence[Series], rate_hz: float, option: str, refused: dict[Path, TinymlError] | None
) -> list[Series]:
    """Recordings brought to a rate; `refused` collects what is wrong with single ones, which are left out.

    Raises:
        TinymlError: as at_rate, without `refused`; with it, the first one where no recording is left.
    """
    kept = []
    for each in found:
        with collecting(refused, each.path):
            kept.append(at_rate(each, rate_hz, option))
    inventory.check_any_left(kept, refused)
    return kept


def _resampled(values: Values, from_hz: float, to_hz: float) -> Values:
    """Band-limited, and as if the first and the last sample had lasted."""
    from tinyml_cli.data.resample import resample

    ratio = Fraction(to_hz / from_hz).limit_denominator(999)
    # A whole number of new samples stands before the first one.
    periods = math.ceil(_FILTER_SAMPLES * max(1.0, from_hz / to_hz) / ratio.denominator)
    margin, skipped = periods * ratio.denominator, periods * ratio.numerator
    count = max(1, round(len(values) * to_hz / from_hz))
    padded = np.pad(values, ((margin, margin), (0, 0)), mode="edge")
    level = padded[:1]
    brought = [resample(column, from_hz, to_hz) for column in (padded - level).T]
    return np.stack(brought, axis=1)[skipped : skipped + count].astype(np.float64) + level
