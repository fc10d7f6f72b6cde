"""Models side by side: `compare`, `tune`, `prune`, `cluster` and `distill`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Interval, Outcome, Sha256, Share
from tinyml_cli.outcomes.cards import Carbon


class Costs(Outcome):
    """What a model costs; null where it is not known."""

    bytes: Count
    gzip_bytes: Count
    macs: Count
    flash_bytes: Count | None = Field(description="of the firmware `bench` for the virtual board, linked")
    ram_bytes: Count | None = Field(description="the same firmware's")
    arena_bytes: Count | None
    instructions: Count | None = Field(description="of an inference, emulated")
    why_not: str = Field(description="why figures of firmware are missing; empty where they are there")


class MeasuredModel(Costs):
    """An int8 model's cost and quality."""

    measure: str | None = Field(description="accuracy, auc or R²")
    value: Share | None
    ci95: Interval | None
    n: Count | None = Field(default=None, description="test items; missing where it cannot be judged")


class StepTaken(Outcome):
    """A step of compression."""

    method: str = Field(description="prune, cluster, qat, distill, or control: training alone")
    sparsity: Share | None = Field(default=None, description="of prune")
    structured: bool | None = Field(default=None, description="of prune: whole channels went")
    clusters: Count | None = Field(default=None, description="of cluster")


class KeptKernel(Outcome):
    """A large int8 kernel."""

    name: str
    weights: Count
    zeros_share: Share
    distinct: Count


class Kept(Outcome):
    """What the int8 model kept of zeros and shared values."""

    sparsity: Share = Field(description="zeros of all large int8 kernels")
    layers: list[KeptKernel]


class Compressed(Outcome):
    """A variant of a run, compared with the run."""

    run: str = Field(description="path of the variant")
    steps: list[StepTaken]
    loss: float | None = Field(description="of the last training")
    kept: Kept
    before: MeasuredModel | None = Field(description="null for a run without an int8 model")
    after: MeasuredModel | None


class ComparedRow(Costs):
    """A model, and its difference from the reference."""

    name: str
    kind: str = Field(description="float32, float16, dynamic, int16x8, int8 or file")
    path: str
    sha256: Sha256
    measure: str | None = Field(description="accuracy, auc or R²")
    value: Share | None
    ci95: Interval | None
    n: Count | None = Field(description="test items")
    front: bool = Field(description="on the Pareto front of quality, flash, RAM and instructions")
    difference: float | None = Field(description="of the value, from the reference's")
    p: Share | None = Field(description="McNemar's test against the reference")
    within_chance: bool | None = Field(description="p is 0.05 or more")


class ComparedPair(Outcome):
    """McNemar's test of two models with the same test items."""

    first: str
    second: str
    n: Count
    only_first: Count = Field(description="items that only the first got right")
    only_second: Count
    p: Share
    within_chance: bool


class Compared(Outcome):
    """Models side by side."""

    reference: str
    models: list[ComparedRow]
    pairs: list[ComparedPair]
    notes: list[str] = Field(
        description="test items that differ from the reference's, and why McNemar's test is missing"
    )
    evidence: dict[str, str] = Field(description="figure -> host, linked or emulated")
    picture: str | None
    page: str | None


class FinishedTrial(Outcome):
    """A trial that was trained to the end."""

    name: str
    number: Count
    measure: str = Field(description="balanced accuracy: the mean of the labels' recalls")
    value: Share = Field(description="on the validation split")
    ci95: None = None
    front: bool = Field(description="on the Pareto front of quality and instructions")
    params: dict[str, Any] = Field(description="what was chosen for it")
    run: str = Field(description="path")
    bytes: Count
    flash_bytes: Count | None
    ram_bytes: Count | None
    instructions: Count | None
    time_ms: float | None = Field(description="of an inference, estimated")


class TrialCounts(Outcome):
    """Number of trials by outcome."""

    complete: Count
    over_limits: Count
    stopped_early: Count
    taken_up_again: Count
    running: Count


class Searched(Outcome):
    """With --only-work: what this process worked at."""

    study: str = Field(description="path of the journal")
    counts: TrialCounts


class Tuned(Searched):
    """The finished search."""

    run: str = Field(description="the winner's")
    trials: list[FinishedTrial] = Field(description="the best first")
    picture: str
    spent: Carbon | None = Field(
        default=None, description="by all trials, those stopped early included; null where no time is known"
    )
