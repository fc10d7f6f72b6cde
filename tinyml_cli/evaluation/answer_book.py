"""report/answers.npz: each model's answer to each test item, so that two models can be compared by item."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.array_file import UnreadableArrayError, read_arrays
from tinyml_cli.evaluation.labelled import Labelled
from tinyml_cli.files import write_atomic
from tinyml_cli.run import Run

ANSWERS = "report/answers.npz"

_MODEL_PREFIX = "sha256_"


@dataclass(frozen=True)
class AnswerBook:
    """Answers to one evaluation set.

    Attributes:
        source: the data: the folder (empty for the run's own) and the split.
        keys: str [n], one per item; equal items have equal keys in every run.
        labels: int64 [n], the true labels.
        answers: SHA-256 of a flatbuffer -> int64 [n], its answers.
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
        """Writes the file atomically; equal books give equal bytes."""
        arrays: dict[str, Any] = {
            _MODEL_PREFIX + sha256: self.answers[sha256] for sha256 in sorted(self.answers)
        }
        stream = BytesIO()
        np.savez(stream, source=np.array(self.source), keys=self.keys, labels=self.labels, **arrays)
        write_atomic(run.file(ANSWERS), stream.getvalue())


def load(run: Run) -> AnswerBook | None:
    """The run's answers; None if there are none or the file is damaged, since they can be computed again."""
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
    """The description of a book's data."""
    return f"{'' if data_dir is None else data_dir.resolve()}|{split or ''}"


def item_keys(examples: Labelled) -> npt.NDArray[np.str_]:
    """One key per item: a hash of the recording and its label, plus a counter for equal ones.

    The key uses the raw item, not its features, because models with different front ends get the same clip.
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
    examples: Labelled,
    answers: Mapping[str, npt.NDArray[np.int64]],
) -> AnswerBook:
    """Adds answers to the run's book; answers to other data or another split are discarded.

    Args:
        run: whose models gave the answers.
        data_dir: the folder that was evaluated; None for the run's own items.
        split: as requested.
        examples: the items.
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
