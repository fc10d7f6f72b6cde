"""Keyword spotting: the clips of a recipe, recorded, synthetic or both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tinyml_cli.console import console
from tinyml_cli.data import augment, folder, recordings, splits
from tinyml_cli.data.clips import SILENCE, UNKNOWN, ClipSet, Corpus, join
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.speech import pronunciation, synthesis
from tinyml_cli.tasks.kws import languages as kws_languages
from tinyml_cli.tasks.kws import negatives
from tinyml_cli.wording import counted

_CLIPS_PER_LABEL = 4000


def load(recipe: KwsRecipe) -> Corpus:
    """Clips from `recipe.data_path`, or synthetic speech where that is None, and own recordings.

    Raises:
        TinymlError: unusable words or data.
    """
    corpus = _with_note(_load(recipe), recipe)
    own = recipe.recordings
    if own.path is None:
        return corpus
    rate_hz = recipe.features.sample_rate_hz
    return recordings.add(corpus, Path(own.path), recipe.words, rate_hz, own.clip_weight, own.most_share)


def _with_note(corpus: Corpus, recipe: KwsRecipe) -> Corpus:
    root = recipe.streams.recordings
    if root is None:
        return corpus
    count = len(negatives.listed(Path(root), recipe.words))
    note = f"windows of {counted(count, 'recording')} without the words, of {Path(root).name}"
    return replace(corpus, notes=(*corpus.notes, note))


def _load(recipe: KwsRecipe) -> Corpus:
    if recipe.data_path is None:
        settings = recipe.synthesis
        return _with_silence(_synthesise(recipe, settings.clips_per_word, settings.unknown_clips), recipe)
    corpus = folder.read_folder(
        Path(recipe.data_path),
        recipe.words,
        recipe.features.sample_rate_hz,
        recipe.clip_samples,
        _CLIPS_PER_LABEL,
    )
    if not (corpus.clips.labels == UNKNOWN).any():
        corpus = _with_synthetic_unknown(corpus, recipe)
    if recipe.augmentation.recorded.synthesis_share:
        corpus = _with_synthetic_voices(corpus, recipe)
    return corpus if (corpus.clips.labels == SILENCE).any() else _with_silence(corpus, recipe)


def _synthesise(
    recipe: KwsRecipe, clips_per_word: int, unknown_clips: int, skip_unsayable: bool = False
) -> Corpus:
    return synthesis.synthesise(
        recipe.words,
        clips_per_word,
        unknown_clips,
        kws_languages.voices(recipe),
        recipe.features.sample_rate_hz,
        recipe.clip_samples,
        recipe.seed,
        kws_languages.of_recipe(recipe),
        skip_unsayable,
    )


def _with_silence(corpus: Corpus, recipe: KwsRecipe) -> Corpus:
    """Adds generated silence: enough groups for every split."""
    count = max(200, len(corpus.clips) // 10)
    samples = corpus.clips.audio.shape[1]
    bed = augment.NoiseBed(corpus.noises, np.empty((0, samples), np.int16))
    rng = np.random.default_rng([recipe.seed, 2])
    audio = augment.quiet_rooms(count, samples, bed, recipe.features.sample_rate_hz, rng)
    names = np.full(count, SILENCE)
    silence = ClipSet(audio, names, names, np.array([f"generated/{i}" for i in range(count)]))
    notes = (*corpus.notes, "silence generated")
    return replace(corpus, clips=join([corpus.clips, silence]), notes=notes)


def _with_synthetic_unknown(corpus: Corpus, recipe: KwsRecipe) -> Corpus:
    """Gives a folder of nothing but target words other words to tell them from."""
    console.info("The data folder has no other words: `unknown` is synthetic speech.")
    pronunciation.tell_default(recipe.words, recipe.synthesis.language)
    amount = max(200, round(len(corpus.clips) / len(recipe.words) * recipe.unknown_share))
    spoken = _synthesise(recipe, 0, amount)
    notes = (*corpus.notes, *spoken.notes)
    return replace(
        corpus,
        clips=join([corpus.clips, spoken.clips]),
        notes=notes,
        fixed_splits={**corpus.fixed_splits, **spoken.fixed_splits},
        languages=spoken.languages,
    )


def _with_synthetic_voices(corpus: Corpus, recipe: KwsRecipe) -> Corpus:
    """Adds synthetic voices, for training alone, which say a share of the examples of every spoken label."""
    share = recipe.augmentation.recorded.synthesis_share
    settings = recipe.synthesis
    pronunciation.tell_default(recipe.words, recipe.synthesis.language)
    spoken = _synthesise(recipe, settings.clips_per_word, settings.unknown_clips, skip_unsayable=True)
    weights = np.zeros(len(spoken.clips))
    for label in set(spoken.clips.labels):
        rows = spoken.clips.labels == label
        recorded = corpus.clips.weigh()[corpus.clips.labels == label].sum()
        weights[rows] = share / (1 - share) * recorded / rows.sum()
    settled: dict[str, splits.Split] = {str(group): "train" for group in spoken.clips.groups}
    return replace(
        corpus,
        clips=join([corpus.clips, spoken.clips.weighted(weights)]),
        notes=(*corpus.notes, *spoken.notes),
        fixed_splits={**corpus.fixed_splits, **settled},
        languages=spoken.languages,
    )
