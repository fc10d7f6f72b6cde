"""An estimate of a training's emissions: seconds x power x carbon intensity, with its assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinyml_cli.outcomes.cards import Carbon

# A desktop processor's usual thermal design power; the computer's real draw was not measured.
DEFAULT_WATTS = 65.0
# The world's average of electricity generation in 2023: Ember, "Global Electricity Review 2024".
DEFAULT_GRAMS_PER_KWH = 480.0

_JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True)
class CarbonAssumptions:
    """What the run does not record.

    Attributes:
        watts: mean power of the computer while it trained; None: as measured, else DEFAULT_WATTS.
        grams_per_kwh: CO2 equivalent of its electricity.
        seconds: duration of the training, if it is known better than from the run.
    """

    watts: float | None = None
    grams_per_kwh: float = DEFAULT_GRAMS_PER_KWH
    seconds: float | None = None


def assumptions_of(
    watts: float | None, grid: float | None, seconds: float | None = None
) -> CarbonAssumptions:
    """The command line's options; None where one was not given."""
    return CarbonAssumptions(watts, DEFAULT_GRAMS_PER_KWH if grid is None else grid, seconds)


def of_training(figures: Mapping[str, Any], assumptions: CarbonAssumptions) -> Carbon | None:
    """Energy and emission of a training by its manifest; None if its duration is unknown.

    Args:
        figures: `metrics.train`.
        assumptions: what the run does not say.
    """
    joules, seconds = figures.get("energy_j"), figures.get("seconds")
    return estimate(seconds, assumptions, joules, bool(figures.get("energy_is_estimated", False)))


def total(parts: Sequence[Carbon], assumptions: CarbonAssumptions) -> Carbon:
    """What several trainings took together; measured where all of them were."""
    seconds, energy_kwh = sum(part.seconds for part in parts), sum(part.energy_kwh for part in parts)
    return Carbon(
        seconds=seconds,
        watts=energy_kwh * _JOULES_PER_KWH / seconds if seconds else 0.0,
        grams_per_kwh=assumptions.grams_per_kwh,
        energy_kwh=energy_kwh,
        grams_co2e=energy_kwh * assumptions.grams_per_kwh,
        level="measured" if all(part.level == "measured" for part in parts) else "estimated",
    )


def sentence(spent: Carbon) -> str:
    """Such as "1,200 s, 22 Wh (estimated with 65 W) and 10 g CO2e"."""
    how = "measured" if spent.level == "measured" else f"estimated with a mean of {spent.watts:.3g} W"
    return (
        f"{spent.seconds:,.0f} s, {spent.energy_kwh * 1000:.3g} Wh ({how}) and {spent.grams_co2e:.3g} g CO2e "
        f"at {spent.grams_per_kwh:g} g per kWh"
    )


def estimate(
    measured_seconds: float | None,
    assumptions: CarbonAssumptions,
    energy_j: float | None = None,
    is_estimated: bool = False,
) -> Carbon | None:
    """Energy and emission of one training; None if its duration is unknown.

    Args:
        measured_seconds: as the run says.
        assumptions: what the run does not say.
        energy_j: what the processor counted; None where it was not measured. Another power or duration
            takes its place.
        is_estimated: whether `energy_j` is an estimate itself, of codecarbon.
    """
    seconds = measured_seconds if assumptions.seconds is None else assumptions.seconds
    if seconds is None:
        return None
    as_run = assumptions.seconds is None and assumptions.watts is None and seconds > 0
    known_watts = energy_j / seconds if as_run and energy_j is not None else None
    assumed_watts = DEFAULT_WATTS if assumptions.watts is None else assumptions.watts
    watts = assumed_watts if known_watts is None else known_watts
    energy_kwh = seconds * watts / _JOULES_PER_KWH
    return Carbon(
        seconds=seconds,
        watts=watts,
        grams_per_kwh=assumptions.grams_per_kwh,
        energy_kwh=energy_kwh,
        grams_co2e=energy_kwh * assumptions.grams_per_kwh,
        level="estimated" if known_watts is None or is_estimated else "measured",
    )
