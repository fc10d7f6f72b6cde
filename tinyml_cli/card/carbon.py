"""An estimate of a training's emissions: seconds x power x carbon intensity, with its assumptions."""

from __future__ import annotations

from dataclasses import dataclass

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
        watts: mean power of the computer while it trained.
        grams_per_kwh: CO2 equivalent of its electricity.
        seconds: duration of the training, if it is known better than from the run.
    """

    watts: float = DEFAULT_WATTS
    grams_per_kwh: float = DEFAULT_GRAMS_PER_KWH
    seconds: float | None = None


def estimate(measured_seconds: float | None, assumptions: CarbonAssumptions) -> Carbon | None:
    """Energy and emission of one training; None if its duration is unknown."""
    seconds = measured_seconds if assumptions.seconds is None else assumptions.seconds
    if seconds is None:
        return None
    energy_kwh = seconds * assumptions.watts / _JOULES_PER_KWH
    return Carbon(
        seconds=seconds,
        watts=assumptions.watts,
        grams_per_kwh=assumptions.grams_per_kwh,
        energy_kwh=energy_kwh,
        grams_co2e=energy_kwh * assumptions.grams_per_kwh,
        level="estimated",
    )
