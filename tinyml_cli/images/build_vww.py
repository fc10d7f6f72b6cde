"""tinyml data build-vww: COCO -> small images, a folder per class and split, and the sizes of the boxes."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli import locks
from tinyml_cli.console import console
from tinyml_cli.data import inventory, splits
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image import area_average, centred
from tinyml_cli.files import write_atomic, writing_folder
from tinyml_cli.images import coco
from tinyml_cli.images.coco import CocoImage
from tinyml_cli.images.image_file import UnreadableImageError, decode_image, read_bytes
from tinyml_cli.images.image_folder import NONE
from tinyml_cli.outcomes.data import BuiltVww
from tinyml_cli.wording import counted

SIZES_FILE = "sizes.csv"
# COCO minival is 8,059 of the 40,504 images of val2014.
_MINIVAL_SHARE = 0.2
_JPEG_QUALITY = 95
_WORKERS = 4


@dataclass(frozen=True)
class VwwSettings:
    """How the set is made.

    Attributes:
        category: COCO's name of what to look for.
        short_side: of the written images, in pixels.
        square: judge and keep the centred square alone, which is what a camera's model sees.
        minival: ids of the test images; None takes a fifth of the val images, by a hash of the id.
    """

    category: str = "person"
    short_side: int = 128
    square: bool = False
    minival: frozenset[int] | None = None


@dataclass(frozen=True)
class _ImageJob:
    image: CocoImage
    source: Path
    split: str
    label: str
    share: float


def build_vww(root: Path, out: Path, settings: VwwSettings = VwwSettings()) -> BuiltVww:
    """Writes `OUT/{train,test}/{CATEGORY,none}/ID.jpg` and sizes.csv, and says what became of every image.

    Args:
        root: holds COCO's `instances_*.json` and images, anywhere below it.
        out: a new or empty folder, or one that this command began.

    Raises:
        TinymlError: no annotations, none of their images, a folder of something else, or no space.
    """
    _check_target(out)
    images = coco.find_images(root)
    jobs: list[_ImageJob] = []
    missing = 0
    for document in coco.find_annotations(root):
        for image in coco.read_annotations(document, settings.category):
            if image.file_name in images:
                jobs.append(_job(image, images[image.file_name], document.stem, settings))
            else:
                missing += 1
    if not jobs:
        raise TinymlError(
            f"The annotations name {counted(missing, 'image')}, but none is here ({len(images)} JPEGs)",
            str(root),
            "Put COCO's images in the same folder: train2017/, val2017/ or train2014/, val2014/.",
        )
    if missing:
        console.warn(f"Skipped {counted(missing, 'annotated image')}: no such file.")
    with writing_folder(out):
        counts, skipped = _write(jobs, out, settings)
    return BuiltVww(
        out=str(out),
        category=settings.category,
        rule=f"a box over {coco.MINIMUM_AREA_SHARE:.1%} of the "
        f"{'centred square' if settings.square else 'image'}",
        n=sum(sum(labels.values()) for labels in counts.values()),
        counts=counts,
        missing=missing,
        skipped=inventory.sentences(skipped),
    )


def read_minival(path: Path) -> frozenset[int]:
    """Image ids, one a line.

    Raises:
        TinymlError: no such file, or a line that is no number.
    """
    try:
        return frozenset(int(word) for word in path.read_text(encoding="utf-8").split())
    except (OSError, ValueError) as error:
        raise TinymlError(
            f"Cannot read the list of ids ({error})", str(path), "Write one number per line."
        ) from error


def read_sizes(root: Path) -> dict[str, float]:
    """Image path below `root` (with slashes) -> the largest box's share of the area; empty without the file.

    Raises:
        TinymlError: the file is damaged.
    """
    path = root / SIZES_FILE
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return {row["file"]: float(row["share"]) for row in csv.DictReader(stream)}
    except (KeyError, ValueError, TypeError, UnicodeDecodeError) as error:
        raise TinymlError(
            f"Cannot read the sizes ({error})", str(path), "Build the dataset again: tinyml data build-vww"
        ) from error


def _job(image: CocoImage, source: Path, part: str, settings: VwwSettings) -> _ImageJob:
    share = image.largest_share(settings.square)
    label = settings.category if share > coco.MINIMUM_AREA_SHARE else NONE
    if settings.minival is not None:
        is_test = image.id in settings.minival
    else:
        is_test = "val" in part and splits.position(str(image.id)) < _minival_share(part)
    return _ImageJob(image, source, "test" if is_test else "train", label, share)


def _minival_share(part: str) -> float:
    """Of val2014 a fifth is minival, the rest joins the training set; val2017 is a test set by itself."""
    return _MINIVAL_SHARE if "2014" in part else 1.0


def _write(
    jobs: Sequence[_ImageJob], out: Path, settings: VwwSettings
) -> tuple[dict[str, dict[str, int]], list[LeftOut]]:
    skipped: list[LeftOut] = []
    written: list[_ImageJob] = []
    with ThreadPoolExecutor(_WORKERS) as pool, console.progress(len(jobs), "scaling") as bar:
        for job, why in zip(jobs, pool.map(lambda job: _write_one(job, out, settings), jobs), strict=True):
            bar.advance()
            if why is None:
                written.append(job)
            else:
                skipped.append(LeftOut(job.source, why))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["file", "share"])
    for job in written:
        table.writerow([_name(job), f"{job.share:.6f}"])
    write_atomic(out / SIZES_FILE, text.getvalue())
    counts = {
        split: dict(sorted(Counter(job.label for job in written if job.split == split).items()))
        for split in ("train", "test")
    }
    return counts, skipped


def _write_one(job: _ImageJob, out: Path, settings: VwwSettings) -> str | None:
    """Writes one image unless it is there; None, or why it could not be done."""
    from PIL import Image

    target = out / _name(job)
    if target.is_file():
        return None
    try:
        pixels = decode_image(read_bytes(job.source))
    except UnreadableImageError as error:
        return str(error)
    pixels = centred(pixels, 1, 1) if settings.square else pixels
    rows, columns = pixels.shape[:2]
    scale = min(1.0, settings.short_side / min(rows, columns))
    small = area_average(pixels, max(1, round(rows * scale)), max(1, round(columns * scale)))
    stream = io.BytesIO()
    Image.fromarray(small[..., 0] if small.shape[2] == 1 else small).save(
        stream, "JPEG", quality=_JPEG_QUALITY
    )
    write_atomic(target, stream.getvalue())
    return None


def _name(job: _ImageJob) -> str:
    return f"{job.split}/{job.label}/{job.image.id:012d}.jpg"


def _check_target(out: Path) -> None:
    if out.is_file():
        raise TinymlError("The target is a file", str(out), "Name a new folder with --out.")
    there = {entry.name for entry in out.iterdir()} - set(locks.NAMES) if out.is_dir() else set()
    if there and not there & {"train", "test"}:
        raise TinymlError(
            "The target folder is not empty; nothing was written",
            str(out),
            "Name a new folder with --out.",
        )
