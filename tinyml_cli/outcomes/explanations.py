"""What `explain` tells of a recording."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Outcome, Share


class Word(Outcome):
    """A detection."""

    label: str
    score: Share
    t_ms: int = Field(description="from the start of the recording")


class Inference(Outcome):
    """One inference."""

    t_ms: int
    scores: list[float]
    averages: list[float]
    reason: str


class HeardClip(Outcome):
    """What the recogniser made of a recording."""

    labels: list[str]
    threshold: Share
    heard: str | None = Field(description="null: nothing detected")
    why: str
    detections: list[Word]
    inferences: list[Inference]


class ExplainedClip(HeardClip):
    """Keyword spotting: why a recording was heard, or not."""

    clip: str
    run: str
    picture: str


class ExplainedInput(Outcome):
    """An input far from normal."""

    input: str
    share: Share = Field(description="of the squared error")


class ScoredWindow(Outcome):
    """One window."""

    t_ms: float
    score: Count


class ScoredRecording(Outcome):
    """What is furthest from normal in a recording."""

    threshold: Count
    score: Count = Field(description="the highest")
    t_ms: float = Field(description="end of its window")
    windows: Count
    above: Count
    why: str
    top: list[ExplainedInput] = Field(description="the ten furthest")
    by_row: dict[str, Share] = Field(description="channels or bands")
    by_column: dict[str, Share] = Field(description="bands or times")
    scores: list[ScoredWindow]


class ExplainedRecording(ScoredRecording):
    """Anomaly detection: what is furthest from normal."""

    clip: str
    run: str
    picture: str
