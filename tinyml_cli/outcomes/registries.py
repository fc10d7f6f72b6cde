"""The model registry: versions, promotions, faults."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Outcome, Sha256
from tinyml_cli.outcomes.projects import GateResult


class VersionAdded(Outcome):
    """A run that went into the registry."""

    registry: str = Field(description="path")
    model: str
    number: Count
    fresh: bool = Field(description="false: the registry held this very run already")
    mended: list[str] = Field(
        description="versions and their files that were damaged or lost, and are whole again"
    )
    aliases: list[str] = Field(description="that mean this version")
    int8_sha256: Sha256
    figures: dict[str, float] = Field(description="what was measured, by the keys of budgets.yaml")


class RegisteredModel(Outcome):
    """A model and its versions."""

    model: str
    versions: Count
    champion: Count | None
    challenger: Count | None
    task: str
    figures: dict[str, float] = Field(description="of the champion, else of the newest version")


class RegistryList(Outcome):
    """What a registry holds."""

    registry: str = Field(description="path")
    models: list[RegisteredModel]


class AliasChange(Outcome):
    """Something that was done to a model."""

    at: str = Field(description="UTC, ISO 8601")
    by: str
    action: str = Field(description="add, promote or rollback")
    number: Count
    override: str | None = Field(description="why gates that did not pass were overridden")


class VersionShown(Outcome):
    """One version."""

    model: str
    number: Count
    aliases: list[str]
    created: str = Field(description="UTC, ISO 8601")
    run: str = Field(description="name of the run that was added")
    task: str
    labels: list[str]
    tinyml_version: str
    code: str | None = Field(description="Git commit of the project")
    data_snapshot: str | None
    int8_sha256: Sha256
    parent: Count | None = Field(description="the champion when it was added")
    figures: dict[str, float]
    files: dict[str, Sha256] = Field(description="path in the run -> object")
    history: list[AliasChange] = Field(description="of the model, the oldest first")


class Promoted(Outcome):
    """Whether a version became the champion. Exit code 1: a gate did not pass."""

    model: str
    number: Count
    promoted: bool
    champion_before: Count | None
    override: str | None
    gates: list[GateResult]


class RolledBack(Outcome):
    """The champion before the last one is the champion again."""

    model: str
    number: Count = Field(description="the champion now")
    champion_before: Count


class VersionRegistered(Outcome):
    """A version that is in MLflow's registry."""

    model: str
    number: Count
    target: str = Field(description="MLflow's address")
    aliases: list[str]
    int8_sha256: Sha256


class VersionExported(Outcome):
    """A version, written as a run."""

    model: str
    number: Count
    run: str = Field(description="path")
    files: list[str]
    int8_sha256: Sha256


class RegistryVerified(Outcome):
    """Whether every byte is the one that was added. Exit code 1: a fault."""

    registry: str = Field(description="path")
    ok: bool
    objects: Count
    faults: list[str]
    unnamed: list[str] = Field(description="objects that no version names; harmless")
