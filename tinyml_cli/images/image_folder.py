"""A folder of images with a folder per class, as it is on disk; nothing is decoded here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyml_cli import checks
from tinyml_cli.data import inventory
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.data.speakers import has_speaker, speaker_of
from tinyml_cli.data.splits import SPLIT_FOLDERS, Split
from tinyml_cli.errors import TinymlError, did_you_mean
from tinyml_cli.images import image_file
from tinyml_cli.wording import counted

# The class that takes every folder that no other class is named after.
NONE = "none"
# Fewer people cannot be split without a split that lacks a class.
FEWEST_PEOPLE = 5
# Names of prepared data sets' folders for the same thing.
_NONE_FOLDERS = (NONE, "no_person", "non_person", "not_person", "nobody")


@dataclass(frozen=True)
class ImageEntry:
    """One image file.

    Attributes:
        path: the file.
        label: index into the classes.
        split: where its folder puts it; None where the data set does not say.
        folder: the name of its class's folder.
    """

    path: Path
    label: int
    split: Split | None = None
    folder: str = ""


def list_images(root: Path, classes: Sequence[str]) -> list[ImageEntry]:
    """Every image below the classes' folders, sorted by path.

    `root` holds a folder per class, or folders `train`, `val`, `test` that do; a lone folder in it
    is entered. The class `none` takes all folders that no class is named after.

    Raises:
        TinymlError: no such folder, a class without a folder or without images.
    """
    entries = [
        replace(entry, label=label)
        for entry in every_image(root)
        if (label := _label_of(entry.folder, classes)) is not None
    ]
    counts = Counter(entry.label for entry in entries)
    for label, name in enumerate(classes):
        if not counts[label]:
            raise _empty(root, name)
    return entries


def every_image(root: Path) -> list[ImageEntry]:
    """Every image below the folders of classes, whatever the classes, sorted by path; labels are -1.

    Raises:
        TinymlError: no such folder.
    """
    return [
        ImageEntry(path, -1, split, folder.name)
        for folder, split in _folders(root)
        for path in _images_below(folder)
    ]


def left_out_of(root: Path, used: Iterable[Path]) -> list[LeftOut]:
    """Every file of a data folder that is not among its images, with the reason."""
    known = {
        entry.path: f"its folder `{entry.folder}` is not one of the classes" for entry in every_image(root)
    }
    beside = "it is next to the class folders, not inside one"
    return inventory.left_out(
        root, used, "image", image_file.suffixes(), lambda path: known.get(path, beside)
    )


def class_folders(root: Path) -> list[str]:
    """Names of the folders that hold images, for recipes that name no classes.

    Raises:
        TinymlError: fewer than two.
    """
    entries = every_image(root)
    names = {entry.folder for entry in entries}
    if len(names) < 2:
        files = left_out_of(root, [entry.path for entry in entries])
        raise TinymlError(
            f"The folder contains {counted(len(names), 'folder')} with images; at least two are "
            f"needed{inventory.explained(files)}",
            str(root),
            "Put the images of each class into a separate folder.",
        )
    for name in sorted(names):
        checks.file_name(name, str(root), "class name")
    return sorted(names)


def people_in(entries: Iterable[ImageEntry]) -> frozenset[str]:
    """Whom file names `PERSON_nohash_N` name."""
    return frozenset(speaker_of(entry.path) for entry in entries if has_speaker(entry.path))


def group_of(path: Path, digest: str, people: frozenset[str]) -> str:
    """What keeps an image in one split: its person, where enough are named to be split, or else its bytes.

    Args:
        path: of the image.
        digest: hash of its bytes.
        people: in the whole folder.
    """
    person = speaker_of(path)
    return person if len(people) >= FEWEST_PEOPLE and person in people else digest


def _folders(root: Path) -> list[tuple[Path, Split | None]]:
    """The folders of classes, sorted, and the split that each belongs to."""
    root = _entered(root)
    whole: list[tuple[Path, Split | None]] = [(root, None)]
    return [
        (child, split)
        for folder, split in _split_folders(root) or whole
        for child in sorted(path for path in folder.iterdir() if path.is_dir() and _is_data(path))
    ]


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
        raise TinymlError("The data folder does not exist", str(root), "Give --data a folder per class.")
    children = {path.name.lower(): path for path in root.iterdir() if path.is_dir()}
    found = [(children[name], split) for name, split in SPLIT_FOLDERS.items() if name in children]
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


def _empty(root: Path, name: str) -> TinymlError:
    folders = sorted({folder.name for folder, _ in _folders(root)})
    files = left_out_of(root, [entry.path for entry in every_image(root)])
    if name == NONE and name not in folders:
        advice = "Add a folder `none` with images of everything else."
    else:
        hint = "" if name in folders else did_you_mean(name, folders)
        advice = f"{hint}Available folders: {', '.join(folders[:12]) or 'none'}. Choose with --classes."
    return TinymlError(f"No images of the class `{name}`{inventory.explained(files)}", str(root), advice)
