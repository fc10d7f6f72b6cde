"""Anomaly detection by clients: each a machine or a few, whose recordings stay with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.features.signal import to_real
from tinyml_cli.recipes.anomaly import AnomalyRecipe
from tinyml_cli.statistics.curves import auc_interval, roc_auc
from tinyml_cli.tasks.anomaly.data import PreparedRecordings, Standard
from tinyml_cli.tasks.anomaly.pool import NormalWindows, cut_faults
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.federated import clients as dealt
from tinyml_cli.training.federated.population import FederatedClient, Judgement, Judging, Population

if TYPE_CHECKING:
    import keras

    from tinyml_cli.training.federated.rounds import FederatedFit, FederationPlan

Inputs = NDArray[np.float32]


def train(
    build: Callable[[], keras.Model],
    data: PreparedRecordings,
    windows: NormalWindows,
    inputs: Inputs,
    held_out: Inputs,
    standard: Standard,
    recipe: AnomalyRecipe,
    logs: Path,
    fingerprint: str,
    resume: Resume | bool,
) -> tuple[FederationPlan, FederatedFit]:
    """Fits an autoencoder at the clients.

    Args:
        build: makes the untrained network.
        data: recordings by use.
        windows: normal ones to train on.
        inputs: their features, standardised, float32 [windows, values].
        held_out: the same of machines or sessions kept for the threshold.
        standard: how features become inputs: means and deviations, which clients' sums give exactly.
        recipe: what to train.
        logs: folder for TensorBoard and the checkpoint.
        fingerprint: of all that determines the training.
        resume: what to do with the checkpoint of a stopped training.

    Raises:
        TinymlError: too few machines, or a checkpoint that is damaged or of another training.
    """
    from tinyml_cli.training.federated.losses import squared_error
    from tinyml_cli.training.federated.rounds import FederationPlan, federate

    assert recipe.federation is not None
    population = _population(data, windows, inputs, held_out, standard, recipe)
    plan = FederationPlan(
        build,
        population,
        squared_error(),
        recipe.federation,
        recipe.training.epochs,
        recipe.training.learning_rate,
        None,
        recipe.seed,
    )
    return plan, federate(plan, logs, fingerprint, resume)


def _population(
    data: PreparedRecordings,
    windows: NormalWindows,
    inputs: Inputs,
    held_out: Inputs,
    standard: Standard,
    recipe: AnomalyRecipe,
) -> Population:
    from tinyml_cli.training.reconstruct import NoisyWindows

    of, source = recipe.federation, data.source
    assert of is not None

    def real(samples: NDArray[np.int16]) -> Inputs:
        features = source.features(samples)
        return to_real(features, standard.offsets, standard.deviations, recipe.training.clip)

    faults = cut_faults(data.faults, source.window_samples, source.stride_samples, source.sample_scale)
    faulty = real(faults.samples) if len(faults) else inputs[:0]
    groups = np.array([each.group for each in data.splits.train])[windows.recording]
    conditions = [windows.conditions[index] for index in windows.recording]
    rows = dealt.deal(groups.tolist(), conditions, of, recipe.seed)
    clients, size = [], recipe.training.batch_size
    for number, mine in enumerate(rows):
        trained, kept = dealt.held_out(mine, of.held_out_share, [recipe.seed, number])
        # A client with less than a batch repeats its own windows.
        repeated = np.resize(trained, max(size, len(trained)))
        seed = (recipe.seed + 1_000_003 * (2 + number)) % 2**32
        clients.append(
            FederatedClient(
                0 if of.non_iid is not None else len(np.unique(groups[mine])),
                len(trained),
                NoisyWindows(inputs[repeated], recipe.model_copy(update={"seed": seed})),
                judging(inputs[kept], faulty),
            )
        )
    everything = np.concatenate([dealt.held_out(mine, of.held_out_share, [recipe.seed, number])[0]
                                 for number, mine in enumerate(rows)])  # fmt: skip
    together = NoisyWindows(inputs[np.resize(everything, max(size, len(everything)))], recipe)

    def validate(model: keras.Model) -> dict[str, Any]:
        return {"loss": float(np.mean(errors(model, held_out)))}

    test = real(data.windows(data.splits.test).samples)
    return Population(
        clients,
        together,
        "auc" if len(faulty) else "loss",
        "machine",
        validate,
        judging(test, faulty),
        lambda model: None,
        (test, test),
        2 * sum(each.samples.size for each in data.splits.train),
    )


def errors(model: keras.Model, inputs: Inputs) -> NDArray[np.float64]:
    """Mean squared error of each window, float64 [n]."""
    outputs = model.predict_on_batch(inputs)
    found: NDArray[np.float64] = ((outputs - inputs).astype(np.float64) ** 2).mean(axis=1)
    return found


def judging(normal: Inputs, faulty: Inputs) -> Judging:
    """The area under the ROC curve of normal windows against faults; without faults the mean error."""

    def judged(model: keras.Model) -> Judgement:
        of_normal = errors(model, normal)
        if not len(faulty):
            return Judgement(float(of_normal.mean()), None, len(normal))
        scores = np.concatenate([of_normal, errors(model, faulty)])
        area = roc_auc(scores, np.arange(len(scores)) >= len(normal))
        assert area is not None
        return Judgement(area, auc_interval(area, len(faulty), len(normal)), len(scores))

    return judged
