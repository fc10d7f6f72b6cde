"""report/answers.npz: what each model of a run answered to each item, so that two can be paired."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinyml_cli.array_file import UnreadableArrayError, read_arrays
from tinyml_cli.files import write_atomic
from tinyml_cli.run import Run

ANSWERS = "report/answers.npz"

_MODEL_PREFIX = "sha256_"


@dataclass(frozen=True)
class AnswerBook:
    """Answers to one evaluation set.

    Attributes:
        source: which data they are of: the folder, or empty for the run's own, and the split.
        keys: str [n], one per item; equal items have equal keys in every run.
        labels: int64 [n], what is right.
        answers: SHA-256 of a flatbuffer -> int64 [n], what it answered.
    """

    source: str
    keys: npt.NDArray[np.str_]
    labels: npt.NDArray[np.int64]
    answers: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    def right(self, sha256: str) -> dict[str, bool]:
        """Item key -> whether a model's answer is right."""
        hits = self.answers[sha256] == self.labels
        return dict(zip(map(str, self.keys), map(bool, hits), strict=True))

    def save(self, run: Run) -> None:
        """Writes the file whole or not at all; equal books give equal bytes."""
        arrays: dict[str, Any] = {
            _MODEL_PREFIX + sha256: self.answers[sha256] for sha256 in sorted(self.answers)
        }
        stream = BytesIO()
        np.savez(stream, source=np.array(self.source), keys=self.keys, labels=self.labels, **arrays)
        write_atomic(run.file(ANSWERS), stream.getvalue())


def load(run: Run) -> AnswerBook | None:
    """The run's answers; None where there are none, or the file is damaged: they can be had again."""
    try:
        archive = read_arrays(run.file(ANSWERS))
        answers = {
            name.removeprefix(_MODEL_PREFIX): values
            for name, values in archive.items()
            if name.startswith(_MODEL_PREFIX)
        }
        return AnswerBook(str(archive["source"]), archive["keys"], archive["labels"], answers)
    except (UnreadableArrayError, KeyError):
        return None


def source_of(data_dir: Path | None, split: str | None) -> str:
    """What a book says it is of."""
    return f"{'' if data_dir is None else data_dir.resolve()}|{split or ''}"


class Answered(Protocol):
    """Labelled items that models answered to."""

    @property
    def raw(self) -> npt.NDArray[Any]:
        """The items as they were recorded, [n, ...]."""

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """int64 [n]."""


def item_keys(examples: Answered) -> npt.NDArray[np.str_]:
    """One key per item: a hash of what was recorded and its label, and which of equal ones it is.

    The raw item, not its features: two models with different front ends hear the same clip.
    """
    hashes = [
        hashlib.sha256(np.ascontiguousarray(item).tobytes() + int(label).to_bytes(4, "little")).hexdigest()[
            :16
        ]
        for item, label in zip(examples.raw, examples.labels, strict=True)
    ]
    seen: Counter[str] = Counter()
    keys = []
    for digest in hashes:
        keys.append(f"{digest}.{seen[digest]}")
        seen[digest] += 1
    return np.array(keys)


def keep(
    run: Run,
    data_dir: Path | None,
    split: str | None,
    examples: Answered,
    answers: Mapping[str, npt.NDArray[np.int64]],
) -> AnswerBook:
    """Enters answers into the run's book; what was kept for other data or another split is forgotten.

    Args:
        run: whose models answered.
        data_dir: the folder that was evaluated on; None for the run's own items.
        split: as it was asked for.
        examples: what they answered to.
        answers: SHA-256 of the flatbuffer -> int64 [n], index of the label.
    """
    known, keys = load(run), item_keys(examples)
    labels = np.asarray(examples.labels, np.int64)
    source = source_of(data_dir, split)
    if known is None or known.source != source or not np.array_equal(known.keys, keys):
        known = AnswerBook(source, keys, labels)
    book = AnswerBook(source, keys, labels, {**known.answers, **answers})
    book.save(run)
    return book
