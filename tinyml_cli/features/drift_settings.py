"""The manifest's settings of drift: reference distributions of `tinyml drift`, and the board's own tests."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

LARGEST_VALUE = 1 << 18  # PAGE_LARGEST_VALUE in page_test.h
MOST_BLOCK = 4096  # PAGE_MOST_BLOCK
LARGEST_THRESHOLD = 1 << 30  # PAGE_LARGEST_THRESHOLD

Pace = Literal["sudden", "slow"]
PACES: tuple[Pace, ...] = ("sudden", "slow")
Signal = Literal["score", "input"]
SIGNALS: tuple[Signal, ...] = ("score", "input")


class DriftColumn(BaseModel):
    """The distribution of one quantity.

    `shares[i]` is the share of values in (edges[i - 1], edges[i]]; the first and last are open. Consecutive
    values are correlated: `dependence` of them are worth one independent value.
    """

    model_config = ConfigDict(extra="forbid")

    n: int = Field(ge=1)
    edges: list[float]
    shares: list[float]
    dependence: float = Field(default=1.0, ge=1)

    @model_validator(mode="after")
    def _belong_together(self) -> DriftColumn:
        if len(self.shares) != len(self.edges) + 1 or sorted(set(self.edges)) != self.edges:
            raise ValueError("edges must be increasing, and one fewer than shares")
        return self


class Reference(BaseModel):
    """Distributions by the name of the quantity: `score`, `score LABEL`, `feature NAME`."""

    model_config = ConfigDict(extra="forbid")

    of: str = Field(description="what was summarised")
    columns: dict[str, DriftColumn]


class PageLimits(BaseModel):
    """One of Page's tests; in the units of what it tests."""

    model_config = ConfigDict(extra="forbid")

    delta: int = Field(ge=0, le=2 * LARGEST_VALUE, description="how far the mean may be away for nothing")
    threshold: int = Field(ge=1, le=LARGEST_THRESHOLD, description="of the evidence, at which it is drift")


class PageSettings(BaseModel):
    """What a signal is in normal running, and when it has left that."""

    model_config = ConfigDict(extra="forbid")

    reference: int = Field(ge=-LARGEST_VALUE, le=LARGEST_VALUE, description="mean in normal running")
    sudden: PageLimits
    slow: PageLimits


class DriftWatch(BaseModel):
    """Drift that the board itself looks for, see page_test.h.

    The input is in 1/256 of an int8 step, and so is the score of labels; that of anomalies is in 1/8192 of
    the threshold.
    """

    model_config = ConfigDict(extra="forbid")

    block_inferences: int = Field(ge=1, le=MOST_BLOCK, description="whose mean is one observation")
    score: PageSettings
    input: PageSettings
    inferences_per_day: float = Field(gt=0, le=1e9)
    false_alarms_per_day: float = Field(
        gt=0, description="of all tests together, in the normal running given"
    )
    blocks: int = Field(ge=1, description="of that normal running")
    of: str = Field(description="what was taken for normal running")
