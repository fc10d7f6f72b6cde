"""The wand under attack: the points of a stroke, or the samples of a window of motion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli import recipes
from tinyml_cli.attack.surface import IntArray, LabelSurface
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.frame import section
from tinyml_cli.pages.augmented import Look
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.run import RECIPE
from tinyml_cli.tasks.wand.evaluate import GestureEvaluation
from tinyml_cli.tasks.wand.held_out import LabelledGestures
from tinyml_cli.tasks.wand.motion_file import write_motion
from tinyml_cli.tasks.wand.sources import source_of
from tinyml_cli.tasks.wand.strokes import LabelledStroke, write_strokes
from tinyml_cli.tasks.wand.threshold import answers

_POINTS = 64


class AttackedTakes(LabelSurface):
    """What strokes and motion share: a take is judged once, with the threshold."""

    def __init__(
        self, evaluation: GestureEvaluation, found: LabelledGestures, items: npt.NDArray[Any]
    ) -> None:
        super().__init__(evaluation, items, found.labels)
        self._recipe = recipes.load_as(evaluation.run.file(RECIPE), WandRecipe)
        self._gesture = section(evaluation.run, evaluation.manifest.gesture, "gesture")
        self._source = source_of(self._recipe)

    def features(self, items: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return self._source.features(list(items), self._recipe)[:, None]

    def reported(self, items: npt.NDArray[Any]) -> IntArray:
        """The label that scores best and enough; else unknown."""
        return answers(self.scores(items)[:, 0], self._gesture.threshold)

    def _first(self, path: Path) -> npt.NDArray[Any]:
        data = self.evaluation.manifest.data
        found = self._source.read(path, self._recipe, {} if data is None else data.units).items
        if not len(found):
            raise TinymlError("The file contains no motion", str(path), "Give --item another one.")
        return found[0]


class AttackedStrokes(AttackedTakes):
    """Strokes int8 [n, 64, 2]: every one is thinned or filled to as many points, so that they stack."""

    suffix = ".json"
    look: Look = "image"

    def __init__(self, evaluation: GestureEvaluation) -> None:
        found = evaluation.load()
        super().__init__(evaluation, found, np.stack([_even(take) for take in found.takes]))

    def stand_in(self) -> Any:
        from tinyml_cli.attack.surrogate import strokes

        return strokes(self._recipe.stroke.rotation_invariant)

    def read(self, path: Path) -> npt.NDArray[Any]:
        """The first stroke of a file."""
        return _even(self._first(path))[None]

    def write(self, path: Path, item: npt.NDArray[Any]) -> None:
        """A file of one stroke."""
        write_strokes(path, [LabelledStroke(item, "attack", path.name)])


class AttackedMotion(AttackedTakes):
    """Windows int16 [n, samples, 6]; energy counts in what is 1 to the model, for g and rotation alike."""

    suffix = ".csv"
    look: Look = "motion"

    def __init__(self, evaluation: GestureEvaluation) -> None:
        found = evaluation.load()
        super().__init__(evaluation, found, np.asarray(found.features))
        self.unit = np.array(self._recipe.imu.deviations)

    def stand_in(self) -> Any:
        from tinyml_cli.attack.surrogate import linear

        return linear(1 / np.array(self._recipe.imu.deviations), channel=True)

    def read(self, path: Path) -> npt.NDArray[Any]:
        """The first window of a file."""
        return self._source.features([self._first(path)], self._recipe)

    def write(self, path: Path, item: npt.NDArray[Any]) -> None:
        """A table of motion."""
        write_motion(path, item, self._gesture.rate_hz)


def _even(points: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """A stroke as 64 points, evenly along its samples."""
    at = np.linspace(0, len(points) - 1, _POINTS)
    columns = [np.interp(at, np.arange(len(points)), points[:, side]) for side in (0, 1)]
    return np.rint(np.stack(columns, axis=-1)).astype(np.int8)
