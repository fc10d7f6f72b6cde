"""What `attack` found."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Interval, Outcome, Share
from tinyml_cli.outcomes.evaluations import OnDevice


class AttackShare(Outcome):
    """How many items did what the attack wants."""

    share: Share
    ci95: Interval
    n: Count


class AttackPoint(Outcome):
    """One signal-to-noise ratio."""

    snr_db: float
    model: AttackShare = Field(description="by the int8 model's answer to a single window")
    device: AttackShare = Field(description="by what the board reports: the rule over time and the threshold")
    noise_model: AttackShare = Field(description="white noise of the same energy")
    noise_device: AttackShare = Field(description="white noise of the same energy")
    in_rooms: AttackShare | None = Field(description="as `device`, through rooms and delays not seen before")
    queries: Count | None = Field(description="method `scores`: asked of the model for an item, on average")


class AttackedOnBoard(OnDevice):
    """What firmware reports of the attacked items."""

    snr_db: float
    hits: AttackShare
    differ: Count = Field(description="items of which it reports something else than this computer")


class DefendedAccuracy(Outcome):
    """int8 on unchanged items."""

    accuracy: Share
    ci95: Interval
    n: Count


class Defence(Outcome):
    """A variant of the run that was trained on attacked inputs, and attacked anew by its own gradients."""

    run: str
    epochs: Count
    radius: float = Field(description="largest change of a model input in training, of its range")
    clean_before: DefendedAccuracy
    clean_after: DefendedAccuracy
    points: list[AttackPoint]
    snr_at_half_db: float | None


class Attacked(Outcome):
    """An attack on a run's own model."""

    run: str
    data: str | None
    task: str
    target: str | None = Field(description="what items are to be taken for; null: for anything but the truth")
    method: Literal["gradient", "scores"]
    universal: bool = Field(
        description="one perturbation for all items, judged on others than it was made on"
    )
    rooms: bool = Field(description="made to survive rooms and delays")
    carrier: Literal["items", "file", "noise"] = Field(description="what was changed")
    steps: Count
    seed: Count
    n: Count
    not_used: dict[str, Count] = Field(description="reason -> items")
    points: list[AttackPoint] = Field(description="from the quietest to the loudest")
    snr_at_half_db: float | None = Field(description="where half of the items succeed on the board's rule")
    device: AttackedOnBoard | None
    defence: Defence | None
    example: str = Field(description="file of an attacked item, or of the universal perturbation")
    example_snr_db: float
    picture: str
    verdict: str
