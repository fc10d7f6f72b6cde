"""Reads every image of a data folder once and records what checks need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import splits
from tinyml_cli.features.image import to_input_size
from tinyml_cli.images.image_file import UnreadableImageError, decode, read_bytes
from tinyml_cli.images.image_folder import ImageEntry, group_of, people_in

_THREADS = 4
# Correlation of thumbnails; of 100 photographs of COCO no two reach 0.82, one saved again smaller 0.998.
_THUMB, _COARSE = 32, 16
_NEAR, _PERHAPS_NEAR = 0.98, 0.95
_JUDGED_SIDE = 192
_ROWS = 512
# The shares that `train` takes for validation and test where the folders do not say.
_VALIDATION_SHARE, _TEST_SHARE = 0.1, 0.2


@dataclass(frozen=True)
class Picture:
    """One file.

    Attributes:
        path: relative to the data folder.
        label: the name of its class's folder.
        given_split: where its folder puts it; empty where the folders do not say.
        split: where training would put it.
        unreadable: why it cannot be read; empty when it can.
        note: what was understood of its range of greys.
        width, height: as decoded; large photographs are reduced.
        brightness, contrast: mean and standard deviation of its greys, 0 to 1.
        black_share, white_share: share of pixels in the lowest and highest two greys.
        sharpness: energy of the second derivative against that of the picture; 0 without any edge.
        digest: SHA-256 of its pixels; equal for a picture saved again without loss.
        thumb: uint8 [32, 32], grey.
    """

    path: Path
    label: str
    given_split: str
    split: str
    unreadable: str = ""
    note: str = ""
    width: int = 0
    height: int = 0
    brightness: float = 0.0
    contrast: float = 0.0
    black_share: float = 0.0
    white_share: float = 0.0
    sharpness: float = 0.0
    digest: str = ""
    thumb: NDArray[np.uint8] | None = None


def read_pictures(root: Path, entries: Sequence[ImageEntry]) -> list[Picture]:
    """Reads the images of a folder, in the order of the entries."""
    pictures = []
    people = people_in(entries)
    with ThreadPoolExecutor(_THREADS) as pool, console.progress(len(entries), "Checking images") as progress:
        for picture in pool.map(lambda entry: _read(root, entry, people), entries):
            progress.advance(1, picture.label)
            pictures.append(picture)
    return pictures


def near_pairs(pictures: Sequence[Picture]) -> Iterator[tuple[Picture, Picture]]:
    """Pictures of which nearly the same one is in another split, each with one such; copies are left out."""
    judged = [picture for picture in pictures if picture.thumb is not None and picture.contrast > 0]
    if not judged:
        return
    thumbs = np.stack([picture.thumb for picture in judged if picture.thumb is not None]).astype(np.float32)
    blocks = thumbs.reshape(len(thumbs), _COARSE, _THUMB // _COARSE, _COARSE, _THUMB // _COARSE)
    fine, coarse = _normalised(thumbs), _normalised(blocks.mean(axis=(2, 4)))
    where = np.array([picture.split for picture in judged])
    train = np.flatnonzero(where == "train")
    rest = np.flatnonzero(where != "train")
    for start in range(0, len(rest), _ROWS):
        part = rest[start : start + _ROWS]
        alike = coarse[part] @ coarse[train].T
        for row, similar in zip(part, alike, strict=True):
            for other in train[similar >= _PERHAPS_NEAR]:
                is_copy = judged[row].digest == judged[other].digest
                if not is_copy and float(fine[row] @ fine[other]) >= _NEAR:
                    yield judged[row], judged[other]
                    break


def _normalised(thumbs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows whose product is their correlation, [n, pixels]."""
    rows = thumbs.reshape(len(thumbs), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    normalised: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return normalised


def _read(root: Path, entry: ImageEntry, people: frozenset[str]) -> Picture:
    path, label, given = entry.path.relative_to(root), entry.folder, entry.split or ""
    try:
        data = read_bytes(entry.path)
        decoded = decode(data)
    except UnreadableImageError as error:
        return Picture(path, label, given, given, unreadable=str(error))
    name = hashlib.sha256(data).hexdigest()[:16]
    pixels = decoded.pixels
    grey = to_input_size(pixels, _JUDGED_SIDE, 1)[..., 0]
    values = grey.astype(np.float32) / 255.0
    return Picture(
        path,
        label,
        given,
        given or splits.split_of(group_of(path, name, people), _VALIDATION_SHARE, _TEST_SHARE),
        note=decoded.note,
        width=pixels.shape[1],
        height=pixels.shape[0],
        brightness=float(values.mean()),
        contrast=float(values.std()),
        black_share=float((grey <= 1).mean()),
        white_share=float((grey >= 254).mean()),
        sharpness=_sharpness(values),
        digest=hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest(),
        thumb=to_input_size(pixels, _THUMB, 1)[..., 0],
    )


def _sharpness(values: NDArray[np.float32]) -> float:
    """Standard deviation of the Laplacian against that of the greys (Pech-Pacheco et al., ICPR 2000)."""
    laplacian = (
        values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:] - 4 * values[1:-1, 1:-1]
    )
    return float(laplacian.std() / max(float(values.std()), 1e-6))
