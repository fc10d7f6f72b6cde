"""Which epoch is kept: recall in streams at few false accepts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.tasks.kws.test_default_point import whistles
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.features.audio_frontend import FEATURE_UNITS_PER_FLOAT
from tinyml_cli.recipes.kws import KwsRecipe, KwsTraining, OperatingPointRecipe
from tinyml_cli.run import MODEL_INT8

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

from tinyml_cli.tasks.kws import epoch_choice
from tinyml_cli.tasks.kws.epoch_choice import StreamRecall, chooser

RECIPE = KwsRecipe(words=["up", "down"], operating_point=OperatingPointRecipe(hours=1, max_fa_per_hour=10))


class Dulled:
    """A network that was trained on whistles, less sure the more it is dulled."""

    def __init__(self, run: Path, share: float) -> None:
        self._model = Int8Model((run / MODEL_INT8).read_bytes())
        self._share = share

    def predict_on_batch(self, inputs: np.ndarray) -> np.ndarray:
        features = np.rint(inputs[..., 0] * FEATURE_UNITS_PER_FLOAT).astype(np.uint16)
        scores = self._model.scores(self._model.run(self._model.inputs(features)))
        dull = np.array([0.5, 0.5, 0, 0])
        return ((1 - self._share) * scores + self._share * dull).astype(np.float32)


def test_a_network_that_hears_more_scores_more(whistle_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epoch_choice, "STREAM_S", 60)
    monkeypatch.setattr(epoch_choice, "_STREAMS", 1)
    choice = StreamRecall(whistles(RECIPE, "validation"), RECIPE)
    deaf, dull, sure = (choice.score(Dulled(whistle_run, share)) for share in (1.0, 0.8, 0.0))
    assert deaf == dull == 0, "no score of a word comes to a threshold"
    assert 0 < sure <= 1
    assert choice.score(Dulled(whistle_run, 0.0)) == sure


@pytest.mark.parametrize(("epochs", "first"), [(1, 1), (2, 2), (25, 20)])
def test_the_last_fifth_of_the_epochs_is_judged(epochs: int, first: int) -> None:
    recipe = RECIPE.model_copy(update={"training": KwsTraining(epochs=epochs)})
    assert StreamRecall(whistles(recipe, "validation"), recipe).from_epoch == first


def test_without_choosing_hours_the_last_epoch_is_kept() -> None:
    clips = whistles(RECIPE, "validation")._material.clips
    none = RECIPE.model_copy(update={"operating_point": OperatingPointRecipe()})
    people = RECIPE.model_copy(update={"data_path": "people"})
    assert chooser(none, clips, ()) is None
    assert chooser(people, clips, ()) is None
