"""Keyword spotting: from clips of speakers to balanced feature maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml_cli.data.clips import SILENCE, UNKNOWN, ClipSet
from tinyml_cli.data.folder import balanced_rows
from tinyml_cli.features.audio_frontend import extract_batch
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.training.examples import Examples


def training_quotas(clips: ClipSet, recipe: KwsRecipe) -> dict[str, int]:
    """How many examples of each label to make: every word equally often."""
    weights = clips.weigh()
    spoken = [float(weights[clips.labels == word].sum()) for word in recipe.words]
    per_word = round(np.mean(spoken) * recipe.augmentation.copies)
    quotas = dict.fromkeys(recipe.words, per_word)
    quotas[UNKNOWN] = round(per_word * recipe.unknown_share)
    quotas[SILENCE] = round(per_word * len(recipe.words) * recipe.silence_share)
    return quotas


def balanced(clips: ClipSet, labels: Sequence[str], limit: int | None = None) -> ClipSet:
    """The same number of clips of every label that occurs; "unknown" takes each of its words in turn.

    Args:
        clips: what there is.
        labels: the labels that count.
        limit: at most so many of each.
    """
    present = {label: np.flatnonzero(clips.labels == label) for label in labels}
    present = {label: rows for label, rows in present.items() if len(rows)}
    if not present:
        return clips.take(np.empty(0, int))
    count = min(len(rows) for rows in present.values())
    if limit is not None:
        count = min(count, limit)
    chosen = []
    for rows in present.values():
        names = [f"{clips.words[r]}/{clips.groups[r]}/{r}" for r in rows]
        chosen += [int(rows[i]) for i in balanced_rows([str(clips.words[r]) for r in rows], count, names)]
    return clips.take(np.array(sorted(chosen)))


def plain_examples(clips: ClipSet, labels: Sequence[str], settings: AudioFrontendSettings) -> Examples:
    """Feature maps of clips as they are."""
    place = {label: index for index, label in enumerate(labels)}
    indices = np.array([place[str(label)] for label in clips.labels], np.int64)
    return Examples(extract_batch(clips.audio, settings), indices)
