"""`tinyml data check` for files that hold many examples each: strokes, and tables of windows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series.windows import read_windows
from tinyml_cli.datasets import checks
from tinyml_cli.datasets.checks import CheckFinding, Item
from tinyml_cli.errors import TinymlError
from tinyml_cli.tasks.wand.strokes import read_strokes
from tinyml_cli.tasks.wand.takes import holds_strokes
from tinyml_cli.wording import counted


@dataclass(frozen=True)
class PackedExample:
    """One of many in a file.

    Attributes:
        file: relative to the data folder.
        number: in the file, from 1.
        values: [n] or [n, 2].
    """

    file: Path
    number: int
    label: str
    person: str
    values: NDArray[Any]

    @property
    def place(self) -> Path:
        """The file and the number."""
        return Path(f"{self.file.as_posix()}:{self.number}")


def is_strokes(path: Path) -> bool:
    """Whether a file holds strokes of the wand."""
    return path.suffix.lower() == ".json" and holds_strokes(path)


def read(files: Sequence[Path], root: Path, refused: dict[Path, TinymlError]) -> list[PackedExample]:
    """The examples of files that `is_strokes` or `is_windows` knows; `refused` collects damaged ones."""
    found: list[PackedExample] = []
    for path in files:
        inside = path.relative_to(root)
        try:
            if is_strokes(path):
                found += [
                    PackedExample(inside, number, stroke.label, stroke.person, stroke.points)
                    for number, stroke in enumerate(read_strokes(path), 1)
                ]
            else:
                values, labels = read_windows(path)
                found += [
                    PackedExample(inside, number, label, "", row)
                    for number, (row, label) in enumerate(zip(values, labels, strict=True), 1)
                ]
        except TinymlError as error:
            refused[path] = error
    return found


def findings(examples: Sequence[PackedExample]) -> Iterator[CheckFinding]:
    """Examples that are constant, repeated, or repeated under another label, by file."""
    constant: Counter[Path] = Counter()
    same: Mapping[bytes, list[PackedExample]] = defaultdict(list)
    for each in examples:
        if (each.values == each.values[0]).all():
            constant[each.file] += 1
        else:
            same[np.ascontiguousarray(each.values).tobytes()].append(each)
    for file, count in constant.items():
        yield CheckFinding("constant", file, f"{count}")
    repeated: dict[tuple[str, Path], list[str]] = defaultdict(list)
    for group in (group for group in same.values() if len(group) > 1):
        kind = "contradicted" if len({each.label for each in group}) > 1 else "repeated"
        first, *rest = group
        for each in rest:
            repeated[kind, each.file].append(f"{each.number} as {first.place.as_posix()}")
    for (kind, file), places in repeated.items():
        more = f", … ({len(places)})" if len(places) > 1 else ""
        yield CheckFinding(kind, file, f"{places[0]}{more}")


def items(examples: Sequence[PackedExample]) -> list[Item]:
    """As tables and pictures count them."""
    return [Item(each.place, each.label, each.person) for each in examples]


def uneven(examples: Sequence[PackedExample]) -> list[CheckFinding]:
    """Labels with few examples, or with most of one person."""
    judged = items(examples)
    return checks.uneven_labels(judged, {item.label for item in judged}, "examples")


def reading(examples: Sequence[PackedExample]) -> str:
    """Such as `40 windows of 64 samples`."""
    if examples and examples[0].values.ndim > 1:
        return counted(len(examples), "stroke")
    lengths = sorted({len(each.values) for each in examples})
    return f"{counted(len(examples), 'window')} of {' and '.join(map(str, lengths[:3]))} samples"
