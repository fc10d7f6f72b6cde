"""Visual wake words: held-out images, for evaluation and for replay to a board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import recipes
from tinyml_cli.console import console
from tinyml_cli.data import inventory
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import validation_items
from tinyml_cli.evaluation.labelled import kept
from tinyml_cli.evaluation.validation_items import ValidationItems
from tinyml_cli.files import atomic_folder, write_arrays
from tinyml_cli.images.image_cache import content_hash
from tinyml_cli.images.image_file import read_bytes
from tinyml_cli.recipes.vww import VwwRecipe
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.tasks.vww import data as vww_data
from tinyml_cli.tasks.vww.data import ImageData
from tinyml_cli.training.image_batches import ImageSet
from tinyml_cli.wording import counted

HELD_OUT = "logs/held_out.npz"
TRAINING_SAMPLE = "logs/training_sample.npz"
SEEN = "logs/seen.npz"
REPLAY = "replay"
SAVED_PER_LABEL = 1000
_SAMPLE_SIZE = 1000


@dataclass(frozen=True)
class LabelledImages:
    """Labelled images to judge a model by.

    Attributes:
        pixels: uint8 [n, size, size, channels].
        labels: int64 [n].
        names: str [n], what each is known by.
        shares: float64 [n], the largest box's share of the area; NaN where it is not known.
        note: one sentence: where they come from.
        left_out: reason -> how many files of the folder are not used.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: NDArray[np.str_]
    shares: NDArray[np.float64]
    note: str
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def features(self) -> NDArray[np.uint8]:
        """The pixels."""
        return self.pixels

    @property
    def raw(self) -> NDArray[np.uint8]:
        """The pixels."""
        return self.pixels

    @property
    def words(self) -> None:
        """Nothing is finer than the label."""

    @property
    def groups(self) -> NDArray[np.str_]:
        """The names: no image belongs to another."""
        return self.names


def save(run: Run, data: ImageData, seed: int) -> None:
    """Keeps test images, a sample of the training images, and the hashes of what was trained on."""
    rows = _thinned(np.flatnonzero(data.where == "test"), data.labels, seed)
    write_arrays(
        run.file(HELD_OUT),
        {
            "pixels": data.pixels.rows(rows),
            "labels": data.labels[rows],
            "names": data.hashes[rows],
            "shares": data.shares[rows],
        },
    )
    validation = np.flatnonzero(data.where == "validation")
    validation = validation[validation_items.chosen_rows(data.labels[validation], seed)]
    validation_items.save(
        run,
        ValidationItems(data.pixels.rows(validation), data.labels[validation], data.hashes[validation]),
    )
    write_arrays(run.file(TRAINING_SAMPLE), _sample(data.part("train"), seed))
    write_arrays(run.file(SEEN), {"hashes": data.hashes[np.isin(data.where, ("train", "validation"))]})


def load(run: Run, data_dir: Path | None, split: Literal["test", "all"] | None) -> LabelledImages:
    """The images that train kept aside, or those of a folder.

    Args:
        run: a trained run.
        data_dir: a folder per class; None takes what `train` kept aside.
        split: "test" leaves out every file that was trained on, and takes a prepared set's test folder alone;
            "all" takes all. "test" by default.

    Raises:
        TinymlError: not trained yet, unusable data, or nothing left to test on.
    """
    manifest = run.manifest()
    if data_dir is None:
        with np.load(run.require(manifest, HELD_OUT)) as archive:
            return LabelledImages(
                archive["pixels"],
                archive["labels"],
                archive["names"],
                archive["shares"],
                _note(archive["labels"], manifest.labels, "images held out by train"),
            )
    recipe = recipes.load_as(run.file(RECIPE), VwwRecipe)
    data = vww_data.read(data_dir, recipe)
    rows = np.arange(len(data.labels))
    origin = f"everything in {data_dir.name}"
    if split != "all":
        with np.load(run.require(manifest, SEEN)) as archive:
            seen = archive["hashes"]
        rows = np.flatnonzero(~np.isin(data.hashes, seen))
        origin = f"images of {data_dir.name} that were not trained on"
    elif manifest.data is not None and manifest.data.source == "folder":
        console.warn("--split all includes images that the model may have been trained on.")
    if not len(rows):
        raise TinymlError(
            "Every image of the folder was trained on",
            str(data_dir),
            "Give different images, or add --split all.",
        )
    left_out = inventory.counts(data.left_out)
    if len(rows) < len(data.labels):
        left_out[inventory.TRAINED_ON] = len(data.labels) - len(rows)
    labels = data.labels[rows]
    note = _note(labels, manifest.labels, origin) + inventory.explained(data.left_out, quiet=False)
    return LabelledImages(
        data.pixels.rows(rows), labels, data.hashes[rows], data.shares[rows], note, left_out
    )


def name_of(name: str, folders: Sequence[Path]) -> str:
    """What the run calls an image: the hash of its file, where `name` is a path in one of the folders."""
    for folder in folders:
        if (path := folder / name).is_file():
            return content_hash(read_bytes(path))
    return name


def calibration_pixels(run: Run, n: int, seed: int) -> NDArray[np.uint8]:
    """Images of the training split as they are, uint8 [min(n, kept), size, size, channels].

    Raises:
        TinymlError: the run's training sample is missing or changed.
    """
    with np.load(run.require(run.manifest(), TRAINING_SAMPLE)) as archive:
        pixels: NDArray[np.uint8] = archive["pixels"]
    return pixels[np.random.default_rng([seed, 5]).permutation(len(pixels))[:n]]


def trained_on(run: Run) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """A sample of the training images uint8 [n, size, size, channels], and their labels int64 [n].

    Raises:
        TinymlError: it is missing or changed, or an earlier version left it without labels.
    """
    with np.load(run.require(run.manifest(), TRAINING_SAMPLE)) as archive:
        pixels, labels = kept(archive, run, "pixels", "labels")
    return pixels, labels


def write_replay(run: Run, per_label: int) -> Path:
    """Writes held-out images as `replay/LABEL/LABEL_N.png`; an old folder is replaced.

    Raises:
        TinymlError: the run is not trained, or kept no images.
    """
    from PIL import Image

    images = load(run, None, None)
    labels = run.manifest().labels
    with atomic_folder(run.file(REPLAY)) as made:
        for index, label in enumerate(labels):
            (made / label).mkdir()
            for number, pixels in enumerate(images.pixels[images.labels == index][:per_label]):
                picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
                picture.save(made / label / f"{label}_{number}.png")
    return run.file(REPLAY)


def _note(labels: NDArray[np.int64], names: list[str], origin: str) -> str:
    counts = ", ".join(f"{int((labels == index).sum())} {name}" for index, name in enumerate(names))
    return f"{counted(len(labels), 'image')} ({counts}): {origin}"


def _thinned(rows: NDArray[np.int64], labels: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """At most SAVED_PER_LABEL of each label, in a random order that the seed fixes."""
    shuffled = np.random.default_rng([seed, 3]).permutation(rows)
    chosen = [shuffled[labels[shuffled] == label][:SAVED_PER_LABEL] for label in np.unique(labels)]
    return np.concatenate(chosen) if chosen else rows


def _sample(train: ImageSet, seed: int) -> dict[str, NDArray[Any]]:
    chosen = np.random.default_rng([seed, 4]).permutation(len(train))[:_SAMPLE_SIZE]
    chosen = chosen[np.argsort(train.rows[chosen], kind="stable")]  # their order on disk
    return {"pixels": train.pixels.rows(train.rows[chosen]), "labels": train.labels[chosen]}
