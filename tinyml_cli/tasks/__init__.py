"""The interface of tasks. Commands use `Task`, never a particular one.

Third parties add tasks through the entry-point group `tinyml.tasks` (name -> a `Task` object).
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from tinyml_cli.errors import TinymlError, did_you_mean

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

    from tinyml_cli.data.clips import Corpus
    from tinyml_cli.manifest import Manifest
    from tinyml_cli.pages.items import Items
    from tinyml_cli.run import Run
    from tinyml_cli.training.checkpoint import Resume

_BUILT_IN = {
    "kws": "tinyml_cli.tasks.kws:KWS",
    "vww": "tinyml_cli.tasks.vww:VWW",
    "mask": "tinyml_cli.tasks.vww:MASK",
    "wand": "tinyml_cli.tasks.wand:WAND",
    "anomaly": "tinyml_cli.tasks.anomaly:ANOMALY",
}
_ENTRY_POINTS = "tinyml.tasks"


@dataclass(frozen=True)
class EvaluationSet:
    """Labelled items to judge a model by.

    Attributes:
        audio: the raw items, for example int16 [n, samples].
        features: what the firmware computes from them, uint16 [n, frames, channels].
        labels: int64 [n], index into the run's labels.
        groups: str [n], who or what each item comes from.
        note: one sentence: where they come from and how they were chosen.
        words: str [n], what each item really is where that is finer than its label; None where it is not.
        noises: recordings of background that belong to the items, int16 [samples] each.
        left_out: reason -> how many files of the folder are not used.
    """

    audio: NDArray[np.int16]
    features: NDArray[np.uint16]
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]
    note: str
    words: NDArray[np.str_] | None = None
    noises: Sequence[NDArray[np.int16]] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def raw(self) -> NDArray[Any]:
        """The raw items, or where a task keeps none, their features."""
        is_flat = not self.audio.size or self.audio.min() == self.audio.max()
        return self.features if is_flat else self.audio


@runtime_checkable
class Task(Protocol):
    """The same verbs for every kind of model.

    A task of another package may say in `recipe_schema` which class its recipes have. One whose items are not
    clips to be told apart has a method `evaluate(run, data_dir, split, options)` of its own. What reports
    call them says a method `items(manifest)`. One that can tell in a second or two that a recipe cannot be
    trained has a method `check(recipe)`, which raises TinymlError.
    """

    name: str

    def load_data(self, recipe: Any) -> Corpus:
        """Labelled items with group ids."""

    def extract_features(self, items: NDArray[Any], recipe: Any) -> NDArray[Any]:
        """Exactly what the firmware computes."""

    def build_model(self, recipe: Any) -> keras.Model:
        """An untrained model."""

    def augment(self, items: NDArray[Any], recipe: Any, rng: np.random.Generator) -> NDArray[Any]:
        """One random variation of each item."""

    def score(self, outputs: NDArray[Any], labels: NDArray[Any]) -> dict[str, float]:
        """What this task is judged by."""

    def train(self, run: Run, recipe: Any, resume: Resume | bool = False) -> dict[str, Any]:
        """Trains, writes model, recipe and manifest, and says how it went."""

    def calibration_samples(self, run: Run, recipe: Any, n: int, seed: int) -> NDArray[np.float32]:
        """Model inputs drawn from the training split only."""

    def load_evaluation_set(
        self, run: Run, data_dir: Path | None, split: Literal["test", "all"] | None = None
    ) -> EvaluationSet:
        """Items to judge the run's model by."""

    def write_replay(self, run: Run, clips_per_label: int) -> Path:
        """A folder with held-out items to play to a board."""


def get_task(name: str) -> Task:
    """Finds a task by name.

    Raises:
        TinymlError: there is none; the known ones are named.
    """
    sources: dict[str, Callable[[], Any]] = {
        point.name: point.load for point in metadata.entry_points(group=_ENTRY_POINTS)
    }
    sources.update({key: functools.partial(_load, place) for key, place in _BUILT_IN.items()})
    if name not in sources:
        hint = did_you_mean(name, sources)
        raise TinymlError(f"Unknown task `{name}`", "task", f"{hint}Tasks: {', '.join(sorted(sources))}.")
    task = sources[name]()
    if not isinstance(task, Task):
        raise TinymlError(f"`{name}` is not a task", f"entry point {_ENTRY_POINTS}", "Update its package.")
    return task


def items_of(manifest: Manifest) -> Items:
    """What reports and cards of a run count: the words of its task, or such as fit any task."""
    from tinyml_cli.pages.items import Items

    try:
        own = getattr(get_task(manifest.task), "items", None)
    except TinymlError:  # a model alone, or a task whose package is not installed
        return Items()
    return Items() if own is None else own(manifest)


def _load(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)
