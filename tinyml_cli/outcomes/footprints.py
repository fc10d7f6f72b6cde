"""Energy and emissions of all trainings, and of inference."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Outcome


class TrainingFootprint(Outcome):
    """What was spent on a run: its trainings, stopped and replaced ones and fine-tuning included."""

    run: str = Field(description="its name, or NAME@VERSION of the registry where the run is gone")
    trainings: Count
    seconds: float
    energy_kwh: float
    grams_co2e: float
    level: Literal["measured", "estimated"]


class InferenceFootprint(Outcome):
    """Inference on all devices, the processor alone."""

    run: str
    energy_uj: float = Field(description="of an inference, estimated")
    inferences_per_day: float = Field(description="of a device")
    devices: Count
    energy_kwh_per_day: float = Field(description="of all devices")
    days_until_training: float | None = Field(
        description="after which inference took as much as all trainings; null without trainings"
    )


class Footprint(Outcome):
    """The sums of a project."""

    trainings: list[TrainingFootprint]
    unknown: list[str] = Field(description="runs whose training time is not known")
    seconds: float
    energy_kwh: float
    grams_co2e: float
    measured_share: float = Field(description="share of the energy that was measured")
    watts: float = Field(description="assumed where nothing was measured")
    grams_per_kwh: float = Field(description="assumed")
    inference: InferenceFootprint | None = Field(description="null without --inferences-per-day")
