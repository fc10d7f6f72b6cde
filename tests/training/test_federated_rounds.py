"""Federated rounds: weights as vectors, and trainings that are stopped after any round."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

import keras
from keras import layers

from tinyml_cli import processes
from tinyml_cli.recipes.federation import FederationRecipe
from tinyml_cli.training.batches import Batch
from tinyml_cli.training.federated.flower_app import export
from tinyml_cli.training.federated.losses import cross_entropy
from tinyml_cli.training.federated.population import FederatedClient, Judgement, Population
from tinyml_cli.training.federated.rounds import FederatedFit, FederationPlan, federate
from tinyml_cli.training.federated.wire import Wire, in_8_bits
from tinyml_cli.training.judging import judge

CLIENTS = 3


def network() -> keras.Model:
    source = keras.Input((6,))
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(layers.Dense(8, name="first")(source)))
    return keras.Model(source, layers.Dense(2, activation="softmax", name="scores")(layers.Dropout(0.2)(x)))


class Mine:
    """A client's examples: the label is the sign of the first value."""

    def __init__(self, number: int, stop_in: int | None = None) -> None:
        self.number, self.stop_in = number, stop_in

    def __len__(self) -> int:
        return 1

    def epoch(self, epoch: int) -> Iterator[Batch]:
        if epoch == self.stop_in:
            raise KeyboardInterrupt
        yield Batch(*drawn([self.number, epoch]))


def drawn(seed: list[int], n: int = 16) -> tuple[Any, Any]:
    inputs = np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32)
    return inputs, np.eye(2, dtype=np.float32)[(inputs[:, 0] > 0).astype(int)]


def planned(stop_in: int | None = None, **values: Any) -> FederationPlan:
    inputs, targets = drawn([99], 200)

    def test(model: keras.Model) -> Judgement:
        right = model.predict_on_batch(inputs).argmax(axis=1) == targets.argmax(axis=1)
        return Judgement(float(right.mean()), None, len(right))

    mine = [FederatedClient(1, 16, Mine(n, stop_in if n == 1 else None), test) for n in range(CLIENTS)]
    population = Population(
        mine,
        Mine(9),
        "accuracy",
        "speaker",
        lambda model: judge(model.predict_on_batch(inputs), targets.argmax(axis=1)),
        test,
        lambda model: None,
        (inputs, targets),
        1000,
    )
    recipe = FederationRecipe.model_validate(
        {"clients": CLIENTS, "participation": 1.0, "local_epochs": 1, **values}
    )
    return FederationPlan(network, population, cross_entropy(0.0), recipe, 4, 0.02, 1e-4, 3)


def trained(folder: Path, resume: bool = False, stop_in: int | None = None, **values: Any) -> FederatedFit:
    return federate(planned(stop_in, **values), folder, "mark", resume)


def test_statistics_come_back_from_the_wire_and_stay_variances() -> None:
    model = network()
    start = [np.abs(np.random.default_rng(n).normal(size=w.shape)) + 0.1 for n, w in enumerate(model.weights)]
    model.set_weights(start)
    wire = Wire(model)
    values = wire.read(model)
    wire.write(model, values)
    for before, after in zip(start, model.get_weights(), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-6)
    # A mean changes in deviations of the global model; any noise leaves variances positive.
    unit = wire.unit(values)
    assert sorted(set(unit.tolist()) - {1.0}) == pytest.approx(sorted(np.sqrt(start[5])), rel=1e-6)
    wire.write(model, values - 1000)
    assert (model.layers[2].moving_variance.numpy() > 0).all()
    assert wire.update_bytes(8) == model.count_params() + 4 * len(model.weights)
    assert wire.update_bytes(32) == wire.model_bytes == 4 * model.count_params()


def test_eight_bits_are_right_on_average() -> None:
    update, rng = np.array([0.5, -0.25, 0.003, 0.0, 7.0, -3.0]), np.random.default_rng(1)
    sent = np.mean([in_8_bits(update, [4, 2], rng) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(sent, update, atol=2e-3)
    assert np.abs(in_8_bits(update, [4, 2], rng)[:4] - update[:4]).max() <= 0.5 / 127 + 1e-9


@pytest.mark.slow
def test_a_stopped_training_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "broken", stop_in=2)
    again = trained(tmp_path / "broken", resume=True)
    for name in ("curve", "central_curve", "joined", "norms", "central", "alone"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name), name)
    for mine, other in zip(again.fitted.model.get_weights(), whole.fitted.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)
    assert again.fitted.history == whole.fitted.history and again.fitted.epochs == 4


@pytest.mark.slow
def test_comparison_changes_nothing_of_the_federated_model(tmp_path: Path) -> None:
    whole, bare = trained(tmp_path / "whole"), trained(tmp_path / "bare", compare="none")
    np.testing.assert_array_equal(whole.curve, bare.curve)
    assert bare.central is None and not len(bare.alone) and not len(bare.central_curve)


@pytest.mark.slow
def test_a_strong_pull_leaves_the_model_where_it_was(tmp_path: Path) -> None:
    """FedProx; Adam moves by the sign of what is left, so distance falls and does not vanish."""
    free, held = (
        trained(tmp_path / str(mu), prox_mu=mu, local_epochs=6, compare="none") for mu in (0.0, 50.0)
    )
    assert held.norms[-1] < free.norms[-1]


@pytest.mark.slow
def test_the_flower_app_learns_in_its_own_environment(tmp_path: Path) -> None:
    """Its files are whole anywhere; they run where TINYML_FLOWER is the Python of Flower's environment."""
    export(tmp_path / "flower", planned(prox_mu=0.1))
    package = tmp_path / "flower" / "tinyml_federation"
    for script in package.glob("*.py"):
        compile(script.read_text(encoding="utf-8"), script, "exec")
    with np.load(package / "client_002.npz") as arrays:
        np.testing.assert_array_equal(arrays["inputs"], drawn([2, 0])[0])
    settings = json.loads((package / "settings.json").read_text(encoding="utf-8"))
    assert (settings["clients"], settings["rounds"], settings["batch_size"]) == (CLIENTS, 4, 16)
    python = os.environ.get("TINYML_FLOWER")
    if python is None:
        pytest.skip("TINYML_FLOWER names no Python with flwr: only the files were checked")
    command = [python, "-m", "tinyml_federation", "2"]
    done = processes.run(command, cwd=tmp_path / "flower", timeout_s=500)
    rounds = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"round"')]
    assert [each["round"] for each in rounds] == [0, 1, 2], done.stderr[-2000:]
    assert rounds[-1]["accuracy"] > rounds[0]["accuracy"]
    assert (tmp_path / "flower" / "federated.keras").is_file()
