"""Projects: what `init` makes and `check` finds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.outcomes.base import Interval, Outcome


class ProjectMade(Outcome):
    """A new project."""

    project: str = Field(description="path of its folder")
    task: str
    files: list[str] = Field(description="what was written, relative to the folder")


class GateResult(Outcome):
    """One budget or gate."""

    gate: str = Field(description="a key of budgets.yaml, or model, recipe, data, chance, parity")
    result: Literal["pass", "fail", "not measured"]
    measured: float | None = Field(description="null for a gate without a figure, and where it is missing")
    limit: float | None
    ci95: Interval | None = Field(description="of the figure, where it has one")
    evidence: str = Field(description="host, emulated, estimated, linked or on the board; else empty")
    reason: str = Field(description="why it did not pass, and what to do; empty where it passed")


class ProjectChecked(Outcome):
    """All budgets and gates of a run."""

    run: str = Field(description="path")
    budgets: str = Field(description="path of the file")
    passed: bool = Field(description="whether every gate passed")
    gates: list[GateResult]
