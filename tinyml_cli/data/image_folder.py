"""A folder of images with a folder per class, as it lies on the disk; nothing is decoded here."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli.data import image_file
from tinyml_cli.data.splits import Split
from tinyml_cli.errors import TinymlError

# The class that takes every folder that no other class is named after.
NONE = "none"
# Names of prepared data sets' folders for the same thing.
_NONE_FOLDERS = (NONE, "no_person", "non_person", "not_person", "nobody")
_SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True)
class ImageEntry:
    """One image file.

    Attributes:
        path: the file.
        label: index into the classes.
        split: where its folder puts it; None where the data set does not say.
    """

    path: Path
    label: int
    split: Split | None = None


def list_images(root: Path, classes: Sequence[str]) -> list[ImageEntry]:
    """Every image below the classes' folders, sorted by path.

    `root` holds a folder per class, or folders `train`, `val`, `test` that do; a lone folder in it
    is entered. The class `none` takes all folders that no class is named after.

    Raises:
        TinymlError: no such folder, a class without a folder or without images.
    """
    root = _entered(root)
    splits: Sequence[tuple[Path, Split | None]] = _split_folders(root)
    entries: list[ImageEntry] = []
    names: set[str] = set()
    whole: list[tuple[Path, Split | None]] = [(root, None)]
    for folder, split in splits or whole:
        for child in sorted(path for path in folder.iterdir() if path.is_dir() and _is_data(path)):
            names.add(child.name)
            label = _label_of(child.name, classes)
            if label is not None:
                entries += [ImageEntry(path, label, split) for path in _images_below(child)]
    counts = Counter(entry.label for entry in entries)
    for label, name in enumerate(classes):
        if not counts[label]:
            raise _empty(root, name, sorted(names))
    return entries


def class_folders(root: Path) -> list[str]:
    """Names of the folders that hold images, for recipes that name no classes.

    Raises:
        TinymlError: fewer than two.
    """
    root = _entered(root)
    folders = [folder for folder, _ in _split_folders(root)] or [root]
    names = {
        child.name
        for folder in folders
        for child in folder.iterdir()
        if child.is_dir() and _is_data(child) and _images_below(child)
    }
    if len(names) < 2:
        raise TinymlError(
            f"The folder holds {len(names)} folders with images; two or more are needed",
            str(root),
            "Put the images of each class into a folder of its own.",
        )
    return sorted(names)


def _entered(root: Path) -> Path:
    """Where the data begins: archives often hold one folder that holds everything."""
    while root.is_dir():
        inside = [path for path in root.iterdir() if path.is_dir() and _is_data(path)]
        if len(inside) != 1 or not any(path.is_dir() for path in inside[0].iterdir()):
            break
        root = inside[0]
    return root


def _split_folders(root: Path) -> list[tuple[Path, Split]]:
    """The folders of a data set that is split already; a class may be called `train` as well."""
    if not root.is_dir():
        raise TinymlError("There is no such data folder", str(root), "Give --data a folder per class.")
    children = {path.name.lower(): path for path in root.iterdir() if path.is_dir()}
    found = [(children[name], split) for name, split in _SPLIT_FOLDERS.items() if name in children]
    kinds = {split for _, split in found}
    is_split = {"train"} < kinds and all(any(p.is_dir() for p in path.iterdir()) for path, _ in found)
    return found if is_split else []


def _label_of(folder: str, classes: Sequence[str]) -> int | None:
    lowered = [name.lower() for name in classes]
    if folder.lower() in lowered:
        return lowered.index(folder.lower())
    if NONE not in lowered:
        return None
    others = [name for name in lowered if name != NONE]
    is_other = folder.lower() in _NONE_FOLDERS or folder.lower() not in others
    return lowered.index(NONE) if is_other else None


def _is_data(folder: Path) -> bool:
    return not folder.name.startswith((".", "__"))


def _images_below(folder: Path) -> list[Path]:
    known = image_file.suffixes()
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in known and not path.name.startswith(".") and path.is_file()
    )


def _empty(root: Path, name: str, folders: list[str]) -> TinymlError:
    close = difflib.get_close_matches(name, folders, n=1)
    if name == NONE:
        advice = "Add a folder `none` with images of everything else."
    elif close and close[0] != name:
        advice = f"Did you mean `{close[0]}`? Write --classes {close[0]},…"
    else:
        advice = f"Folders here: {', '.join(folders[:12]) or 'none at all'}. Choose with --classes."
    return TinymlError(f"There are no images of the class `{name}`", str(root), advice)
