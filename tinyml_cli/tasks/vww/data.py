"""Images: a folder per class as training, validation and test sets; copies and people lie in one of them."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import inventory, splits
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.data.splits import SPLITS, Split, count_labels
from tinyml_cli.errors import TinymlError
from tinyml_cli.images import image_folder
from tinyml_cli.images.build_vww import read_sizes
from tinyml_cli.images.image_cache import content_hash, open_cache
from tinyml_cli.images.image_file import UnreadableImageError, read_bytes
from tinyml_cli.images.image_folder import ImageEntry
from tinyml_cli.images.procedural_images import SHAPES, Figure, ProceduralImages
from tinyml_cli.images.procedural_images import people as drawn_people
from tinyml_cli.next_step import next_step
from tinyml_cli.recipes.vww import VwwRecipe
from tinyml_cli.training.image_batches import ImageSet, Pixels
from tinyml_cli.wording import counted

_PROCEDURAL_IMAGES = 600
_PER_SHAPE = 250
_SHAPES_DRAWN = 4
_HASHED_EARLY = 2000
_IMBALANCE = 10.0
_NOWHERE = ""


@dataclass(frozen=True)
class ImageData:
    """Everything that a recipe trains and is judged on.

    Attributes:
        pixels: the images.
        labels: int64 [n], index into the recipe's classes.
        hashes: str [n], what an image is known by.
        split_by: what lies in one split alone.
        where: str [n], its split; "" for a copy of an image in another split.
        shares: float64 [n], the largest box's share of the area; NaN where it is not known.
        origin: "folder" or "procedural".
        notes: what a reader must know: files left out, imbalance.
        left_out: files of the folder that are not used, and why.
    """

    pixels: Pixels
    labels: NDArray[np.int64]
    hashes: NDArray[np.str_]
    where: NDArray[np.str_]
    shares: NDArray[np.float64]
    origin: str
    split_by: str
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def part(self, split: Split) -> ImageSet:
        """The images of one split."""
        rows = np.flatnonzero(self.where == split)
        return ImageSet(self.pixels, rows, self.labels[rows])

    def counts(self, classes: list[str]) -> dict[str, dict[str, int]]:
        """split -> class -> images."""
        return count_labels(self.where, self.labels, classes)


def load(recipe: VwwRecipe) -> ImageData:
    """The recipe's images.

    Raises:
        TinymlError: no data was given, a class without images, or a split that would be empty.
    """
    if recipe.data_path is None:
        if recipe.source == "procedural":
            return _procedural(recipe)
        raise no_data(recipe)
    data = read(Path(recipe.data_path), recipe)
    _check_splits(data.where, data.labels, recipe, data.split_by)
    return data


def read(root: Path, recipe: VwwRecipe) -> ImageData:
    """A folder's images; each split by its own folders where it has them, else by hash."""
    entries = image_folder.list_images(root, recipe.classes)
    cache = open_cache(entries, recipe.image.size, recipe.image.channels)
    kept = [entries[index] for index in cache.kept]
    labels = np.array([entry.label for entry in kept], np.int64)
    _check_classes(labels, recipe, root)
    sizes = read_sizes(root)
    shares = [sizes.get(entry.path.relative_to(root).as_posix(), np.nan) for entry in kept]
    where, copies = _where(kept, cache.hashes, recipe)
    left_out = [*cache.left_out, *image_folder.left_out_of(root, [entry.path for entry in entries])]
    understood = [f"{counted(n, 'image')}: {note}" for note, n in cache.notes.items()]
    notes = inventory.sentences(left_out) + understood + copies + _imbalance(labels, recipe)
    for note in notes:
        console.warn(note)
    return ImageData(
        cache,
        labels,
        cache.hashes,
        where,
        np.array(shares),
        "folder",
        _split_by(kept),
        tuple(notes),
        tuple(left_out),
    )


def check_folder(root: Path, recipe: VwwRecipe) -> None:
    """Whether every class has images for every split, before any of them is decoded.

    A large folder is left to `load`: chance leaves no split of it empty, and its hashes take long.

    Raises:
        TinymlError: no such folder, a class without images, or a split that would be empty.
    """
    entries = image_folder.list_images(root, recipe.classes)
    if len(entries) > _HASHED_EARLY:
        return
    readable = []
    hashes = []
    for entry in entries:
        with contextlib.suppress(UnreadableImageError):
            hashes.append(content_hash(read_bytes(entry.path)))
            readable.append(entry)
    where, _ = _where(readable, np.array(hashes, str), recipe)
    labels = np.array([entry.label for entry in readable], np.int64)
    _check_splits(where, labels, recipe, _split_by(readable))


def drawn(recipe: VwwRecipe) -> list[Figure]:
    """What is drawn of each class where there is no data.

    Raises:
        TinymlError: a class of `images` that is no shape.
    """
    if not recipe.classes_of_folder:
        return [drawn_people(label) for label in range(len(recipe.classes))]
    unknown = [name for name in recipe.classes if name not in SHAPES]
    if unknown:
        raise no_data(recipe, f" of `{unknown[0]}`; without data, only {', '.join(SHAPES)} can be drawn")
    return [SHAPES[name] for name in recipe.classes]


def classes_of(recipe: VwwRecipe) -> list[str]:
    """The classes of a recipe that names none: the folders of its data, or a few shapes.

    Raises:
        TinymlError: fewer than two folders with images, or no data where none is to be drawn.
    """
    if recipe.data_path is not None:
        return image_folder.class_folders(Path(recipe.data_path))
    if recipe.source == "folder":
        raise no_data(recipe)
    return list(SHAPES)[:_SHAPES_DRAWN]


def no_data(recipe: VwwRecipe, why: str = "") -> TinymlError:
    """What to do where no images were given."""
    if recipe.classes_of_folder:
        return TinymlError(
            f"No images to train on{why}",
            "--data",
            "Give --data DIR with a folder of images per class, or record some: "
            f"`{next_step('data', 'record', 'images', '--classes', ','.join(recipe.classes) or 'a,b,c')}`.",
        )
    return TinymlError(
        "No images to train on",
        "--data",
        "Give --data DIR with a folder per class, or create one: `tinyml data download vww` (MLPerf's "
        "prepared "
        "COCO images of 96 x 96, 235 MB to download, up to 1 GB on the disk); `tinyml data build-vww --coco "
        "DIR --out DIR` (from COCO 2017: 19 GB of images, 0.25 GB of annotations, or any part); "
        f"`{next_step('data', 'record', 'images', '--classes', ','.join(recipe.classes))}` (your own: at "
        "least 200 per class, a few MB).",
    )


def _split_by(entries: Sequence[ImageEntry]) -> str:
    """What keeps images together, see `image_folder.group_of`."""
    enough = len(image_folder.people_in(entries)) >= image_folder.FEWEST_PEOPLE
    return "person, else file hash" if enough else "file hash"


def _where(
    entries: Sequence[ImageEntry], hashes: NDArray[np.str_], recipe: VwwRecipe
) -> tuple[NDArray[np.str_], list[str]]:
    """The split of each image, and a remark on copies: the same bytes must not be learnt and judged."""
    training, given = recipe.training, [entry.split for entry in entries]
    people = image_folder.people_in(entries)
    by_hash: dict[str, str] = {}
    for entry, name in sorted(zip(entries, hashes, strict=True), key=lambda pair: _rank(pair[0].split)):
        if str(name) not in by_hash:
            group = image_folder.group_of(entry.path, str(name), people)
            by_hash[str(name)] = _split_of(entry.split, group, training.validation_share, training.test_share)
    where = np.array([by_hash[str(name)] for name in hashes], "<U10")
    moved = 0
    for index, split in enumerate(given):
        if split is not None and _folder_of(where[index]) != _folder_of(split):
            where[index] = _NOWHERE
            moved += 1
    copies = len(hashes) - len(by_hash)
    notes = [f"{counted(copies, 'exact copy', 'exact copies')} of other images"] if copies else []
    if 0 < len(people) < image_folder.FEWEST_PEOPLE:
        notes.append(
            f"{counted(len(people), 'person', 'people')} named, too few to split the images by person"
        )
    if moved:
        notes.append(f"skipped {counted(moved, 'training image')} also in the test folder")
    return where, notes


def _rank(split: Split | None) -> int:
    return ("test", "validation", "train", None).index(split)


def _folder_of(split: str) -> str:
    """Validation images may be drawn from the training folder."""
    return "test" if split == "test" else "train"


def _split_of(given: Split | None, name: str, validation: float, test: float) -> str:
    if given is None:
        return splits.split_of(name, validation, test)
    if given == "train":
        # Of the training folder, a share watches the training; the data set's own test folder is the test.
        return "validation" if splits.position(name) < validation else "train"
    return given


def _check_classes(labels: NDArray[np.int64], recipe: VwwRecipe, root: Path) -> None:
    present = Counter(labels.tolist())
    for index, name in enumerate(recipe.classes):
        if not present[index]:
            raise TinymlError(
                f"None of the images of `{name}` can be read", str(root), "Check them; they may be damaged."
            )


def _check_splits(
    where: NDArray[np.str_], labels: NDArray[np.int64], recipe: VwwRecipe, split_by: str
) -> None:
    wanted = [split for split in SPLITS if split != "test" or recipe.training.test_share > 0]
    for split in wanted:
        for index, name in enumerate(recipe.classes):
            if not ((where == split) & (labels == index)).any():
                raise TinymlError(
                    f"The split by {split_by} leaves no image of `{name}` for {split}",
                    recipe.data_path or recipe.source,
                    "Add more images, or change training.validation_share and training.test_share.",
                )


def _imbalance(labels: NDArray[np.int64], recipe: VwwRecipe) -> list[str]:
    counts = np.bincount(labels, minlength=len(recipe.classes))
    most, least = int(counts.argmax()), int(counts.argmin())
    ratio = counts[most] / max(counts[least], 1)
    if ratio < _IMBALANCE:
        return []
    remedy = (
        "the latter is weighted more"
        if recipe.training.class_weights
        else "weight it more: --set training.class_weights=balanced"
    )
    return [
        f"{ratio:.0f} images of `{recipe.classes[most]}` per image of `{recipe.classes[least]}`; "
        f"{remedy}, but its {counted(counts[least], 'image')} are still few"
    ]


def _procedural(recipe: VwwRecipe) -> ImageData:
    console.warn(
        "The images are drawn figures: they test the tool, but train no useful model. Give yours: --data DIR"
    )
    count = max(_PROCEDURAL_IMAGES, _PER_SHAPE * len(recipe.classes))
    images = ProceduralImages(count, drawn(recipe), recipe.image.size, recipe.image.channels, recipe.seed)
    training = recipe.training
    where = splits.split_groups(images.hashes, training.validation_share, training.test_share)
    shares = np.full(len(images), np.nan)
    notes = ("drawn figures, only for testing the tool",)
    return ImageData(images, images.labels, images.hashes, where, shares, "procedural", "image", notes)
