"""Decoded images in one memory-mapped file, so that data larger than memory can be used for training."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image import to_input_size
from tinyml_cli.files import atomic_path, cache_dir, filling_cache
from tinyml_cli.images.image_file import UnreadableImageError, decode, read_bytes
from tinyml_cli.images.image_folder import ImageEntry
from tinyml_cli.wording import counted

_FORMAT = 2
_DECODERS = 4
_BATCH = 256
# Pages that were read count as the process's memory until the file is mapped anew.
_MAPPED_BYTES = 512 << 20


class ImageCache:
    """Images uint8 [n, size, size, channels] on the disk, read by row.

    Attributes:
        hashes: str [n], SHA-256 of each file's bytes (16 digits): equal files are equal here.
        kept: int64 [n], which of the listed entries each row comes from.
        left_out: entries that could not be read.
        notes: what was understood of their ranges of greys -> how many images.
    """

    def __init__(self, path: Path, index: Path) -> None:
        with np.load(index) as archive:
            self.hashes: NDArray[np.str_] = archive["hashes"]
            self.kept: NDArray[np.int64] = archive["kept"]
            self.left_out = [LeftOut(Path(path), why) for path, why in json.loads(str(archive["skipped"]))]
            self.notes: dict[str, int] = json.loads(str(archive["notes"]))
            self.shape = tuple(int(value) for value in archive["shape"])
        self._path = path
        self._touched_bytes = 0
        self._map()

    def __len__(self) -> int:
        return len(self.hashes)

    def rows(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """A copy of some images, uint8 [len(indices), size, size, channels]."""
        self._touched_bytes += len(indices) * int(np.prod(self.shape[1:]))
        if self._touched_bytes > _MAPPED_BYTES:
            self._map()
        return np.asarray(self._pixels[indices])

    def _map(self) -> None:
        self._touched_bytes = 0
        self._pixels = np.memmap(self._path, np.uint8, "r", shape=self.shape)


def open_cache(entries: Sequence[ImageEntry], size: int, channels: int) -> ImageCache:
    """Decodes images once: the centred square, scaled; later calls find them by path, time and size.

    Args:
        entries: what to decode.
        size: pixels along each side.
        channels: 1 for grey, 3 for colours.

    Raises:
        TinymlError: none of the files can be read, or no space on the disk.
    """
    name = _fingerprint(entries, size, channels)
    path = cache_dir() / "images" / f"{name}.u8"
    index = path.with_suffix(".npz")
    if not (path.is_file() and index.is_file()):
        with filling_cache(path, "cache of these images"):
            if not (path.is_file() and index.is_file()):
                _build(entries, size, channels, path, index)
    return ImageCache(path, index)


def decode_entry(path: Path, size: int, channels: int) -> tuple[NDArray[np.uint8], str, str]:
    """One file as uint8 [size, size, channels], the hash of its bytes, and what was understood of its greys.

    Raises:
        UnreadableImageError: it cannot be read.
    """
    data = read_bytes(path)
    pixels, note = decode(data)
    return to_input_size(pixels, size, channels), content_hash(data), note


def content_hash(data: bytes) -> str:
    """What an image is known by: a hash of its file's bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


def _fingerprint(entries: Sequence[ImageEntry], size: int, channels: int) -> str:
    digest = hashlib.sha256(f"{_FORMAT} {size} {channels}\n".encode())
    for entry in entries:
        stat = entry.path.stat()
        digest.update(f"{entry.path.resolve()} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]


def _build(entries: Sequence[ImageEntry], size: int, channels: int, path: Path, index: Path) -> None:
    hashes: list[str] = []
    kept: list[int] = []
    skipped: list[LeftOut] = []
    notes: Counter[str] = Counter()

    def decoded(entry: ImageEntry) -> tuple[NDArray[np.uint8], str, str] | str:
        try:
            return decode_entry(entry.path, size, channels)
        except UnreadableImageError as error:
            return str(error)

    with (
        atomic_path(path) as temporary,
        temporary.open("wb") as stream,
        ThreadPoolExecutor(_DECODERS) as pool,
        console.progress(len(entries), "reading images") as bar,
    ):
        for start in range(0, len(entries), _BATCH):
            batch = entries[start : start + _BATCH]
            for offset, (entry, result) in enumerate(zip(batch, pool.map(decoded, batch), strict=True)):
                bar.advance()
                if isinstance(result, str):
                    skipped.append(LeftOut(entry.path, result))
                    continue
                stream.write(result[0].tobytes())
                hashes.append(result[1])
                notes.update([_kind_of(result[2])] if result[2] else [])
                kept.append(start + offset)
        if not kept:
            raise _nothing_readable(skipped)
    with atomic_path(index) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            hashes=np.array(hashes),
            kept=np.array(kept, np.int64),
            skipped=json.dumps([[str(entry.path), entry.reason] for entry in skipped]),
            notes=json.dumps(notes),
            shape=np.array([len(kept), size, size, channels]),
        )


def _kind_of(note: str) -> str:
    """A note without the figures of one image."""
    return note.partition(", by its")[0]


def _nothing_readable(skipped: Sequence[LeftOut]) -> TinymlError:
    first = skipped[0]
    return TinymlError(
        f"None of the {counted(len(skipped), 'image')} can be read. The first: {first.reason}",
        str(first.path),
        "Give --data a folder of undamaged images.",
    )
