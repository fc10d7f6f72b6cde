"""How a release goes out, and how far it is."""

from __future__ import annotations

import json
import sqlite3
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

State = Literal["running", "paused", "rolling back", "rolled back", "done"]
ACTIVE: tuple[State, ...] = ("running", "paused", "rolling back")
SHADOW_STAGE = -1


class RolloutPlan(BaseModel):
    """What stages and gates go by.

    Attributes:
        stages: per cent of the devices, rising to 100.
        shadow_percent: of the devices, on whose gateways the release first scores without acting; 0: none.
        soak_s: how long a stage takes at least; never less than `silent_s`, but for a fleet's first release.
        least: answers with known truth that are looked at first; then twice as many, and so on.
        margin: how much more often than before answers may be wrong at most, with 95 % confidence; asked of
            ten devices or more.
        most_failures: share of devices that may fail to start a release, or fall silent after it.
        alpha: probability, for each gate and stage, that it stops a release that is no worse.
        install_s: how long a device may take to install a release.
        silent_s: a device that has not been heard of for so long is lost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stages: list[float] = Field(default=[1, 10, 50, 100], min_length=1, max_length=20)
    shadow_percent: float = Field(default=0, ge=0, le=100)
    soak_s: float = Field(default=3600, ge=0)
    least: int = Field(default=100, ge=1)
    margin: float = Field(default=0.1, gt=0, le=1)
    most_failures: float = Field(default=0.05, gt=0, lt=1)
    alpha: float = Field(default=0.01, gt=0, lt=0.5)
    install_s: float = Field(default=1800, gt=0)
    silent_s: float = Field(default=1800, gt=0)

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if sorted(set(self.stages)) != self.stages or self.stages[0] <= 0 or self.stages[-1] != 100:
            raise ValueError("stages must rise from above 0 to 100")
        return self


class GateAnswer(BaseModel):
    """What a gate says of a stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gate: str
    result: Literal["pass", "fail", "wait", "not measured"]
    reason: str


class Rollout(BaseModel):
    """A release on its way.

    Attributes:
        champion: what its devices ran before, and go back to; None for a fleet's first release.
        stage: index into the plan's stages; -1: as a shadow.
        stage_s: when it began, seconds since 1970.
        looks: gate -> how many times its data were looked at in this stage.
    """

    model_config = ConfigDict(extra="forbid")

    id: int
    release: str
    champion: str | None
    plan: RolloutPlan
    state: State
    stage: int
    stage_s: float
    looks: dict[str, int]
    gates: list[GateAnswer]
    reason: str
    started_s: float
    ended_s: float | None

    @property
    def percent(self) -> float:
        """Of the devices, in this stage."""
        return self.plan.shadow_percent if self.stage == SHADOW_STAGE else self.plan.stages[self.stage]

    def has_soaked(self, now_s: float, times: int = 1) -> bool:
        """Whether the stage has taken so many times as long as it has to: silence is noticed within it."""
        plan = self.plan
        soak_s = plan.soak_s if self.champion is None else max(plan.soak_s, plan.silent_s)
        return now_s >= self.stage_s + times * soak_s

    @classmethod
    def of(cls, row: sqlite3.Row) -> Rollout:
        """A row of the table."""
        parsed = {name: json.loads(row[name]) for name in ("plan", "looks", "gates")}
        return cls.model_validate({**dict(row), **parsed})

    def save(self, table: sqlite3.Connection) -> None:
        """Writes what changes."""
        table.execute(
            "update rollouts set state = ?, stage = ?, stage_s = ?, looks = ?, gates = ?, reason = ?, "
            "ended_s = ? where id = ?",
            (
                self.state,
                self.stage,
                self.stage_s,
                json.dumps(self.looks),
                json.dumps([gate.model_dump() for gate in self.gates]),
                self.reason,
                self.ended_s,
                self.id,
            ),
        )


def active(table: sqlite3.Connection) -> Rollout | None:
    """The rollout that is going on."""
    marks = ", ".join("?" * len(ACTIVE))
    row = table.execute(f"select * from rollouts where state in ({marks})", ACTIVE).fetchone()
    return Rollout.of(row) if row else None


def latest(table: sqlite3.Connection) -> Rollout | None:
    """The last rollout that was started."""
    row = table.execute("select * from rollouts order by id desc limit 1").fetchone()
    return Rollout.of(row) if row else None
