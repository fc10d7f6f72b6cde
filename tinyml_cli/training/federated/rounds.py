"""The rounds of a federated training, beside central training and each client alone; resumable by round."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import COMPILING, console
from tinyml_cli.console import ProgressBar as Bar
from tinyml_cli.recipes.federation import FederationRecipe
from tinyml_cli.tracking import seam
from tinyml_cli.training.batches import Batches
from tinyml_cli.training.checkpoint import Checkpoint, Resume, TrainingProgress
from tinyml_cli.training.determinism import make_deterministic
from tinyml_cli.training.federated import clients as dealt
from tinyml_cli.training.federated.aggregate import POISON, aggregate
from tinyml_cli.training.federated.local import LocalTraining, Loss
from tinyml_cli.training.federated.population import Population
from tinyml_cli.training.federated.wire import Vector, in_8_bits
from tinyml_cli.training.judging import MEASURES
from tinyml_cli.training.trainer import EpochLog, Fitted, scalars_of

_FINAL_SHARE = 0.05


@dataclass(frozen=True)
class FederationPlan:
    """The parts of a federated training.

    Attributes:
        build: makes the untrained network.
        population: clients, and how models are judged.
        loss: what clients minimise.
        recipe: clients, rule and noise.
        rounds: of the whole training.
        learning_rate: of the first round; it falls as a cosine to a twentieth.
        weight_decay: of Adam; None: none.
        seed: of all random choices.
        label_smoothing: that is in `loss`.
    """

    build: Callable[[], keras.Model]
    population: Population
    loss: Loss
    recipe: FederationRecipe
    rounds: int
    learning_rate: float
    weight_decay: float | None
    seed: int
    label_smoothing: float = 0.0

    def rate(self, number: int) -> float:
        """The learning rate of a round, counted from 0."""
        share = number / max(1, self.rounds - 1)
        return self.learning_rate * (
            _FINAL_SHARE + (1 - _FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * share))
        )


@dataclass(frozen=True)
class FederatedFit:
    """The outcome.

    Attributes:
        fitted: the global model.
        local: its network, for the other models.
        curve: float64 [rounds], the global model's measure on the validation split: accuracy, else loss.
        central_curve: the same of central training; empty without comparison.
        joined: int64 [rounds], clients of each.
        norms: float64 [rounds], median norm of their updates before clipping; 0 where nobody joined.
        central: values of the central model; None without comparison.
        alone: values of each client's own model; empty without comparison.
    """

    fitted: Fitted
    local: LocalTraining
    curve: Vector
    central_curve: Vector
    joined: NDArray[np.int64]
    norms: Vector
    central: Vector | None
    alone: Vector


def federate(
    plan: FederationPlan, logs: Path, fingerprint: str, resume: Resume | bool = False
) -> FederatedFit:
    """Trains until the last round.

    Args:
        plan: what to train.
        logs: folder for TensorBoard and the checkpoint.
        fingerprint: hash of everything that determines this training; `resume` refuses another.
        resume: what to do with the checkpoint of an earlier training.

    Raises:
        TinymlError: there is no checkpoint to resume from, or it is damaged or belongs to another training.
    """
    make_deterministic(plan.seed)
    checkpoint = Checkpoint(logs / "checkpoint")
    progress, is_resumed = checkpoint.begin(fingerprint, plan.rounds, resume)
    local = LocalTraining(plan.build, plan.loss, plan.weight_decay, plan.recipe.prox_mu)
    others = {"none": 0, "central": 1, "all": 1 + len(plan.population.clients)}[plan.recipe.compare]
    start = np.tile(local.wire.read(local.model), (1 + others, 1))
    state = _RoundState(start, np.zeros((0, 4)))
    if is_resumed:
        state = _RoundState(**checkpoint.load_arrays(progress))
    seam.epochs_before([scalars_of(epoch) for epoch in progress.history])
    if progress.epochs_done < progress.last_epoch(resume):
        _Rounds(plan, local, state, progress, EpochLog(logs, checkpoint)).run()
    final = local.at(state.models[0])
    judged = progress.judged or plan.population.validate(final)
    central = state.models[1] if others else None
    columns = state.log.T
    return FederatedFit(
        Fitted(final, progress.epochs_done, judged, progress.history),
        local,
        columns[0],
        columns[1] if others else columns[1][:0],
        columns[2].astype(np.int64),
        columns[3],
        central,
        state.models[2:],
    )


@dataclass
class _RoundState:
    """What a round leaves: all that the next one needs.

    Attributes:
        models: float64 [1 or 2 + clients, values]: global; central; each client's alone.
        log: float64 [rounds, 4]: global measure, central measure, clients that joined, median norm.
    """

    models: Vector
    log: Vector


class _Rounds:
    def __init__(
        self,
        plan: FederationPlan,
        local: LocalTraining,
        state: _RoundState,
        progress: TrainingProgress,
        log: EpochLog,
    ) -> None:
        self._plan, self._local, self._state = plan, local, state
        self._progress, self._log = progress, log
        self._poisoned = dealt.poisoned(plan.recipe, plan.seed)

    def run(self) -> None:
        plan, progress = self._plan, self._progress
        compared = len(self._state.models) > 1
        left = range(progress.epochs_done, plan.rounds)
        steps = sum(len(dealt.joining(plan.recipe, plan.seed, number)) for number in left)
        with console.progress(steps, "Federated rounds", COMPILING) as bar:
            for number in left:
                measures, joined, norm = self._round(number, bar)
                central = self._compare(number, bar) if compared else float("nan")
                judged = plan.population.validate(self._local.at(self._state.models[0]))
                row = (followed(judged), central, float(joined), norm)
                self._state.log = np.vstack([self._state.log, row])
                trained = dict(zip(MEASURES, measures.tolist(), strict=True))
                progress.ended({name: trained[name] for name in MEASURES if name in judged}, judged)
                self._log.ended(progress, self._save)

    def _save(self, checkpoint: Checkpoint) -> None:
        checkpoint.save_arrays(vars(self._state), self._progress)

    def _round(self, number: int, bar: Bar) -> tuple[Vector, int, float]:
        """Loss and accuracy at the clients that joined, their number, and their updates' median norm."""
        plan, start = self._plan, self._state.models[0]
        clients = plan.population.clients
        joined = dealt.joining(plan.recipe, plan.seed, number)
        if not joined:
            return np.zeros(len(MEASURES)), 0, 0.0
        unit = self._local.wire.unit(start)
        updates, measures = [], []
        for client in joined:
            values, measured = self._train(start, client, number)
            update = (values - start) / unit * (POISON if client in self._poisoned else 1.0)
            if plan.recipe.bits == 8:
                rng = np.random.default_rng([plan.seed, 44, number, client])
                update = in_8_bits(update, self._local.wire.sizes, rng)
            updates.append(update)
            measures.append(measured)
            bar.advance(1, self._log.note)
        stacked = np.stack(updates)
        examples = np.array([clients[client].examples for client in joined], np.float64)
        rng = np.random.default_rng([plan.seed, 45, number])
        self._state.models[0] = start + unit * aggregate(stacked, examples, plan.recipe, rng)
        norms = np.linalg.norm(stacked, axis=1)
        return np.average(measures, axis=0, weights=examples), len(joined), float(np.median(norms))

    def _compare(self, number: int, bar: Bar) -> float:
        """Central training by as many passes as all clients make together, and of clients that joined, each
        alone; the central model's measure.
        """
        plan, models = self._plan, self._state.models
        per_round = plan.recipe.participation * plan.recipe.local_epochs
        passes = range(int(number * per_round), int((number + 1) * per_round))
        if passes:
            models[1] = self._passes(models[1], plan.population.together, number, 0, passes)[0]
        for client in dealt.joining(plan.recipe, plan.seed, number) if len(models) > 2 else ():
            models[2 + client] = self._train(models[2 + client], client, number)[0]
            bar.advance(0, self._log.note)
        return followed(plan.population.validate(self._local.at(models[1])))

    def _train(self, start: Vector, client: int, number: int) -> tuple[Vector, Vector]:
        passes = self._plan.recipe.local_epochs
        numbers = range(number * passes, (number + 1) * passes)
        return self._passes(start, self._plan.population.clients[client].batches, number, 1 + client, numbers)

    def _passes(
        self, start: Vector, batches: Batches, number: int, whose: int, passes: range
    ) -> tuple[Vector, Vector]:
        seed = number * (len(self._plan.population.clients) + 1) + whose
        return self._local.run(start, batches, passes, self._plan.rate(number), seed)


def followed(judged: Mapping[str, Any]) -> float:
    """What a curve shows of measures: the accuracy of a classifier, else the loss."""
    return float(judged.get("accuracy", judged["loss"]))
