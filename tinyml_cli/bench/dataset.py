"""Inputs with known answers: MLPerf Tiny's layout (`y_labels.csv`), or a folder for each class."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyml_cli.array_file import read_array
from tinyml_cli.engines.benchmarks import Benchmark
from tinyml_cli.errors import TinymlError

LABELS_FILE = "y_labels.csv"
_SUFFIXES = (".bin", ".npy")
_NPY_TYPES = {"int8": "int8", "uint8_minus_128": "uint8", "float32": "float32"}
_DRAW_SEED = 0
_AD_CLASSES = ("normal", "anomaly")


@dataclass(frozen=True)
class BenchmarkExample:
    """One file.

    Attributes:
        truth: the index of its class.
        window_bytes, stride_bytes: a window of that many bytes slides over the file; None takes it whole.
    """

    path: Path
    truth: int
    window_bytes: int | None = None
    stride_bytes: int | None = None

    def windows(self, input_bytes: int) -> list[bytes]:
        """The inputs in the file, each `input_bytes` long, as the host sends them.

        Raises:
            TinymlError: the file cannot be read, or does not have the size of an input.
        """
        data = _read(self.path)
        size, stride = self.window_bytes or len(data), self.stride_bytes or max(len(data), 1)
        if size != input_bytes or len(data) < size:
            raise TinymlError(
                f"The file gives inputs of {min(size, len(data)):,} bytes, but the model needs "
                f"{input_bytes:,}",
                str(self.path),
                "Give the benchmark that the data was made for: --benchmark kws|vww|ic|ad|model.",
            )
        return [data[start : start + size] for start in range(0, len(data) - size + 1, stride)]


@dataclass(frozen=True)
class BenchmarkData:
    """Examples and the names of their classes."""

    examples: tuple[BenchmarkExample, ...]
    classes: tuple[str, ...]

    def limited(self, limit: int | None) -> BenchmarkData:
        """At most `limit` examples, drawn at random, the same ones each time."""
        n = len(self.examples)
        if limit is None or limit >= n:
            return self
        drawn = np.sort(np.random.default_rng(_DRAW_SEED).permutation(n)[:limit])
        return BenchmarkData(tuple(self.examples[index] for index in drawn), self.classes)


def load(folder: Path, benchmark: Benchmark, labels: Sequence[str] = ()) -> BenchmarkData:
    """Finds the examples in a folder, or in the folder of the benchmark's name below it.

    Args:
        labels: the model's classes in the order of its outputs, where they are known.

    Raises:
        TinymlError: no examples, or a damaged table of labels.
    """
    if not folder.is_dir():
        raise TinymlError("The folder does not exist", str(folder), "Give the data with --data DIR.")
    for place in (folder, folder / benchmark.dataset):
        if (place / LABELS_FILE).is_file():
            return _from_table(place / LABELS_FILE, labels)
    return _from_folders(folder, benchmark, labels)


def _from_table(table: Path, labels: Sequence[str]) -> BenchmarkData:
    with table.open(newline="", encoding="utf-8") as file:
        rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    examples = tuple(_row(table, number, row) for number, row in enumerate(rows, 1))
    if not examples:
        raise TinymlError(
            "The table of labels is empty", str(table), "Write one line per file: NAME,CLASSES,CLASS."
        )
    n_classes = max(int(row[1]) for row in rows)
    names = tuple(labels) if len(labels) == n_classes else tuple(str(index) for index in range(n_classes))
    return BenchmarkData(examples, names)


def _row(table: Path, number: int, row: list[str]) -> BenchmarkExample:
    where = f"{table} line {number}"
    try:
        path, n_classes, truth = table.parent / row[0], int(row[1]), int(row[2])
        sizes = [int(cell) for cell in row[3:5]]
        valid = 0 <= truth < n_classes and len(sizes) in (0, 2) and all(size > 0 for size in sizes)
    except (ValueError, IndexError):
        valid = False
    if not valid:
        raise TinymlError(
            f"The line {','.join(row)[:80]!r} is not a label",
            where,
            "It must be NAME,CLASSES,CLASS or NAME,CLASSES,CLASS,WINDOW_BYTES,STRIDE_BYTES.",
        )
    if not path.is_file():
        raise TinymlError(f"The file {row[0]} is missing", where, "Copy the data next to its labels.")
    return BenchmarkExample(path, truth, *(sizes or (None, None)))


def _from_folders(folder: Path, benchmark: Benchmark, labels: Sequence[str]) -> BenchmarkData:
    found = sorted(path.name for path in folder.iterdir() if path.is_dir())
    if not any(_files(folder / name) for name in found):
        raise TinymlError(
            f"The folder contains neither {LABELS_FILE} nor folders of .bin or .npy files",
            str(folder),
            "See docs/bench.md for the layouts.",
        )
    classes = _class_order(found, benchmark, labels)
    unknown = sorted(name for name in set(found) - set(classes) if _files(folder / name))
    if unknown:
        raise TinymlError(
            f"The model has no class {', '.join(unknown)}",
            str(folder),
            f"Name the folders after its labels: {', '.join(classes)}.",
        )
    examples = [
        BenchmarkExample(path, index) for index, name in enumerate(classes) for path in _files(folder / name)
    ]
    return BenchmarkData(tuple(examples), classes)


def _class_order(found: list[str], benchmark: Benchmark, labels: Sequence[str]) -> tuple[str, ...]:
    if labels:
        return tuple(labels)
    return _AD_CLASSES if benchmark.result == "squared_error" else tuple(found)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)


def _read(path: Path) -> bytes:
    try:
        if path.suffix != ".npy":
            return path.read_bytes()
        values = read_array(path)
    except (OSError, ValueError) as error:
        raise TinymlError(f"Cannot read the file ({error})", str(path), "Create it again.") from error
    if values.dtype.name not in _NPY_TYPES.values():
        raise TinymlError(
            f"The array contains {values.dtype.name}",
            str(path),
            f"Save it as {', '.join(_NPY_TYPES.values())}, depending on the benchmark.",
        )
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
