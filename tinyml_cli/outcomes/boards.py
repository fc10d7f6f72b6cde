"""What boards tell: `drift` and `bench`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Interval, Outcome, Share


class Shift(Outcome):
    """The shift of one quantity."""

    name: str
    n: Count = Field(description="values in the log")
    n_reference: Count
    psi: float = Field(
        description="population stability index over ten bins; by convention, 0.1 or more is watched, and "
        "0.25 or more is acted upon"
    )
    ks: Share = Field(description="largest difference of the cumulative distributions")
    drifted: bool = Field(description="one exceeds its limit, and what chance gives with so many values")
    watch: bool = Field(description="not drifted, but the PSI is high enough to watch")


class ErrorsFound(Outcome):
    """Answers whose truth is known."""

    n: Count
    wrong: Count
    normal_rate: Share = Field(description="share of wrong answers that was expected, at least 0.005")
    drifted: bool = Field(description="they have become more frequent")
    found_after: Count | None = Field(description="answers")


class Drifted(Outcome):
    """A board's log against the reference. Exit code 1: drift."""

    run: str = Field(description="path")
    log: str = Field(description="path")
    reference: str = Field(description="its origin")
    drift: bool
    why: str
    psi: float = Field(description="mean")
    ks: float = Field(description="mean")
    columns: list[Shift] = Field(description="the largest shift first")
    missing: list[str] = Field(description="in the reference, not in the log")
    picture: str
    errors: ErrorsFound | None = Field(default=None, description="with --feedback")
    kind: str | None = Field(default=None, description="data or concept drift; with --feedback")


class DriftWatched(Outcome):
    """How a board looks for drift itself."""

    run: str = Field(description="path")
    watch: bool = Field(description="false: it does not, and the rest is null")
    of: str | None = Field(default=None, description="what was taken for normal running")
    blocks: Count | None = Field(default=None, description="of normal running")
    block_s: float | None = Field(
        default=None, description="length of a block, whose mean is one observation"
    )
    false_alarms_per_day: float | None = None
    tests: dict[str, Any] | None = Field(
        default=None, description="signal -> reference, and delta and threshold of `sudden` and `slow`"
    )


class Top1(Outcome):
    """Right answers; for anomaly scores only `auc`."""

    top1: Share | None = None
    correct: Count | None = None
    ci95: Interval | None = None
    auc: Share | None = Field(
        description="of class 1 of two, of the anomaly score, or the mean over classes; null if one has no "
        "example"
    )


class TimeSpread(Outcome):
    """Of the runs."""

    median: float
    min: Count
    max: Count


class Performance(Outcome):
    """How long an inference takes."""

    inputs: Count
    runs: Count
    inference_us: TimeSpread = Field(description="by the device's clock")
    instructions: TimeSpread | None = Field(description="null if nothing counts them")


class Benchmarked(Outcome):
    """A benchmark on a board."""

    benchmark: str
    board: str
    engine: str
    model: str = Field(description="first 12 digits of the model's SHA-256")
    mode: Literal["accuracy", "performance"]
    level: str = Field(description="host, emulated or on the board")
    n: Count
    accuracy: Top1 | None = Field(default=None, description="in that mode")
    performance: Performance | None = Field(default=None, description="in that mode")


class Served(Outcome):
    """With --serve."""

    port: str
    usb: str
    benchmark: str
