"""Shared by prune, cluster and distill: the code between the command line and the stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_cli import checks, recipes
from tinyml_cli.compression.steps import CompressionStep, check_order, parse, steps_of
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.comparisons import Compressed
from tinyml_cli.run import MODEL, RECIPE, Run
from tinyml_cli.stages import common as stages


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


def check_teachers(run: Run, teachers: Sequence[str]) -> None:
    """What can be known of a distillation before it starts.

    Raises:
        TinymlError: a run that is not trained, or of a task that learns from no teacher; no teacher; no
            TensorFlow.
    """
    run.check_writable()
    run.require(run.manifest(), MODEL)
    recipe = recipes.load(run.file(RECIPE))
    if getattr(recipe, "distillation", None) is None:
        raise TinymlError(
            f"The task `{recipe.task}` does not support teachers",
            str(run.path),
            "Shrink the network instead with tinyml prune --structured, which learns from the trained one.",
        )
    if not teachers:
        raise TinymlError("No teacher given", "--teacher", "Name a trained run: --teacher runs/large")
    for teacher in teachers:
        known = Run.open(teacher)
        known.require(known.manifest(), MODEL)
    checks.tensorflow("Distillation")


def run_steps(given: str | None, first: CompressionStep, wishes: Wishes) -> Compressed:
    """Compresses a run by a first step and those of --then; shows the outcome.

    Raises:
        TinymlError: see `stage.compress`.
    """
    steps = [first, *(parse(text) for text in wishes.then or ())]
    for step in steps:
        step.check()
    run = stages.open_trained(given)
    manifest = run.manifest()
    run.require(manifest, MODEL)
    check_order([*steps_of(manifest), *steps])
    checks.tensorflow("Compression")
    checks.room(run.path, checks.ROOM_FOR_A_RUN_BYTES, "the variant's files")
    from tinyml_cli.compression import stage
    from tinyml_cli.training.fine_tune import FineTuneSettings

    settings = FineTuneSettings(wishes.epochs, wishes.learning_rate, samples=wishes.samples)
    outcome = stage.compress(run, steps, settings, wishes.variant, wishes.seed, wishes.count)
    stage.show(outcome)
    console.result(outcome, stage.sentence(outcome))
    return outcome
