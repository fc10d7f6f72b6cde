"""The part of a recipe that leaves the data with clients; its rounds are the epochs of the training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tinyml_cli.recipes.base import RecipeSection


class FederationRecipe(RecipeSection):
    """Federated learning: clients train on their own data, and a server averages what they changed."""

    clients: int = Field(default=20, ge=2, le=1000, description="each a speaker or machine, or a few of them")
    non_iid: float | None = Field(
        default=None,
        ge=0.01,
        le=1e6,
        description="alpha of a Dirichlet distribution that deals labels to clients; null: people stay whole",
    )
    participation: float = Field(
        default=0.5, gt=0, le=1, description="the chance of each client to join a round"
    )
    local_epochs: int = Field(
        default=5, ge=1, le=100, description="passes over its data by a client in a round"
    )
    aggregate: Literal["mean", "trimmed-mean"] = "mean"
    trim: float = Field(
        default=0.2, gt=0, lt=0.5, description="trimmed-mean: share of updates dropped at each end"
    )
    prox_mu: float = Field(default=0.0, ge=0, le=100, description="FedProx's pull towards the global model")
    average_all: bool = Field(
        default=False, description="average clients that did not train, too: a mistake, for its cost"
    )
    poisoned: int = Field(default=0, ge=0, description="clients that send reversed, enlarged updates")
    clip: float | None = Field(default=None, gt=0, le=1e6, description="largest norm of a client's update")
    dp_noise: float = Field(
        default=0.0, ge=0, le=1000, description="standard deviation of the noise on the sum, in clips"
    )
    dp_delta: float = Field(default=1e-5, gt=0, lt=1)
    bits: Literal[8, 32] = Field(default=8, description="of each value that a client sends")
    held_out_share: float = Field(
        default=0.2, gt=0, lt=0.9, description="of each client's data, to judge by and not to train on"
    )
    engine: Literal["own", "flower"] = Field(
        default="own", description="flower: also leaves the same as a Flower app in the run"
    )
    compare: Literal["all", "central", "none"] = Field(
        default="all", description="also train centrally, and (all) each client alone"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> FederationRecipe:
        if self.poisoned >= self.clients:
            raise ValueError(f"poisoned: at least one of the {self.clients} clients must be honest")
        if self.dp_noise and self.clip is None:
            raise ValueError("dp_noise is measured in clips: give clip, too, such as 1.0")
        if self.dp_noise and (self.aggregate != "mean" or self.average_all):
            raise ValueError("dp_noise: its epsilon holds for the mean of the clients that trained alone")
        return self
