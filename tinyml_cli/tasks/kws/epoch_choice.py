"""Which of the last epochs to keep: the one that hears most in streams at few false accepts an hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinyml_cli.data.clips import ClipSet
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.tasks.kws.busy_streams import BusyStream, BusyStreams
from tinyml_cli.tasks.kws.default_point import STREAM_S, choosing_streams, listen, listen_for_nothing
from tinyml_cli.tasks.kws.operating_point import THRESHOLDS, OperatingPointTrial
from tinyml_cli.tflite.interpret import Int8Array
from tinyml_cli.training.fit import predict

if TYPE_CHECKING:
    import keras

_FROM = 0.8  # share of the epochs before the first that is judged
_STREAMS = 3
# Half an hour shows no difference at one rate; the mean over several is steadier.
_RECORDED_HOURS = 0.5
_TIMES_ALLOWED = (1, 4, 16, 64)
_OUTPUT = TensorQuantization(scale=1 / 256, zero_point=-128)


def chooser(
    recipe: KwsRecipe, validation: ClipSet, noises: Sequence[npt.NDArray[np.int16]]
) -> StreamRecall | None:
    """What chooses the epoch; None where the recipe has no choosing hours or trains on recordings."""
    if not recipe.operating_point.hours or recipe.data_path is not None:
        return None
    return StreamRecall(choosing_streams(recipe, validation, noises), recipe)


class StreamRecall:
    """Recall in streams at `max_fa_per_hour` and multiples of it, the mean (training.trainer.Chooser)."""

    def __init__(self, streams: BusyStreams, recipe: KwsRecipe) -> None:
        """Makes no stream yet.

        Args:
            streams: of voices that never train.
            recipe: epochs, recogniser and allowance.
        """
        self._streams = streams
        self._made: list[BusyStream] = []
        self._recipe = recipe
        self._allowed = recipe.operating_point.max_fa_per_hour
        self._epochs = recipe.training.epochs
        self._manifest = Manifest(
            task="kws",
            seed=recipe.seed,
            labels=recipe.model_labels,
            features=recipe.features,
            clip_ms=recipe.clip_ms,
            recognizer=recipe.recognizer,
        )

    @property
    def from_epoch(self) -> int:
        """The first epoch to judge, counted from 1."""
        return max(1, round(_FROM * self._epochs))

    def score(self, model: keras.Model) -> float:
        """The mean recall, 0 to 1."""
        self._made = self._made or [self._streams.make(number, STREAM_S) for number in range(_STREAMS)]
        rounded = _Rounded(model)
        heard = listen(self._made, rounded, self._manifest)
        heard += listen_for_nothing(self._recipe, _RECORDED_HOURS, rounded, self._manifest)
        trial = OperatingPointTrial(heard, _OUTPUT, self._manifest.labels)
        settings = self._manifest.recognizer
        tallies = [
            trial.tally(settings.model_copy(update={"threshold": permille / 1000})) for permille in THRESHOLDS
        ]
        recalls = []
        for times in _TIMES_ALLOWED:
            within = [each for each in tallies if each.false_accepts_per_hour <= times * self._allowed]
            recalls.append(max((1 - each.misses / max(1, each.targets) for each in within), default=0.0))
        return float(np.mean(recalls))


class _Rounded:
    """A float model whose scores are rounded like those of int8 (stream_scores.WindowModel)."""

    def __init__(self, model: keras.Model) -> None:
        self._model = model

    def inputs(self, features: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
        return features

    def run(self, inputs: npt.NDArray[np.uint16]) -> Int8Array:
        scores = np.rint(predict(self._model, inputs) / _OUTPUT.scale) + _OUTPUT.zero_point
        rounded: Int8Array = scores.clip(-128, 127).astype(np.int8)
        return rounded
