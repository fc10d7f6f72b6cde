"""What the lessons of `tinyml learn` tell."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Outcome


class JudgedPoint(Outcome):
    """A point, and what the line makes of it."""

    x: float
    y: float
    prediction: float = Field(description="w x + b")
    error: float = Field(description="prediction - y")
    squared_error: float


class JudgedLine(Outcome):
    """The loss of a line."""

    w: float
    b: float
    points: list[JudgedPoint]
    loss: float = Field(description="mean of the squared errors")
    gradient_w: float = Field(description="slope of the loss along w")
    gradient_b: float
    best_w: float = Field(description="of the least squares")
    best_b: float
    best_loss: float
    picture: str


class DescentStep(Outcome):
    """A place on the way down."""

    step: Count
    w: float
    b: float
    loss: float


class Descended(Outcome):
    """Gradient descent on the loss of a line."""

    rate: float = Field(description="learning rate")
    largest_rate: float = Field(description="above it descent diverges, for these points")
    diverged: bool = Field(description="the rate is above that, and the best line is not reached")
    w: float = Field(description="the last")
    b: float
    loss: float
    best_w: float = Field(description="of the least squares")
    best_b: float
    best_loss: float
    steps: list[DescentStep] = Field(description="0 is the start")
    picture: str
