"""Keyword spotting by clients: each a speaker or a few, who keep their recordings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyml_cli.data import splits
from tinyml_cli.data.clips import SILENCE, UNKNOWN, ClipSet, Corpus
from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import next_step
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.tasks.kws import examples as kws_examples
from tinyml_cli.tasks.kws.pool import ExamplePool
from tinyml_cli.tasks.kws.variations import Variations
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.clip_batches import ClipBatches
from tinyml_cli.training.examples import Examples, to_float
from tinyml_cli.training.federated import clients as dealt
from tinyml_cli.training.federated import privacy
from tinyml_cli.training.federated.population import FederatedClient, Judgement, Judging, Population

if TYPE_CHECKING:
    import keras

    from tinyml_cli.training.federated.rounds import FederatedFit, FederationPlan


def check(recipe: KwsRecipe) -> None:
    """Refuses what clients cannot do on their own.

    Raises:
        TinymlError: the key of the recipe.
    """
    if recipe.federation is None:
        return
    central = {
        "hard_negatives.share": recipe.hard_negatives.share,
        "streams.hours": recipe.streams.hours and recipe.data_path is None,
        "distillation.teachers": recipe.distillation.teachers,
        "training.weight_average": recipe.training.weight_average,
    }
    for key, value in central.items():
        if value:
            raise TinymlError(
                "Clients that keep their data cannot do this together",
                key,
                f"Remove it, or train centrally: {next_step('train', recipe.task)}",
            )
    if recipe.federation.dp_noise:
        privacy.check()


def check_speakers(labels: Sequence[str], groups: Sequence[str], recipe: KwsRecipe) -> None:
    """Refuses more clients than the training split has speakers.

    Raises:
        TinymlError: that is so.
    """
    if recipe.federation is not None:
        spoken = {group for label, group in zip(labels, groups, strict=True) if label != SILENCE}
        dealt.check_members(len(spoken), recipe.federation)


def train(
    build: Callable[[], keras.Model],
    corpus: Corpus,
    parts: Mapping[splits.Split, ClipSet],
    validation: Examples,
    recipe: KwsRecipe,
    logs: Path,
    fingerprint: str,
    resume: Resume | bool,
) -> tuple[FederationPlan, FederatedFit, Examples]:
    """Fits a model at the clients.

    Args:
        build: makes the untrained model.
        corpus: where the clips come from.
        parts: clips by split.
        validation: examples of the validation split.
        recipe: what to train; its augmentation and rates are those of the data's kind.
        logs: folder for TensorBoard and the checkpoint.
        fingerprint: of all that determines the training.
        resume: what to do with the checkpoint of a stopped training.

    Returns:
        The plan, its outcome, and the examples of all clients.

    Raises:
        TinymlError: too few speakers, or a checkpoint that is damaged or of another training.
    """
    from tinyml_cli.training.federated.losses import cross_entropy
    from tinyml_cli.training.federated.rounds import FederationPlan, federate

    assert recipe.federation is not None
    population, together = _population(corpus, parts, validation, recipe)
    plan = FederationPlan(
        build,
        population,
        cross_entropy(recipe.training.label_smoothing),
        recipe.federation,
        recipe.training.epochs,
        recipe.training.learning_rate,
        recipe.training.weight_decay,
        recipe.seed,
        recipe.training.label_smoothing,
    )
    return plan, federate(plan, logs, fingerprint, resume), together


def _population(
    corpus: Corpus, parts: Mapping[splits.Split, ClipSet], validation: Examples, recipe: KwsRecipe
) -> tuple[Population, Examples]:
    from tinyml_cli.training.balance import balance
    from tinyml_cli.training.fit import predict
    from tinyml_cli.training.judging import judge

    clips = parts["train"]
    made = _clients(clips, corpus, recipe)
    features = np.concatenate([examples.features for _, _, examples in made])
    together = Examples(features, np.concatenate([examples.labels for _, _, examples in made]))
    clients = [
        FederatedClient(
            members,
            len(examples),
            _batches(examples, recipe, 1 + number),
            _judging(kws_examples.plain_examples(clips.take(kept), recipe.model_labels, recipe.features)),
        )
        for number, (members, kept, examples) in enumerate(made)
    ]
    everyone = _batches(together, recipe, 0)
    shares = everyone.shares()
    # As in central training: a higher weight for being rare would lose quiet words.
    shares[recipe.model_labels.index(SILENCE)] = shares[recipe.model_labels.index(UNKNOWN)]

    def finish(model: keras.Model) -> None:
        if recipe.training.balance_scores:
            balance(model, shares)

    def validate(model: keras.Model) -> dict[str, Any]:
        return judge(predict(model, validation.features), validation.labels)

    test = kws_examples.balanced(parts["test"], recipe.model_labels)
    plain = kws_examples.plain_examples(test, recipe.model_labels, recipe.features)
    targets = np.eye(len(recipe.model_labels), dtype=np.float32)[plain.labels]
    spoken = clips.take(clips.labels != SILENCE)
    population = Population(
        clients,
        everyone,
        "accuracy",
        "speaker",
        validate,
        _judging(plain),
        finish,
        (to_float(plain.features), targets),
        spoken.audio.nbytes,
    )
    return population, together


def _clients(clips: ClipSet, corpus: Corpus, recipe: KwsRecipe) -> list[tuple[int, dealt.Rows, Examples]]:
    """Speakers of each client, the clips that it keeps to judge by, and its examples, made once."""
    assert recipe.federation is not None
    spoken, silent = np.flatnonzero(clips.labels != SILENCE), np.flatnonzero(clips.labels == SILENCE)
    groups, labels = clips.groups[spoken], clips.labels[spoken]
    rows = [
        spoken[each] for each in dealt.deal(groups.tolist(), labels.tolist(), recipe.federation, recipe.seed)
    ]
    parts = [
        dealt.held_out(each, recipe.federation.held_out_share, [recipe.seed, n])
        for n, each in enumerate(rows)
    ]
    trained = clips.take(np.concatenate([mine for mine, _ in parts]))
    quotas = kws_examples.training_quotas(trained, recipe)
    found = []
    for number, ((mine, kept), all_of_it) in enumerate(zip(parts, rows, strict=True)):
        own = clips.take(np.concatenate([mine, silent[number :: len(rows)]]))
        examples = _examples(own, _own_quotas(quotas, own, trained, len(rows)), corpus, recipe, number)
        members = 0 if recipe.federation.non_iid is not None else len(set(clips.groups[all_of_it]))
        found.append((members, kept, examples))
    return found


def _own_quotas(quotas: Mapping[str, int], own: ClipSet, trained: ClipSet, clients: int) -> dict[str, int]:
    """A client's examples of a label are its share of the clips; silence is the same for all."""
    share = {
        label: 1 / clients if label == SILENCE else _weight(own, label) / max(_weight(trained, label), 1e-9)
        for label in quotas
    }
    return {label: round(quota * share[label]) for label, quota in quotas.items()}


def _weight(clips: ClipSet, label: str) -> float:
    return float(clips.weigh()[clips.labels == label].sum())


def _examples(
    clips: ClipSet, quotas: dict[str, int], corpus: Corpus, recipe: KwsRecipe, number: int
) -> Examples:
    seed = [recipe.seed, 46, number]
    once = recipe.augmentation.model_copy(update={"renewed_share": 0.0})
    recipe = recipe.model_copy(update={"augmentation": once})
    with ExamplePool(Variations(clips, corpus.noises, recipe, seed), quotas, recipe, seed) as pool:
        return pool.sample(0, len(pool))


def _batches(examples: Examples, recipe: KwsRecipe, whose: int) -> ClipBatches:
    """A client with less than a batch repeats its own examples."""
    few = max(0, recipe.training.batch_size - len(examples))
    rows = np.resize(np.arange(len(examples)), len(examples) + few)
    seed = (recipe.seed + 1_000_003 * (1 + whose)) % 2**32
    whole = Examples(examples.features[rows], examples.labels[rows])
    return ClipBatches(whole, recipe.model_copy(update={"seed": seed}))


def _judging(examples: Examples) -> Judging:
    """Accuracy on clips as they were recorded."""
    from tinyml_cli.training.fit import predict

    def judged(model: keras.Model) -> Judgement:
        right = predict(model, examples.features).argmax(axis=1) == examples.labels
        items = {str(row): float(is_right) for row, is_right in enumerate(right)}
        return Judgement(
            float(right.mean()), wilson_interval(int(right.sum()), len(right)), len(right), items
        )

    return judged
