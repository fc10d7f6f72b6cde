"""What the registry keeps of models and versions."""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tinyml_cli.outcomes.base import Sha256
from tinyml_cli.outcomes.projects import GateResult
from tinyml_cli.run import MANIFEST

VERSION = 1
CHAMPION, CHALLENGER = "champion", "challenger"


class RegistryDocument(BaseModel):
    """A part of the registry's files."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Change(RegistryDocument):
    """Something that was done to a model's aliases."""

    at: str = Field(description="UTC, ISO 8601")
    by: str = Field(description="user name")
    action: Literal["add", "promote", "rollback"]
    number: int
    champion_before: int | None = None
    override: str | None = Field(default=None, description="why gates that did not pass were overridden")
    gates: list[GateResult] = Field(default_factory=list)


class ModelIndex(RegistryDocument):
    """A model: its versions and what the aliases mean."""

    version: int = VERSION
    model: str
    versions: dict[int, Sha256] = Field(default_factory=dict, description="number -> object of the version")
    champions: list[int] = Field(
        default_factory=list, description="the champion is the last; `rollback` takes it away"
    )
    challenger: int | None = None
    history: list[Change] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_versions_it_has(self) -> Self:
        named = {*self.champions, *([] if self.challenger is None else [self.challenger])}
        if unknown := sorted(named - self.versions.keys()):
            raise ValueError(f"an alias means version {unknown[0]}, which it does not have")
        if not self.versions and self.history:
            raise ValueError("it has a history and no version")
        if any(number < 1 for number in self.versions):
            raise ValueError("versions count from 1")
        return self

    @property
    def champion(self) -> int | None:
        """The version that is in the product."""
        return self.champions[-1] if self.champions else None

    def aliases(self) -> dict[str, int]:
        """Alias -> number of the version."""
        found = {CHAMPION: self.champion, CHALLENGER: self.challenger}
        return {alias: number for alias, number in found.items() if number is not None}


class ExportedVersion(RegistryDocument):
    """Which version an exported run is."""

    version: int = VERSION
    model: str
    number: int


class ModelVersion(RegistryDocument):
    """One version; never changed after it was added."""

    version: int = VERSION
    model: str
    created: str = Field(description="UTC, ISO 8601")
    run: str = Field(description="name of the run that was added")
    task: str
    labels: list[str]
    tinyml_version: str = Field(description="that trained it")
    code: str | None = Field(description="Git commit of the project; null without Git")
    data_snapshot: str | None
    int8_sha256: Sha256
    parent: int | None = Field(description="the champion when it was added")
    figures: dict[str, float] = Field(description="what was measured, by the keys of budgets.yaml")
    files: dict[str, Sha256] = Field(description="path in the run -> object")

    @field_validator("files")
    @classmethod
    def _lie_in_the_run(cls, files: dict[str, Sha256]) -> dict[str, Sha256]:
        """A registry that somebody shares must not write elsewhere."""
        for file in files:
            path = PureWindowsPath(file)  # knows the separators and drives of all systems
            if path.anchor or not path.parts or ".." in path.parts:
                raise ValueError(f"`{ascii(file)[:60]}` lies outside the run")
        if MANIFEST not in files:
            raise ValueError(f"it has no {MANIFEST}")
        return files
