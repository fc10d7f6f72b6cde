"""What `evaluate` prints of a model of one number, such as `hello`'s sine."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Interval, Outcome
from tinyml_cli.outcomes.evaluations import Evaluated, OnDevice, Parity


class CurveError(Outcome):
    """How far a model's answers are from the curve."""

    mean: float = Field(description="of the absolute errors")
    mean_ci95: Interval
    largest: float
    r_squared: float = Field(description="1 - squared errors / squared distances from the curve's mean")


class CurvePoint(Outcome):
    """What both models answer to one x."""

    x: float
    truth: float
    float32: float
    int8: float


class CurveOnDevice(OnDevice):
    """A board's answers to the same x."""

    path: Literal["model"]
    n: Count
    mismatches: Count = Field(description="answers of other bytes than the reference's")
    reference: str


class EvaluatedCurve(Evaluated):
    """A sine; `n` counts points."""

    note: str = Field(description="where the points come from")
    float32: CurveError
    int8: CurveError
    tolerance: float = Field(description="mean error of a model that has learned the curve, at most")
    tflm: Parity
    points: list[CurvePoint] = Field(description="in the order of x")
    device: CurveOnDevice | None = Field(description="null on the host")
