"""What boards tell: `drift` and `bench`."""

from __future__ import annotations

from typing import Literal

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
