"""The reference distributions in the manifest, for `tinyml drift`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class DriftColumn(BaseModel):
    """The distribution of one quantity.

    `shares[i]` is the share of values in (edges[i - 1], edges[i]]; the first and last are open. Consecutive
    values are correlated: `dependence` of them are worth one independent value.
    """

    model_config = ConfigDict(extra="forbid")

    n: int = Field(ge=1)
    edges: list[float]
    shares: list[float]
    dependence: float = Field(default=1.0, ge=1)

    @model_validator(mode="after")
    def _belong_together(self) -> DriftColumn:
        if len(self.shares) != len(self.edges) + 1 or sorted(set(self.edges)) != self.edges:
            raise ValueError("edges must be increasing, and one fewer than shares")
        return self


class Reference(BaseModel):
    """Distributions by the name of the quantity: `score`, `score LABEL`, `feature NAME`."""

    model_config = ConfigDict(extra="forbid")

    of: str = Field(description="what was summarised")
    columns: dict[str, DriftColumn]
