"""What federated learning asks of a task: its clients, and how models are judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.training.batches import Batches

if TYPE_CHECKING:
    import keras

Measure = Literal["accuracy", "auc", "loss"]


@dataclass(frozen=True)
class Judgement:
    """A model on some items.

    Attributes:
        value: of the population's measure.
        ci95: 95 % interval; None where there is none.
        n: items.
        items: item -> figure, whose mean is `value`, to compare models by pairs; empty where it is no mean.
    """

    value: float
    ci95: tuple[float, float] | None
    n: int
    items: Mapping[str, float] = field(default_factory=dict)


Judging = Callable[["keras.Model"], Judgement]


@dataclass(frozen=True)
class FederatedClient:
    """A client and its data.

    Attributes:
        members: people or machines; 0 where labels were dealt instead.
        examples: that it trains on, by which FedAvg weighs it.
        batches: of its training data; all clients' batches are of one size.
        judge: on its own items that it does not train on.
    """

    members: int
    examples: int
    batches: Batches
    judge: Judging


@dataclass(frozen=True)
class Population:
    """All clients, and the data of people or machines that are at none.

    Attributes:
        clients: in order.
        together: the batches of all clients as one, for central training.
        measure: what `judge` and `test` give; a loss is better the lower it is.
        member: what a client has, such as speaker.
        validate: measures of a model on the validation split, at least `loss`; `accuracy` of classifiers.
        test: a model on the test split.
        finish: what is done to a trained model before it is judged.
        shown: inputs and targets of the test split, as `together` has them.
        data_bytes: of the raw recordings of all clients, which central training would have to send.
    """

    clients: Sequence[FederatedClient]
    together: Batches
    measure: Measure
    member: str
    validate: Callable[[keras.Model], dict[str, Any]]
    test: Judging
    finish: Callable[[keras.Model], None]
    shown: tuple[NDArray[np.float32], NDArray[np.float32]]
    data_bytes: int
