"""The wand: held-out takes, for evaluation and for replay to a board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import recipes, registry
from tinyml_cli.console import console
from tinyml_cli.data.inventory import TRAINED_ON
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import validation_items
from tinyml_cli.evaluation.validation_items import VALIDATION, ValidationItems
from tinyml_cli.files import write_arrays
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.tasks.wand.source import Item, LabelledMotions
from tinyml_cli.tasks.wand.sources import source_of

HELD_OUT = "logs/held_out.npz"
TRAINING_SAMPLE = "logs/training_sample.npz"
SEEN = "logs/seen.npz"
KEPT = (HELD_OUT, TRAINING_SAMPLE, SEEN, VALIDATION)
_SAMPLE_SIZE = 1000


@dataclass(frozen=True)
class LabelledGestures:
    """Takes to judge a model by.

    Attributes:
        features: integers [n, ...], what the firmware computes.
        labels: int64 [n], index into the run's labels.
        names: str [n], what each is known by.
        note: one sentence: where they come from.
        left_out: reason -> how many files of the folder, or takes in them, are not used.
        takes: as they were recorded.
        people: str [n], who made each, or its file; "" for what is generated.
    """

    features: NDArray[Any]
    labels: NDArray[np.int64]
    names: NDArray[np.str_]
    note: str
    left_out: Mapping[str, int] = field(default_factory=dict)
    takes: Sequence[Item] = ()
    people: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, np.str_))

    @property
    def raw(self) -> NDArray[Any]:
        """The features: two strokes with one picture are one to the model."""
        return self.features

    @property
    def words(self) -> None:
        """Nothing is finer than the label."""

    @property
    def groups(self) -> NDArray[np.str_]:
        """The names: no take belongs to another."""
        return self.names


def save(run: Run, takes: LabelledMotions, recipe: WandRecipe) -> None:
    """Keeps the test takes, a sample of the training's features, and the names of what was trained on."""
    test, source = takes.part("test"), source_of(recipe)
    ends = np.cumsum([len(item) for item in test.items], dtype=np.int64)
    joined = np.concatenate(list(test.items)) if len(test) else np.zeros((0, 2), np.int8)
    write_arrays(
        run.file(HELD_OUT),
        {
            "joined": joined,
            "ends": ends,
            "labels": test.labels,
            "names": test.names,
            "people": test.people,
        },
    )
    validation = takes.part("validation")
    validation = validation.rows(validation_items.chosen_rows(validation.labels, recipe.seed))
    features = source.features(validation.items, recipe)
    validation_items.save(run, ValidationItems(features, validation.labels, validation.people))
    train = takes.part("train")
    rng = np.random.default_rng([recipe.seed, 4])
    chosen = train.rows(rng.permutation(len(train))[:_SAMPLE_SIZE])
    # Varied as in training: the int8 ranges are those of what the network learnt from.
    varied = source.vary(chosen.items, recipe, rng)
    plain = source.features(chosen.items, recipe)
    write_arrays(run.file(TRAINING_SAMPLE), {"features": varied, "plain": plain, "labels": chosen.labels})
    write_arrays(run.file(SEEN), {"names": takes.names[np.isin(takes.where, ("train", "validation"))]})


def takes(run: Run, recipe: WandRecipe) -> LabelledMotions:
    """What train kept aside.

    Raises:
        TinymlError: the run is not trained.
    """
    with np.load(run.require(run.manifest(), HELD_OUT)) as archive:
        starts = [0, *archive["ends"][:-1]]
        items = [archive["joined"][a:b] for a, b in zip(starts, archive["ends"], strict=False)]
        labels, names = archive["labels"], archive["names"]
        people = archive["people"] if "people" in archive else np.empty(0, np.str_)
    origin = "folder" if recipe.data_path else "synthetic"
    return LabelledMotions(items, labels, names, np.full(len(names), "test"), "", origin, people=people)


def load(run: Run, data_dir: Path | None, split: Literal["test", "all"] | None) -> LabelledGestures:
    """The takes that train kept aside, or those of a folder.

    Args:
        run: a trained run.
        data_dir: recordings; None takes what `train` kept aside.
        split: "test" leaves out every take that was trained on; "all" takes all. "test" by default.

    Raises:
        TinymlError: not trained yet, unusable data, or nothing left to test on.
    """
    manifest, recipe = run.manifest(), recipes.load_as(run.file(RECIPE), WandRecipe)
    left_out: dict[str, int] = {}
    if data_dir is None:
        found, origin = takes(run, recipe), "held out by train"
    else:
        units = {} if manifest.data is None else manifest.data.units
        found = source_of(recipe).read(data_dir, recipe, units, refused={})
        origin, left_out, n = f"everything in {data_dir.name}", dict(found.left_out), len(found)
        if split != "all":
            with np.load(run.require(manifest, SEEN)) as archive:
                found = found.rows(np.flatnonzero(~np.isin(found.names, archive["names"])))
            origin = f"those of {data_dir.name} that were not trained on"
            if len(found) < n:
                left_out[TRAINED_ON] = n - len(found)
        elif manifest.data is not None and manifest.data.source == "folder":
            console.warn("--split all includes takes that the model may have been trained on.")
    if not len(found):
        raise TinymlError(
            "No takes to evaluate the model on",
            str(data_dir or run.path),
            "Give recordings that it was not trained on: tinyml evaluate --data DIR",
        )
    counts = ", ".join(f"{int((found.labels == i).sum())} {name}" for i, name in enumerate(manifest.labels))
    features = source_of(recipe).features(found.items, recipe)
    note = f"{len(found)} {registry.task(manifest.task).items(manifest).many} ({counts}): {origin}"
    return LabelledGestures(features, found.labels, found.names, note, left_out, found.items, found.people)


def calibration_features(run: Run, n: int, seed: int) -> NDArray[Any]:
    """Features of the training split, integers [min(n, kept), ...].

    Raises:
        TinymlError: the run's training sample is missing or changed.
    """
    with np.load(run.require(run.manifest(), TRAINING_SAMPLE)) as archive:
        features: NDArray[Any] = archive["features"]
    return features[np.random.default_rng([seed, 5]).permutation(len(features))[:n]]
