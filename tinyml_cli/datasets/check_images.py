"""`tinyml data check` for images: a folder per class, perhaps inside `train`, `val` and `test`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from tinyml_cli.data.inventory import OF_THE_DATA_SET, OF_THE_SYSTEM
from tinyml_cli.data.speakers import has_speaker, speaker_of
from tinyml_cli.datasets import checks
from tinyml_cli.datasets.checks import CheckFinding, CheckSettings, DataKind, Item, Severity, Survey
from tinyml_cli.errors import TinymlError
from tinyml_cli.images import image_file, image_folder
from tinyml_cli.images.image_survey import Picture, near_pairs, read_pictures
from tinyml_cli.wording import counted

_FEWEST_IMAGES = 50
_SMALLEST_SIDE = 48
_DARK, _BRIGHT, _CONTRAST = 0.08, 0.92, 0.01
_LOST_SHARE = 0.5
# Of 100 photographs of COCO the least sharp has 0.27, the sharpest out of focus by 1% of its width 0.10.
_SHARPNESS = 0.12

_FINDINGS: dict[str, tuple[Severity, str]] = {
    "unreadable": ("bad", "cannot be read as an image"),
    "blank": ("bad", "a single tone: nothing is visible"),
    "two_labels": ("bad", "the same image under two labels: one is wrong"),
    "two_splits": ("bad", "the same image in two splits: the model would be trained and tested on it"),
    "two_people": ("bad", "the same image under two people: the model would be trained and tested on it"),
    "duplicate": ("bad", "the same image twice"),
    "near_duplicate": ("note", "a near-duplicate is in another split: scores would be too good"),
    "dark": ("note", "too dark, or half of it is black"),
    "bright": ("note", "too bright, or half of it is white"),
    "blurred": ("note", "no sharp edges: out of focus or motion blur"),
    "small": ("note", f"less than {_SMALLEST_SIDE} pixels per side: it would be upscaled"),
    "understood": ("note", "its grey range is not declared; the value taken as white"),
    "other_file": ("note", "not a supported image; skipped"),
    "few_images": ("note", f"fewer than {_FEWEST_IMAGES} images: hardly enough to train on"),
    "one_voice": ("note", f"one person has more than {checks.DOMINANT_SHARE:.0%} of a label's images"),
    "imbalance": ("note", f"less than 1/{checks.IMBALANCE:g} of the images of the largest label"),
}


def survey(root: Path, settings: CheckSettings) -> Survey:
    """Reads every image below the folders of labels.

    Raises:
        TinymlError: no such folder, or no image in any folder of a label.
    """
    entries = image_folder.every_image(root)
    if not entries:
        raise TinymlError(
            "No folder contains images", str(root), "Lay them out as DIR/LABEL/IMAGE, one folder per label."
        )
    left_out = image_folder.left_out_of(root, [entry.path for entry in entries])
    pictures = read_pictures(root, entries)
    findings = [
        CheckFinding("other_file", each.path.relative_to(root), each.reason)
        for each in left_out
        if each.reason not in (OF_THE_DATA_SET, OF_THE_SYSTEM)
    ]
    for picture in pictures:
        findings += _of_picture(picture)
    findings += _repeated(pictures)
    findings += [
        CheckFinding("near_duplicate", one.path, f"{one.split}; in {other.split}: {other.path.as_posix()}")
        for one, other in near_pairs(pictures)
    ]
    items = [Item(picture.path, picture.label, _person(picture.path)) for picture in pictures]
    readable = [item for item, picture in zip(items, pictures, strict=True) if not picture.unreadable]
    labels = {item.label for item in items}
    findings += [
        CheckFinding("few_images", Path(label), counted(n, "image"))
        for label in sorted(labels)
        if (n := sum(item.label == label for item in readable)) < _FEWEST_IMAGES
    ]
    findings += checks.uneven_labels(readable, labels, "images")
    return Survey(items, findings, left_out)


def _person(path: Path) -> str:
    return speaker_of(path) if has_speaker(path) else ""


def _of_picture(picture: Picture) -> Iterator[CheckFinding]:
    if picture.unreadable:
        yield CheckFinding("unreadable", picture.path, picture.unreadable)
        return
    if picture.note:
        yield CheckFinding("understood", picture.path, picture.note)
    if min(picture.width, picture.height) < _SMALLEST_SIDE:
        yield CheckFinding("small", picture.path, f"{picture.width} x {picture.height} pixels")
    if picture.contrast < _CONTRAST:
        yield CheckFinding("blank", picture.path, f"brightness {picture.brightness:.0%} all over")
        return
    if picture.brightness < _DARK or picture.black_share > _LOST_SHARE:
        yield CheckFinding("dark", picture.path, f"brightness {picture.brightness:.0%}")
    elif picture.brightness > _BRIGHT or picture.white_share > _LOST_SHARE:
        yield CheckFinding("bright", picture.path, f"brightness {picture.brightness:.0%}")
    if picture.sharpness < _SHARPNESS:
        yield CheckFinding("blurred", picture.path, f"sharpness {picture.sharpness:.3f}")


def _repeated(pictures: Sequence[Picture]) -> Iterator[CheckFinding]:
    """Pictures that occur more than once; the first copy stays unless the labels contradict each other."""
    copies: dict[str, list[Picture]] = defaultdict(list)
    for picture in pictures:
        if not picture.unreadable and picture.contrast >= _CONTRAST:
            copies[picture.digest].append(picture)
    for same in (group for group in copies.values() if len(group) > 1):
        if len({picture.label for picture in same}) > 1:
            for picture in same:
                others = [each.path.as_posix() for each in same if each.label != picture.label]
                yield CheckFinding("two_labels", picture.path, f"also {', '.join(others)}")
            continue
        # A test set is what others are compared by: of copies the one in it stays.
        first, *rest = sorted(same, key=lambda picture: (picture.split != "test", picture.path))
        for picture in rest:
            kind = "duplicate" if _person(picture.path) == _person(first.path) else "two_people"
            kind = kind if picture.given_split == first.given_split else "two_splits"
            yield CheckFinding(kind, picture.path, f"as {first.path.as_posix()}")


IMAGES = DataKind("images", "images", "labels", "people", image_file.suffixes, _FINDINGS, survey)
