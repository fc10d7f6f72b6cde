"""What `monitor --json` prints beside the board's own events (`link/protocol/events.py`)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Outcome


class PlayedClip(Outcome):
    """A recording, image or motion was played to its end, with --replay."""

    event: Literal["clip"]
    file: str
    expected: str | None = Field(
        description="what its folder says: a label, `unknown` for another word or motion, a condition; "
        "null for a file outside such folders"
    )
    detected: str | None = Field(description="label with the best score, or alarm; null: nothing")
    recording_ms: int | None = Field(
        default=None, description="of sound: when, from the recording's start; null: not at all"
    )
    detections: list[dict[str, Any]] | None = Field(
        default=None, description="the board's events; not of anomalies"
    )
    windows: Count | None = Field(default=None, description="of anomaly detection, like the next two")
    alarm_windows: Count | None = None
    score: Count | None = Field(default=None, description="the highest; null without a window")
    mean_error: float | None = Field(default=None, description="of a curve, from the file's")
    mismatches: Count | None = Field(
        default=None, description="of a curve: points whose byte differs from this computer's"
    )
    model: str | None = Field(default=None, description="of two on a board, the run of the one that looks")

    @classmethod
    def of(cls, file: str, expected: str | None, detected: str | None, **more: Any) -> PlayedClip:
        """With its `event`, which is always printed."""
        return cls(event="clip", file=file, expected=expected, detected=detected, **more)
