"""Keyword spotting: from clips of speakers to balanced, augmented feature maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import augment
from tinyml_cli.data.clips import SILENCE, UNKNOWN, ClipSet
from tinyml_cli.data.folder import balanced_rows
from tinyml_cli.features.audio_frontend import extract_batch
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.training.examples import Examples

Audio = NDArray[np.int16]

_BATCH = 128
# NumPy's transforms and the C front end let go of the interpreter lock, so two threads use two cores.
_THREADS = 2
# Share of silence that is generated where recorded silence exists, and of "unknown" that is two half words.
_GENERATED_SILENCE_SHARE = 0.4
_NEIGHBOUR_SHARE = 0.1
# How far words of each kind may slide out of the window.
_OVERHANG_MS, _UNKNOWN_OVERHANG_MS = 60.0, 200.0


def labels_of(words: Sequence[str]) -> list[str]:
    """Labels in the order of the model's outputs."""
    return [SILENCE, UNKNOWN, *words]


def training_quotas(clips: ClipSet, recipe: KwsRecipe) -> dict[str, int]:
    """How many examples of each label to make: every word equally often."""
    spoken = [int((clips.labels == word).sum()) for word in recipe.words]
    per_word = round(float(np.mean(spoken)) * recipe.augmentation.copies)
    quotas = dict.fromkeys(recipe.words, per_word)
    quotas[UNKNOWN] = round(per_word * recipe.unknown_share)
    quotas[SILENCE] = round(per_word * len(recipe.words) * recipe.silence_share)
    return quotas


def training_examples(
    clips: ClipSet, noises: Sequence[Audio], quotas: dict[str, int], recipe: KwsRecipe, seed: Sequence[int]
) -> Examples:
    """Augmented feature maps in the numbers that `quotas` says.

    Args:
        clips: clips of the speakers of one split.
        noises: recordings to lie under them.
        quotas: label -> examples.
        recipe: augmentation and features.
        seed: fixes everything.
    """
    bed = augment.NoiseBed(tuple(noises), clips.audio[clips.labels == UNKNOWN])
    jobs: list[tuple[int, Callable[[np.random.Generator], Audio]]] = []
    for index, label in enumerate(labels_of(recipe.words)):
        for start in range(0, quotas[label], _BATCH):
            count = min(_BATCH, quotas[label] - start)
            jobs.append((index, _maker(clips, label, start, count, bed, recipe, seed)))

    def work(number: int) -> NDArray[np.uint16]:
        audio = jobs[number][1](np.random.default_rng([*seed, number]))
        return extract_batch(audio, recipe.features)

    features, labels = [], []
    with (
        ThreadPoolExecutor(_THREADS) as pool,
        console.progress(sum(quotas.values()), "Making examples") as bar,
    ):
        for (index, _), made in zip(jobs, pool.map(work, range(len(jobs))), strict=True):
            features.append(made)
            labels.append(np.full(len(made), index, np.int64))
            bar.advance(len(made))
    return Examples(np.concatenate(features), np.concatenate(labels))


def _maker(
    clips: ClipSet,
    label: str,
    start: int,
    count: int,
    bed: augment.NoiseBed,
    recipe: KwsRecipe,
    seed: Sequence[int],
) -> Callable[[np.random.Generator], Audio]:
    """A function that makes `count` variations of a label's clips, going round them in a shuffled order."""
    source = clips.audio[clips.labels == label]
    rate_hz = recipe.features.sample_rate_hz
    samples = clips.audio.shape[1]

    def vary(audio: Audio, overhang_ms: float, rng: np.random.Generator) -> Audio:
        return augment.augment(audio, recipe.augmentation, bed, rate_hz, rng, overhang_ms)

    def make(rng: np.random.Generator) -> Audio:
        if len(source) == 0:
            return augment.quiet_rooms(count, samples, bed, rate_hz, rng)
        rounds = [
            _order(len(source), turn, seed)
            for turn in range(start // len(source), (start + count) // len(source) + 1)
        ]
        rows = np.concatenate(rounds)[start % len(source) :][:count]
        chosen = source[rows]
        if label == SILENCE:
            generated = rng.random(count) < _GENERATED_SILENCE_SHARE
            made = vary(chosen, 0.0, rng)
            made[generated] = augment.quiet_rooms(int(generated.sum()), samples, bed, rate_hz, rng)
            return made
        if label == UNKNOWN:
            mixed = rng.random(count) < _NEIGHBOUR_SHARE
            chosen[mixed] = augment.neighbours(source, int(mixed.sum()), rng)
            return vary(chosen, _UNKNOWN_OVERHANG_MS, rng)
        return vary(chosen, _OVERHANG_MS, rng)

    return make


def _order(count: int, turn: int, seed: Sequence[int]) -> NDArray[np.intp]:
    return np.random.default_rng([*seed, 999, turn]).permutation(count)


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
