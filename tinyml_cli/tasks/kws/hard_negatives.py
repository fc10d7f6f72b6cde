"""Keyword spotting: false accepts of a half-trained model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data.clips import SILENCE, UNKNOWN, ClipSet
from tinyml_cli.recipes.kws import RESERVED_LABELS, KwsRecipe
from tinyml_cli.tasks.kws.lead_in import as_trained
from tinyml_cli.tasks.kws.pool import ExamplePool
from tinyml_cli.tasks.kws.stream_windows import StreamWindows
from tinyml_cli.tasks.kws.variations import Variations
from tinyml_cli.training.fit import predict
from tinyml_cli.wording import counted

if TYPE_CHECKING:
    import keras

Audio = NDArray[np.int16]

# Windows of background audio overlap by three quarters, as a listening device's do.
_HOPS_PER_CLIP = 4
_BATCH = 512
_MOST_WINDOWS = 4000


class HardNegatives:
    """Searches other words, silence and background recordings for false accepts (training.trainer.Miner)."""

    def __init__(
        self,
        clips: ClipSet,
        noises: Sequence[Audio],
        variations: Variations,
        pool: ExamplePool,
        recipe: KwsRecipe,
        streams: StreamWindows | None = None,
    ) -> None:
        """Keeps where to search.

        Args:
            clips: clips of the training speakers.
            noises: recordings of background.
            variations: gets what was found.
            pool: is told from which epoch on.
            recipe: epochs, features and the section hard_negatives.
            streams: windows to search too, which get what was found in them.
        """
        self._recipe = recipe
        self._variations = variations
        self._pool = pool
        self._streams = streams
        windows = _windows(noises, clips.audio.shape[1])
        unknown, silence = (clips.audio[clips.labels == label] for label in (UNKNOWN, SILENCE))
        self._candidates = np.concatenate([unknown, silence, windows])
        self._is_speech = np.arange(len(self._candidates)) < len(unknown)

    @property
    def after_epochs(self) -> int:
        """The number of epochs after which to search."""
        return max(1, round(self._recipe.training.epochs * self._recipe.hard_negatives.after))

    def seek(self, model: keras.Model) -> list[int]:
        """Numbers of the candidates that score highest as a word, the worst first; then those of streams."""
        found = self._seek_clips(model) if self._recipe.hard_negatives.share else []
        if self._streams is not None and self._recipe.streams.hard_share:
            found += self._seek_windows(model, self._streams)
        return found

    def _seek_clips(self, model: keras.Model) -> list[int]:
        settings = self._recipe.hard_negatives
        worst = _word_scores(
            model,
            (
                as_trained(self._candidates[start : start + _BATCH], self._recipe)
                for start in range(0, len(self._candidates), _BATCH)
            ),
        )
        found: list[int] = []
        for speech in (True, False):
            rows = np.flatnonzero((worst >= settings.threshold) & (self._is_speech == speech))
            found += rows[np.argsort(-worst[rows], kind="stable")][: settings.limit].tolist()
        console.info(f"Hard negatives (clips and windows) added to training: {len(found)} of {len(worst):,}.")
        return found

    def _seek_windows(self, model: keras.Model, streams: StreamWindows) -> list[int]:
        rows = streams.negatives(self._recipe.recognizer.inference_stride_frames)
        blocks = (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))
        worst = _word_scores(model, (streams.windows(block) for block in blocks))
        wrong = np.flatnonzero(worst >= self._recipe.hard_negatives.threshold)
        wrong = wrong[np.argsort(-worst[wrong], kind="stable")][:_MOST_WINDOWS]
        console.info(
            f"False accepts in {streams.hours:.1f} h of streams added to training: {len(wrong):,} of "
            f"{counted(len(rows), 'window')}."
        )
        return [len(self._candidates) + int(row) for row in rows[wrong]]

    def use(self, found: list[int]) -> None:
        """Puts them among the examples of later epochs.

        The blocks of the next epoch are being made already, so the one after it is the first.
        """
        numbers = np.array(found, np.intp)
        rows = numbers[numbers < len(self._candidates)]
        for label, speech in ((UNKNOWN, True), (SILENCE, False)):
            self._variations.use_hard(label, self._candidates[rows[self._is_speech[rows] == speech]])
        self._pool.use_hard_from(self.after_epochs + 1)
        if self._streams is not None:
            windows = numbers[numbers >= len(self._candidates)] - len(self._candidates)
            self._streams.use_hard(windows, self._recipe.streams.hard_share, self.after_epochs)


def _word_scores(model: keras.Model, blocks: Iterable[NDArray[np.uint16]]) -> NDArray[np.float32]:
    """The highest score of a word for feature maps uint16 [examples, frames, channels] each."""
    scores = [predict(model, block)[:, len(RESERVED_LABELS) :].max(axis=1) for block in blocks]
    return np.concatenate(scores) if scores else np.empty(0, np.float32)


def _windows(noises: Sequence[Audio], samples: int) -> Audio:
    """Overlapping clips of recordings, int16 [windows, samples]."""
    hop = samples // _HOPS_PER_CLIP
    cut = [
        noise[start : start + samples]
        for noise in noises
        for start in range(0, len(noise) - samples + 1, hop)
    ]
    return np.stack(cut) if cut else np.empty((0, samples), np.int16)
