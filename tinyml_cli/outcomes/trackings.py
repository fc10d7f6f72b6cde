"""What waits for MLflow."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Outcome


class WaitingRecord(Outcome):
    """A record of a tracked command."""

    title: str
    target: str = Field(description="tracking URI, without a password")
    experiment: str
    began: str = Field(description="UTC, ISO 8601")
    running: bool = Field(description="whether its command still runs")
    sent_share: float = Field(description="share of its journal that MLflow has")
    problem: str = Field(description="why the last attempt failed; empty where none did")


class TrackingState(Outcome):
    """Records that wait, and what became of the others."""

    folder: str
    sent: Count = Field(description="records that this command sent")
    dropped: Count = Field(description="records that this command removed")
    waiting: list[WaitingRecord] = Field(description="the oldest first")
