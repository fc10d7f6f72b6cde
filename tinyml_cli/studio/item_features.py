"""What the map compares items by: a short vector for each, kept from one map to the next.

These are no features of a model: they only have to put alike beside alike, for thousands of items in seconds.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image import area_average
from tinyml_cli.files import atomic_path
from tinyml_cli.images import image_file
from tinyml_cli.studio.catalog import DataKindName, StoredItem
from tinyml_cli.studio.stored_motion import values_of
from tinyml_cli.tasks.wand.strokes import read_strokes

Vector = NDArray[np.float32]

KEPT = Path(".tinyml-studio") / "features"

_RATE_HZ = 16_000
_WINDOW = 512
# 10 stretches of 3 windows: 0.96 s.
_FRAMES, _HOPS, _BANDS = 10, 3, 12
_PICTURE_SIDE = 12
_STROKE_POINTS = 24
_MOTION_VALUES = 64
_THREADS, _AT_ONCE = 2, 128


def features(
    root: Path, folder: Path, kind: DataKindName, items: Sequence[StoredItem]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Rows of the items that can be read, and their vectors [rows, values].

    Args:
        root: the studio's folder.
        folder: the data folder.
        kind: of its items.
        items: which.
    """
    kept_file = root / KEPT / f"{folder.name}-{kind}.npz"
    kept = _kept(kept_file)
    names = [f"{item.id} {item.version}" for item in items]
    new = [index for index, name in enumerate(names) if name not in kept]
    if new:
        made = _make(root, kind, [items[index] for index in new])
        kept |= {names[index]: vector for index, vector in zip(new, made, strict=True) if vector is not None}
    rows = np.array([index for index, name in enumerate(names) if name in kept], np.intp)
    if not len(rows):
        return rows, np.zeros((0, 1), np.float32)
    found = np.stack([kept[names[row]] for row in rows]).astype(np.float16)
    if new:
        with contextlib.suppress(TinymlError):  # a full disk costs time, not the map
            _keep(kept_file, [names[row] for row in rows], found)
    return rows, found.astype(np.float32)


def _kept(path: Path) -> dict[str, Vector]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names, vectors = arrays["names"].tobytes().decode().split("\n"), arrays["vectors"]
        return dict(zip(names, vectors.astype(np.float32), strict=True))
    except (OSError, ValueError, KeyError, EOFError):
        return {}


def _keep(path: Path, names: Sequence[str], vectors: NDArray[np.float16]) -> None:
    with atomic_path(path) as made, made.open("wb") as stream:
        np.savez(stream, names=np.frombuffer("\n".join(names).encode(), np.uint8), vectors=vectors)


def _make(root: Path, kind: DataKindName, items: Sequence[StoredItem]) -> list[Vector | None]:
    if kind == "strokes":
        return _of_strokes(root, items)
    makers: Mapping[str, Callable[[Sequence[Path]], list[Vector | None]]] = {
        "sound": _of_sounds,
        "images": lambda paths: [_of_image(path) for path in paths],
        "motion": lambda paths: [_of_motion(path) for path in paths],
    }
    paths = [root / item.id for item in items]
    parts = [paths[start : start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE)]
    with ThreadPoolExecutor(_THREADS) as pool:
        return [vector for part in pool.map(makers[kind], parts) for vector in part]


def _of_sounds(paths: Sequence[Path]) -> list[Vector | None]:
    """Of each the levels in dB [frames, bands] of its loudest part, relative to the loudest of them."""
    heard = {index: audio for index, path in enumerate(paths) if (audio := _loudest(path)) is not None}
    vectors: list[Vector | None] = [None] * len(paths)
    if not heard:
        return vectors
    frames = np.stack(list(heard.values())).reshape(len(heard), _FRAMES, _HOPS, _WINDOW)
    spectra = np.fft.rfft(frames * _HANN, axis=-1)
    power = np.square(spectra.real) + np.square(spectra.imag)
    bands = np.add.reduceat(power.mean(axis=2), _EDGES, axis=-1)
    level = 10 * np.log10(bands + 1.0)
    level = np.maximum(level - level.max(axis=(1, 2), keepdims=True), -60.0) / 60
    for index, each in zip(heard, level.astype(np.float32), strict=True):
        vectors[index] = each.ravel()
    return vectors


def _loudest(path: Path) -> Vector | None:
    """The loudest part of a clip, float32 [_SAMPLES], padded where it is shorter; None if unreadable."""
    audio = _plain_wav(path)
    if audio is None:
        try:
            audio = read_audio(path, _RATE_HZ)
        except UnreadableAudioError:
            return None
    spare = len(audio) - _SAMPLES
    if spare <= 0:
        return np.pad(audio, (-spare // 2, -spare - (-spare // 2))).astype(np.float32)
    hops = audio[: len(audio) // _WINDOW * _WINDOW].reshape(-1, _WINDOW).astype(np.float32)
    energy = np.concatenate([[0.0], np.cumsum(np.einsum("ij,ij->i", hops, hops, dtype=np.float64))])
    length = _SAMPLES // _WINDOW
    start = int(np.argmax(energy[length:] - energy[:-length]))
    loudest: Vector = hops[start : start + length].ravel()
    return loudest


_SAMPLES = _FRAMES * _HOPS * _WINDOW
_HANN = np.hanning(_WINDOW).astype(np.float32)
_EDGES = np.unique(np.round(np.geomspace(3, _WINDOW // 2 - 8, _BANDS)).astype(int))


def _plain_wav(path: Path) -> NDArray[np.int16] | None:
    """The samples of a file as `data record` stores it: 44 bytes of header, mono, 16 bits; else None."""
    try:
        content = path.read_bytes() if path.stat().st_size <= _PLAIN_BYTES else b""
    except OSError:
        return None
    is_plain = content[8:16] == b"WAVEfmt " and content[20:36] == _FORMAT
    if not is_plain or content[36:40] != b"data" or len(content) < _HEADER_BYTES + 2:
        return None
    size = int.from_bytes(content[40:44], "little")
    if size != len(content) - _HEADER_BYTES or size % 2:
        return None
    return np.frombuffer(content, "<i2", offset=_HEADER_BYTES)


_HEADER_BYTES = 44
_PLAIN_BYTES = 4 << 20
# PCM, one channel, the rate, bytes a second, bytes a frame, bits a sample.
_FORMAT = struct.pack("<HHIIHH", 1, 1, _RATE_HZ, 2 * _RATE_HZ, 2, 16)


def _of_image(path: Path) -> Vector | None:
    try:
        pixels = image_file.decode(image_file.read_bytes(path), 1).pixels
    except image_file.UnreadableImageError:
        return None
    small = area_average(pixels, _PICTURE_SIDE, _PICTURE_SIDE)
    if small.shape[2] == 1:
        small = np.repeat(small, 3, axis=2)
    vector: Vector = np.asarray(small.ravel() / 255, np.float32)
    return vector


def _of_motion(path: Path) -> Vector | None:
    """How strongly each axis moves at which speed: the spectrum of the table's columns."""
    try:
        values, _ = values_of(path)
    except TinymlError:
        return None
    spectrum = np.abs(np.fft.rfft(values - values.mean(axis=0), 2 * _MOTION_VALUES, axis=0))
    vector: Vector = np.resize(np.log1p(spectrum[1:]).ravel(), _MOTION_VALUES * 6).astype(np.float32)
    return vector


def _of_strokes(root: Path, items: Sequence[StoredItem]) -> list[Vector | None]:
    by_file: dict[str, list[Vector | None]] = {}
    found = []
    for item in items:
        place, _, number = item.id.partition("#")
        if place not in by_file:
            try:
                strokes = read_strokes(root / place)
                by_file[place] = [_of_points(stroke.points) for stroke in strokes]
            except TinymlError:
                by_file[place] = []
        vectors = by_file[place]
        found.append(vectors[int(number)] if int(number) < len(vectors) else None)
    return found


def _of_points(points: NDArray[np.int8]) -> Vector:
    at = np.linspace(0, len(points) - 1, _STROKE_POINTS)
    columns = [np.interp(at, np.arange(len(points)), points[:, axis].astype(np.float32)) for axis in (0, 1)]
    path = np.stack(columns, axis=1)
    path -= (path.max(axis=0) + path.min(axis=0)) / 2
    vector: Vector = (path / max(float(np.abs(path).max()), 1.0)).astype(np.float32).ravel()
    return vector
