"""Keyword spotting: checks of a recipe before any clip is read or synthesised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import checks
from tinyml_cli.data import folder, official_lists, recordings, splits
from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import cache_dir
from tinyml_cli.models import options
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.run import Run
from tinyml_cli.speech import espeak, kokoro_files, reading
from tinyml_cli.speech import plan as speech_plan
from tinyml_cli.tasks.kws import federation, negatives
from tinyml_cli.tasks.kws import languages as kws_languages
from tinyml_cli.user_text import is_spoken

# Synthetic voices prove little about people, so only a few are kept away from training.
_SYNTHETIC_HELD_OUT_SHARE = 0.1
_LONGEST_WORD = 40


def check(recipe: KwsRecipe) -> None:
    """Words, model, data folder, clips of each split, voices, teachers and room on the disk.

    Raises:
        TinymlError: what would stop the training later.
    """
    check_words(recipe.words)
    negatives.check(recipe)
    federation.check(recipe)
    _check_languages(recipe)
    options.check(recipe.model.name, recipe.model.options)
    for teacher in recipe.distillation.teachers:
        Run.open(teacher).manifest()
    if recipe.recordings.path is not None:
        checks.data_folder(Path(recipe.recordings.path), "--add-recordings")
        recordings.list_own(Path(recipe.recordings.path), recipe.words)
    if recipe.data_path is not None:
        checks.data_folder(Path(recipe.data_path))
        _check_folder(Path(recipe.data_path), recipe)
    else:
        _check_synthesis(recipe)


def check_words(words: list[str]) -> None:
    """Refuses words that cannot be labels.

    Raises:
        TinymlError: none, one typed twice, a reserved or an unusable one.
    """
    if not words:
        raise TinymlError("No words given", "--words", "For example: --words yes,no")
    twice = [word for word, count in Counter(words).items() if count > 1]
    if twice:
        raise TinymlError(f"The word `{twice[0]}` is listed twice", "--words", "List each word once.")
    for word in words:
        if word.lower() in (SILENCE, UNKNOWN):
            raise TinymlError(
                f"`{word}` is already a label of every model", "--words", "Remove it from the words."
            )
        if not _is_word(word):
            raise TinymlError(
                f"`{word}` is not a valid word",
                "--words",
                "Use letters and digits, with spaces, hyphens or apostrophes inside, at most 40 characters.",
            )


def _is_word(word: str) -> bool:
    return 0 < len(word) <= _LONGEST_WORD and word[0].isalnum() and is_spoken(word)


def split(
    labels: NDArray[np.str_] | Sequence[str],
    groups: NDArray[np.str_] | Sequence[str],
    fixed: Mapping[str, splits.Split],
    recipe: KwsRecipe,
) -> NDArray[np.str_]:
    """The split of each clip, str [clips].

    Args:
        labels: of each clip.
        groups: the speaker of each.
        fixed: speakers whose split is settled.
        recipe: gives words and shares.

    Raises:
        TinymlError: a split would have no clip of a word.
    """
    validation, test = shares(recipe)
    more = (
        "Synthesise more clips: --set "
        f"synthesis.clips_per_word={max(100, 2 * recipe.synthesis.clips_per_word)}"
    )
    remedy = splits.REMEDY if recipe.data_path else more
    where = splits.split_groups(map(str, groups), validation, test, fixed, remedy)
    named = np.asarray(labels)
    for part in (s for s in splits.SPLITS if s != "test" or test > 0):
        missing = set(recipe.words) - {str(label) for label in named[where == part]}
        if missing:
            raise TinymlError(
                f"The split by speaker leaves no clip of `{min(missing)}` for {part}",
                recipe.data_path or "synthetic speech",
                remedy,
            )
    return where


def shares(recipe: KwsRecipe) -> tuple[float, float]:
    """(validation, test) shares of speakers."""
    training = recipe.training
    if recipe.data_path is not None:
        return training.validation_share, training.test_share
    limit = _SYNTHETIC_HELD_OUT_SHARE
    return min(training.validation_share, limit), min(training.test_share, limit)


def _check_folder(root: Path, recipe: KwsRecipe) -> None:
    """The folder's words, and whether its speakers suffice for each split; nothing is read."""
    found = folder.list_to_train(root, recipe.words)
    if recipe.recordings.path is not None:
        return  # whose speakers may fill what this folder leaves empty
    if not any(r.label == UNKNOWN for r in found):
        # Other words will be synthetic.
        _check_engines(recipe)
        found = [r for r in found if r.label in recipe.words]
    labels, groups = [r.label for r in found], [r.group for r in found]
    where = split(labels, groups, official_lists.read(root), recipe)
    trained = np.flatnonzero(where == "train")
    federation.check_speakers([labels[row] for row in trained], [groups[row] for row in trained], recipe)


def _check_synthesis(recipe: KwsRecipe) -> None:
    """The plan of what would be spoken by whom: it decides the split."""
    _check_engines(recipe)
    of = recipe.synthesis
    clips = of.clips_per_word * len(recipe.words) + of.unknown_clips
    clips += recipe.streams.speech + recipe.streams.kokoro_speech if recipe.streams.hours else 0
    # The cache keeps each word without its silence: half a second on average.
    checks.room(cache_dir(), clips * recipe.features.sample_rate_hz, "the spoken clips in the cache")
    how = kws_languages.of_recipe(recipe)
    said = reading.read(recipe.words, how)
    planned = speech_plan.plan(
        said,
        recipe.words,
        of.clips_per_word,
        of.unknown_clips,
        kws_languages.voices(recipe),
        recipe.seed,
        how,
    )
    groups = [each.group for each in planned]
    split([each.label for each in planned], groups, speech_plan.fixed_splits(groups), recipe)


def _check_languages(recipe: KwsRecipe) -> None:
    """Those that the recipe names, whether or not anything will be spoken."""
    of = recipe.synthesis
    if espeak.is_installed() and (of.language or of.pronounce):
        kws_languages.of_recipe(recipe).check(recipe.words)


def _check_engines(recipe: KwsRecipe) -> None:
    espeak.require()
    kws_languages.of_recipe(recipe).check(recipe.words)
    for voice in recipe.synthesis.kokoro_voices:
        kokoro_files.check_voice(voice, "synthesis.kokoro_voices")
    if "kokoro" in recipe.synthesis.engines:
        kokoro_files.require()
