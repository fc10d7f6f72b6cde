"""What federated learning tells."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Interval, Outcome, Share
from tinyml_cli.outcomes.stages import Trained


class FederatedFigure(Outcome):
    """A float model, by the measure of the federation."""

    value: float
    ci95: Interval | None = Field(description="null for a loss")
    n: Count = Field(description="items")


class FederatedDifference(Outcome):
    """The federated model's accuracy minus that of central training, on the same items."""

    value: float
    ci95: Interval = Field(description="percentile bootstrap over items")
    n: Count


class FederatedRound(Outcome):
    """One round."""

    value: float = Field(description="of the global model on the validation split: accuracy, or else loss")
    central: float | None = Field(description="the same of central training after as many passes")
    joined: Count = Field(description="clients that trained")
    update_norm: float = Field(description="median over their updates, before clipping")


class FederatedClientTold(Outcome):
    """One client, judged by what it kept aside."""

    client: Count = Field(description="from 1")
    members: Count = Field(description="people or machines; 0 where labels were dealt instead")
    examples: Count = Field(description="that it trains on, in an epoch")
    is_poisoned: bool
    federated: FederatedFigure = Field(description="the global model on this client's own items")
    alone: FederatedFigure | None = Field(description="its own model on the same items")
    alone_on_others: FederatedFigure | None = Field(description="its own model on the test split")


class FederatedTraffic(Outcome):
    """What went over the air, modelled: values alone, without the protocol's own bytes."""

    bits: Literal[8, 32] = Field(description="of each value that a client sends")
    up_bytes: Count = Field(description="that a client sends for a round")
    down_bytes: Count = Field(description="that it receives: the global model in float32")
    client_rounds: Count = Field(description="how often a client joined, all together")
    total_bytes: Count = Field(description="both ways, all clients and rounds")
    data_bytes: Count = Field(description="of the raw recordings, which central training would send instead")


class FederatedPrivacy(Outcome):
    """Differential privacy of a client's whole data, against who sees the models; the server is trusted."""

    epsilon: float
    delta: float
    noise: float = Field(description="standard deviation on the sum of updates, in clips")
    clip: float
    is_meaningful: bool = Field(description="epsilon at most 8, and delta less than one in the clients")
    clients_needed: Count | None = Field(
        description="for epsilon 8 with as little noise in the model; null: over a thousand million"
    )


class Federation(Outcome):
    """A federated training beside central training and each client alone."""

    measure: Literal["accuracy", "auc", "loss"]
    member: str = Field(description="what clients have: speaker, machine")
    rounds: list[FederatedRound]
    aggregate: Literal["mean", "trimmed-mean"]
    prox_mu: float
    non_iid: float | None
    average_all: bool
    poisoned: list[Count] = Field(description="clients, from 1")
    mean_stale_share: Share = Field(
        description="of a round's average that was of clients which did not train; 0 without average_all"
    )
    federated: FederatedFigure = Field(description="on the test split")
    central: FederatedFigure | None = Field(description="trained on all data; null without comparison")
    difference: FederatedDifference | None = Field(description="of accuracies")
    alone_mean: float | None = Field(description="mean over clients, each alone, on the test split")
    alone_best: float | None
    alone_worst: float | None
    worst_client: Count = Field(description="for which the global model is worst, from 1")
    clients: list[FederatedClientTold]
    traffic: FederatedTraffic
    privacy: FederatedPrivacy | None
    picture: str


class Federated(Trained):
    """A federated training that ran to its end; the run is one as any other."""

    federation: Federation
