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


def estimate(
    measured_seconds: float | None, assumptions: CarbonAssumptions, energy_j: float | None = None
) -> Carbon | None:
    """Energy and emission of one training; None if its duration is unknown.

    Args:
        measured_seconds: as the run says.
        assumptions: what the run does not say.
        energy_j: what the processor counted; None where it was not measured. Another power or duration
            takes its place.
    """
    seconds = measured_seconds if assumptions.seconds is None else assumptions.seconds
    if seconds is None:
        return None
    as_run = assumptions.seconds is None and assumptions.watts is None and seconds > 0
    measured_watts = energy_j / seconds if as_run and energy_j is not None else None
    assumed_watts = DEFAULT_WATTS if assumptions.watts is None else assumptions.watts
    watts = assumed_watts if measured_watts is None else measured_watts
    energy_kwh = seconds * watts / _JOULES_PER_KWH
    return Carbon(
        seconds=seconds,
        watts=watts,
        grams_per_kwh=assumptions.grams_per_kwh,
        energy_kwh=energy_kwh,
        grams_co2e=energy_kwh * assumptions.grams_per_kwh,
        level="estimated" if measured_watts is None else "measured",
    )
