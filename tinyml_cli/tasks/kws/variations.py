"""Keyword spotting: random variations of the clips of each label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import augment
from tinyml_cli.data.clips import SILENCE, UNKNOWN, ClipSet
from tinyml_cli.recipes.kws import AugmentationRecipe, KwsRecipe
from tinyml_cli.speech.plan import is_synthetic

Audio = NDArray[np.int16]

# Share of silence that is generated where recorded silence exists, and of "unknown" that is two half words.
_GENERATED_SILENCE_SHARE = 0.4
_NEIGHBOUR_SHARE = 0.1
# How far words of each kind may slide out of the window.
_OVERHANG_MS, _UNKNOWN_OVERHANG_MS = 60.0, 200.0


class Variations:
    """Makes variations of one split's clips; what it makes depends on its arguments alone."""

    def __init__(
        self, clips: ClipSet, noises: Sequence[Audio], recipe: KwsRecipe, seed: Sequence[int]
    ) -> None:
        """Keeps what variations are made of.

        Args:
            clips: clips of the speakers of one split.
            noises: recordings to lie under them.
            recipe: augmentation and features.
            seed: fixes the order in which clips take their turns.
        """
        self.samples = clips.audio.shape[1]
        self._rate_hz = recipe.features.sample_rate_hz
        self._stride = recipe.features.stride_samples
        self._seed = list(seed)
        self._bed = augment.NoiseBed(tuple(noises), clips.audio[clips.labels == UNKNOWN])
        self._clips = {label: clips.take(clips.labels == label) for label in recipe.model_labels}
        self._synthetic = recipe.augmentation
        self._recorded = recorded_augmentation(recipe)
        self._hard: dict[str, Audio] = {}
        self._hard_share = recipe.hard_negatives.share

    def use_hard(self, label: str, audio: Audio) -> None:
        """From now on calls with `hard` make a share of a label's variations out of these clips."""
        self._hard[label] = audio

    def make(self, label: str, start: int, count: int, hard: bool, rng: np.random.Generator) -> Audio:
        """Variations of a label's clips, which take their turns in a shuffled order, by their weights.

        Args:
            label: of the model.
            start: the place in the endless order of turns.
            count: how many.
            hard: whether hard clips take part.
            rng: source of chance.

        Returns:
            int16 [count, lead-in + samples]; the lead-in is drawn too, and a whole number of strides.
        """
        clips = self._clips[label]
        lead_in = self._draw_lead_in(rng)
        whole = lead_in + self.samples
        if len(clips) == 0:
            return augment.quiet_rooms(count, whole, self._bed, self._rate_hz, rng)
        rows = self._turns(clips, start, count)
        chosen = clips.audio[rows]
        synthetic = np.array([is_synthetic(group) for group in clips.groups[rows]], bool)
        if label == UNKNOWN:
            mixed = rng.random(count) < _NEIGHBOUR_SHARE
            chosen[mixed] = augment.neighbours(clips.audio, int(mixed.sum()), rng)
        if hard and len(self._hard.get(label, ())):
            replaced = rng.random(count) < self._hard_share
            found = self._hard[label]
            chosen[replaced] = found[rng.integers(len(found), size=int(replaced.sum()))]
        if label == SILENCE:
            made = self._vary(chosen, synthetic, 0.0, lead_in, rng)
            generated = rng.random(count) < _GENERATED_SILENCE_SHARE
            made[generated] = augment.quiet_rooms(int(generated.sum()), whole, self._bed, self._rate_hz, rng)
            return made
        overhang_ms = _UNKNOWN_OVERHANG_MS if label == UNKNOWN else _OVERHANG_MS
        return self._vary(chosen, synthetic, overhang_ms, lead_in, rng)

    def _draw_lead_in(self, rng: np.random.Generator) -> int:
        """Samples heard before the clips of one call."""
        settings = self._synthetic.lead_in
        if settings.cold_share == 1 or rng.random() < settings.cold_share:
            return 0
        seconds = rng.uniform(*settings.seconds)
        return round(seconds * self._rate_hz / self._stride) * self._stride

    def _vary(
        self,
        audio: Audio,
        synthetic: NDArray[np.bool_],
        overhang_ms: float,
        lead_in: int,
        rng: np.random.Generator,
    ) -> Audio:
        made = np.empty((len(audio), lead_in + self.samples), np.int16)
        for rows, settings in ((synthetic, self._synthetic), (~synthetic, self._recorded)):
            if rows.any():
                made[rows] = augment.augment(
                    audio[rows], settings, self._bed, self._rate_hz, rng, overhang_ms, lead_in
                )
        return made

    def _turns(self, clips: ClipSet, start: int, count: int) -> NDArray[np.intp]:
        """Rows of the clips that are at turn `start` and after."""
        weights = clips.weigh()
        per_round = max(1, round(float(weights.sum())))
        rounds = range(start // per_round, (start + count - 1) // per_round + 1)
        order = [_round(weights, per_round, [*self._seed, 999, number]) for number in rounds]
        return np.concatenate(order)[start % per_round :][:count]


def _round(weights: NDArray[np.float64], size: int, seed: Sequence[int]) -> NDArray[np.intp]:
    """Each row about `weight` times (systematic sampling), shuffled; intp [size]."""
    rng = np.random.default_rng(seed)
    edges = np.cumsum(weights) / weights.sum() * size
    rows = np.searchsorted(edges, np.arange(size) + rng.random(), side="right")
    return rng.permutation(np.minimum(rows, len(weights) - 1))


def recorded_augmentation(recipe: KwsRecipe) -> AugmentationRecipe:
    """What recordings of people are given."""
    settings = recipe.augmentation
    update = settings.recorded.model_dump(exclude={"synthesis_share"})
    return settings.model_copy(update=update)
