"""What `retrain` decides."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Outcome, Sha256
from tinyml_cli.outcomes.projects import GateResult


class Retrained(Outcome):
    """A decision and its reason. Exit code 1: the data stopped it."""

    model: str
    champion: Count = Field(description="number of the champion when the decision was made")
    retrain: bool = Field(description="whether a trigger fired")
    reason: str
    dry_run: bool
    data_faults: list[str] = Field(default_factory=list, description="in what the data look strange")
    stopped: bool = Field(default=False, description="whether the data stopped it")
    accepted: str | None = Field(default=None, description="why strange data were accepted")
    challenger: Count | None = None
    run: str | None = Field(default=None, description="path of the challenger's run")
    int8_sha256: Sha256 | None = None
    gates: list[GateResult] = Field(default_factory=list)
    promoted: bool = False
    report: str | None = Field(default=None, description="path of the decision for people")
