"""What an attack has to know of a run: items as a sensor gives them, and what the board makes of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.build.target import BuildTarget
from tinyml_cli.evaluation.embed import features_uri
from tinyml_cli.evaluation.frame import Evaluation
from tinyml_cli.evaluation.of_labels import LabelEvaluation
from tinyml_cli.outcomes.evaluations import OnDevice
from tinyml_cli.pages.augmented import Look
from tinyml_cli.pages.contact_sheet import pixels_uri

NOTHING = -1
"""In place of a label: the board reports nothing."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class AttackSurface(ABC):
    """A run's held-out items, and what its board makes of them.

    Attributes:
        evaluation: of the run.
        names: the labels.
        items: integers [n, ...], as the sensor gives them.
        labels: int64 [n].
        unit: what counts as 1 in the energy of an item; broadcasts to an item.
        silent: labels that the board shows by reporting nothing.
        sample_rate_hz: of sound; None for all else, which has no rooms.
        suffix: of a file that holds an item.
        look: how an item is drawn.
        static_rms: level of noise that can stand in for an item; None where that means nothing.
        plays: whether items can be given to a board.
        has_slope: whether there is a stand-in for the features; without one, only scores lead on.
    """

    unit: float | FloatArray = 1.0
    silent: tuple[int, ...] = ()
    sample_rate_hz: int | None = None
    suffix: str
    look: Look
    static_rms: float | None = None
    plays: bool = False
    has_slope: bool = True

    def __init__(
        self,
        evaluation: Evaluation[Any, Any, Any],
        names: Sequence[str],
        items: npt.NDArray[Any],
        labels: IntArray,
    ) -> None:
        self.evaluation = evaluation
        self.names = tuple(names)
        self.items = items
        self.labels = labels

    @abstractmethod
    def scores(self, items: npt.NDArray[Any]) -> FloatArray:
        """The int8 model's, float64 [n, looks, labels]."""

    @abstractmethod
    def reported(self, items: npt.NDArray[Any]) -> IntArray:
        """What the board reports of items: int64 [n], a label or NOTHING."""

    @abstractmethod
    def read(self, path: Path) -> npt.NDArray[Any]:
        """An item of the user's, [1, ...].

        Raises:
            TinymlError: it cannot be read.
        """

    @abstractmethod
    def write(self, path: Path, item: npt.NDArray[Any]) -> None:
        """Writes an item so that a board can be given it."""

    @abstractmethod
    def shown(self, item: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """An item as `look` draws it."""

    def picture(self, item: npt.NDArray[Any]) -> str:
        """A data URI to look at; empty where there is none."""
        if self.look == "image":
            return pixels_uri(self.shown(item))
        return features_uri(self.shown(item)) if self.look == "features" else ""

    def sound(self, item: npt.NDArray[Any]) -> str:
        """A data URI to listen to; empty where there is nothing to hear."""
        return ""

    def inputs(self, items: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """The board's integers as the float model takes them, float32 [n, looks, ...]."""
        raise NotImplementedError

    def stand_in(self) -> Any:
        """A differentiable function of TensorFlow: float32 [n, ...] -> what the float model takes,
        [n, looks, ...]; see attack/surrogate.py."""
        raise NotImplementedError

    def signal(self, items: npt.NDArray[Any]) -> FloatArray:
        """Items in units and without what is constant, which hides nothing: float64 [n, ...]."""
        values = items / np.asarray(self.unit, np.float64)
        axes = tuple(range(1, values.ndim - 1)) or (1,)
        centred: FloatArray = values - values.mean(axis=axes, keepdims=True)
        return centred

    def to_items(self, values: FloatArray) -> npt.NDArray[Any]:
        """Rounded and within what the sensor can give."""
        limits = np.iinfo(self.items.dtype)
        return np.clip(np.rint(values), limits.min, limits.max).astype(self.items.dtype)

    def answers(self, items: npt.NDArray[Any]) -> IntArray:
        """The int8 model's to the look in the middle, int64 [n]."""
        scores = self.scores(items)
        chosen: IntArray = scores[:, scores.shape[1] // 2].argmax(axis=1)
        return chosen

    def is_reported(self, reported: IntArray, label: int | IntArray) -> npt.NDArray[np.bool_]:
        """Whether what a board reported of each item means a label; bool [n]."""
        met: npt.NDArray[np.bool_] = reported == label
        met |= (reported == NOTHING) & np.isin(label, self.silent)
        return met

    def on_board(
        self, target: BuildTarget, items: npt.NDArray[Any], advance: Any
    ) -> tuple[OnDevice, IntArray]:
        """What firmware on a board reports of items: int64 [n], a label or NOTHING.

        Raises:
            TinymlError: no board, or one that does not answer.
        """
        raise NotImplementedError


class LabelSurface(AttackSurface):
    """Of models that tell labels apart.

    Attributes:
        evaluation: of the run; knows the model.
    """

    evaluation: LabelEvaluation[Any, Any]

    def __init__(
        self, evaluation: LabelEvaluation[Any, Any], items: npt.NDArray[Any], labels: IntArray
    ) -> None:
        super().__init__(evaluation, evaluation.labels, items, labels)

    @abstractmethod
    def features(self, items: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The board's integers [n, looks, ...]: what its model looks at while an item lasts."""

    def inputs(self, items: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        features = self.features(items)
        real = self.evaluation.real(features.reshape(-1, *features.shape[2:]))
        return np.asarray(real, np.float32).reshape(*features.shape[:2], *real.shape[1:])

    def scores(self, items: npt.NDArray[Any]) -> FloatArray:
        features, model = self.features(items), self.evaluation.model
        outputs = model.run(model.inputs(features.reshape(-1, *features.shape[2:])))
        return model.scores(outputs).reshape(*features.shape[:2], -1)

    def shown(self, item: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """What the model sees of it."""
        seen: npt.NDArray[Any] = self.features(item[None])
        middle: npt.NDArray[Any] = seen[0, seen.shape[1] // 2]
        return middle
