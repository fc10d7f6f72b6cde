"""What prune, cluster and distill share between the command line and the stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinyml_cli import stages
from tinyml_cli.compression.steps import Step, parse
from tinyml_cli.console import console


@dataclass(frozen=True)
class Wishes:
    """Options that several commands have."""

    then: Sequence[str] | None
    epochs: int
    learning_rate: float
    samples: int
    variant: str | None
    seed: int | None
    count: bool


def run_steps(given: str | None, first: Step, wishes: Wishes) -> dict[str, Any]:
    """Compresses a run by a first step and those of --then; shows the outcome.

    Raises:
        TinymlError: see `stage.compress`.
    """
    steps = [first, *(parse(text) for text in wishes.then or ())]
    run = stages.open_trained(given)
    from tinyml_cli.compression import stage
    from tinyml_cli.compression.fine_tune import Settings

    settings = Settings(wishes.epochs, wishes.learning_rate, samples=wishes.samples)
    outcome = stage.compress(run, steps, settings, wishes.variant, wishes.seed, wishes.count)
    stage.show(outcome)
    console.result(outcome, stage.sentence(outcome))
    return outcome
