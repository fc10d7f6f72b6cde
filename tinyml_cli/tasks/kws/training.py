"""Keyword spotting: from split clips to a fitted model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tinyml_cli.data import splits
from tinyml_cli.data.clips import ClipSet, Corpus
from tinyml_cli.recipes.kws import RESERVED_LABELS, KwsRecipe
from tinyml_cli.run import Run
from tinyml_cli.tasks.kws import examples as kws_examples
from tinyml_cli.tasks.kws import federation, negatives, voice_streams
from tinyml_cli.tasks.kws import teachers as kws_teachers
from tinyml_cli.tasks.kws.pool import ExamplePool
from tinyml_cli.tasks.kws.stream_windows import STREAM_S, StreamWindows, WithStreams
from tinyml_cli.tasks.kws.variations import Variations, recorded_augmentation
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.examples import Examples, ExampleSource

if TYPE_CHECKING:
    import keras

    from tinyml_cli.training.trainer import Fitted

_SAMPLE_SIZE = 2000
# Validation examples of each label made from the synthetic voices kept for it.
_SYNTHETIC_VALIDATION_SIZE = 250


@dataclass(frozen=True)
class TrainedSpotter:
    """A fitted model, and a sample of what it learned from.

    Attributes:
        fitted: the model and how it did.
        sample: examples to calibrate the quantisation by.
        examples_per_epoch: training examples of one epoch.
        validation_examples: examples that watched the training.
        files: what else the training left in the run.
    """

    fitted: Fitted
    sample: Examples
    examples_per_epoch: int
    validation_examples: int
    files: Sequence[str] = ()


def train(
    build: Callable[[], keras.Model],
    corpus: Corpus,
    parts: Mapping[splits.Split, ClipSet],
    recipe: KwsRecipe,
    run: Run,
    resume: Resume | bool,
) -> TrainedSpotter:
    """Fits a model to the training speakers.

    Args:
        build: makes the untrained model.
        corpus: where the clips come from.
        parts: clips by split.
        recipe: what to train.
        run: where to write.
        resume: what to do with the checkpoint of a stopped training.

    Raises:
        TinymlError: an unusable teacher, or a checkpoint that is damaged or of another training.
    """
    from tinyml_cli.tasks.kws.epoch_choice import chooser
    from tinyml_cli.tasks.kws.hard_negatives import HardNegatives
    from tinyml_cli.training.fit import fit

    clips = parts["train"]
    teacher = kws_teachers.load(recipe, parts)
    validation = _validation_examples(parts["validation"], recipe)
    logs = run.file("logs")
    if recipe.federation is not None:
        return _at_clients(build, corpus, parts, validation, recipe, run, resume)
    seed = [recipe.seed, 3]
    variations = Variations(clips, corpus.noises, recipe, seed)
    quotas = kws_examples.training_quotas(clips, recipe)
    with ExamplePool(variations, quotas, recipe, seed, None if teacher is None else teacher.score) as pool:
        windows = _windows(clips, corpus, recipe)
        source: ExampleSource = pool
        if windows is not None:
            shares = dict.fromkeys(recipe.words, recipe.streams.word_share)
            others = dict.fromkeys(RESERVED_LABELS, recipe.streams.other_share)
            wanted = {label: round(quotas[label] * share) for label, share in {**others, **shares}.items()}
            source = WithStreams(pool, windows, wanted, None if teacher is None else teacher.score)
        miner = None
        if recipe.hard_negatives.share or (windows is not None and recipe.streams.hard_share):
            miner = HardNegatives(clips, corpus.noises, variations, pool, recipe, windows)
        mark = _fingerprint(recipe, corpus, "" if teacher is None else teacher.fingerprint)
        choice = chooser(recipe, parts["validation"], corpus.noises)
        fitted = fit(build, source, validation, for_source(recipe), logs, mark, resume, miner, pool, choice)
        sample = pool.sample(fitted.epochs - 1, _SAMPLE_SIZE)
        return TrainedSpotter(fitted, sample, len(source), len(validation))


def _at_clients(
    build: Callable[[], keras.Model],
    corpus: Corpus,
    parts: Mapping[splits.Split, ClipSet],
    validation: Examples,
    recipe: KwsRecipe,
    run: Run,
    resume: Resume | bool,
) -> TrainedSpotter:
    from tinyml_cli.training.federated import telling

    mark = _fingerprint(recipe, corpus, "")
    plan, fit, examples = federation.train(
        build, corpus, parts, validation, for_source(recipe), run.file("logs"), mark, resume
    )
    files = telling.write(run, plan, fit)
    rows = np.random.default_rng([recipe.seed, 47]).permutation(len(examples))[:_SAMPLE_SIZE]
    sample = Examples(examples.features[rows], examples.labels[rows])
    return TrainedSpotter(fit.fitted, sample, len(examples), len(validation), files)


def _windows(clips: ClipSet, corpus: Corpus, recipe: KwsRecipe) -> StreamWindows | None:
    """Windows of the training voices' streams; None where the recipe wants none or has recordings."""
    count = round(recipe.streams.hours * 3600 / STREAM_S)
    if not count or recipe.data_path is not None:
        return None
    seed = [recipe.seed, 6]
    streams = voice_streams.of_split(recipe, clips, corpus.noises, "train", seed)
    recorded = negatives.stretches(recipe, "train", recipe.streams.recorded_hours)
    return StreamWindows(
        streams, count, recipe.model_labels, recipe.features, recipe.clip_samples, seed, recorded
    )


def for_source(recipe: KwsRecipe) -> KwsRecipe:
    """The recipe as its data uses it: for recordings, the `recorded` keys take the others' place."""
    if recipe.data_path is None:
        return recipe
    rate = recipe.training.recorded_learning_rate or recipe.training.learning_rate
    training = recipe.training.model_copy(update={"learning_rate": rate})
    return recipe.model_copy(update={"augmentation": recorded_augmentation(recipe), "training": training})


def _validation_examples(clips: ClipSet, recipe: KwsRecipe) -> Examples:
    """Synthetic voices are validated in noise, people as recorded."""
    if recipe.data_path is not None:
        return kws_examples.plain_examples(clips, recipe.model_labels, recipe.features)
    seed = [recipe.seed, 4]
    quotas = dict.fromkeys(recipe.model_labels, _SYNTHETIC_VALIDATION_SIZE)
    with ExamplePool(Variations(clips, (), recipe, seed), quotas, recipe, seed) as pool:
        return pool.sample(0, len(pool))


def _fingerprint(recipe: KwsRecipe, corpus: Corpus, teacher: str) -> str:
    digest = hashlib.sha256(recipe.to_yaml().encode())
    digest.update(teacher.encode())
    digest.update(negatives.fingerprint(recipe))
    digest.update(corpus.clips.audio.tobytes())
    digest.update(corpus.clips.weigh().tobytes())
    for names in (corpus.clips.labels, corpus.clips.groups):
        digest.update("\n".join(map(str, names)).encode())
    for noise in corpus.noises:
        digest.update(noise.tobytes())
    return digest.hexdigest()
