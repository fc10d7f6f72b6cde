"""How good each model is on its test set, with every single answer kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli import registry
from tinyml_cli.comparison.subjects import ComparedModel
from tinyml_cli.console import console
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import answer_book
from tinyml_cli.evaluation.answer_book import AnswerBook
from tinyml_cli.evaluation.answers import FEATURE_TO_FLOAT, Int8Model
from tinyml_cli.outcomes.anomalies import EvaluatedRecordings
from tinyml_cli.outcomes.curves import EvaluatedCurve
from tinyml_cli.outcomes.evaluations import EvaluatedLabels
from tinyml_cli.run import Run
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse


@dataclass(frozen=True)
class Quality:
    """How good one model is.

    Attributes:
        measure: "accuracy", "auc", or "R²" of a curve.
        value: 0 to 1.
        ci95: its Wilson interval; None for a measure that has none here.
        n: items.
        right: item key -> whether the answer was right; None where single answers are not known.
    """

    measure: str
    value: float
    ci95: tuple[float, float] | None
    n: int
    right: dict[str, bool] | None


def judge(subjects: Sequence[ComparedModel], data: Path | None, split: str | None) -> dict[str, Quality]:
    """Name of each subject that can be judged -> its quality.

    Lone files are judged on the test set of the first run that can ask a single model, where they take its
    inputs.

    Raises:
        TinymlError: unusable data.
    """
    found: dict[str, Quality] = {}
    runs = {subject.run.path.resolve(): subject.run for subject in subjects if subject.run is not None}
    first: tuple[Run, EvaluationSet] | None = None
    for path, run in runs.items():
        mine = [s for s in subjects if s.run is not None and s.run.path.resolve() == path]
        if not registry.task(run.manifest().task).compares_clips:
            found.update(_by_task(run, mine, data, split))
            continue
        book, examples = _asked(run, mine, data, split)
        found.update({s.name: _quality(book, s.sha256) for s in mine if s.sha256 in book.answers})
        first = first or ((run, examples) if examples is not None else None)
    lone = [subject for subject in subjects if subject.run is None]
    asking = [run for run in runs.values() if registry.task(run.manifest().task).compares_clips]
    if lone and asking:
        found.update(_lone(lone, first or _examples(asking[0], data, split)))
    elif lone and runs:
        names = ", ".join(subject.name for subject in lone)
        tasks = ", ".join(sorted({run.manifest().task for run in runs.values()}))
        console.warn(f"no accuracy for {names}: runs of {tasks} judge only models of their own")
    return found


def _examples(run: Run, data: Path | None, split: str | None) -> tuple[Run, EvaluationSet]:
    chosen: Any = split
    return run, registry.task(run.manifest().task).load_evaluation_set(run, data, chosen)


def _asked(
    run: Run, subjects: Sequence[ComparedModel], data: Path | None, split: str | None
) -> tuple[AnswerBook, EvaluationSet | None]:
    """The run's answers, with models asked that were not asked before."""
    book = answer_book.load(run)
    known = book is not None and book.source == answer_book.source_of(data, split)
    new = [s for s in subjects if not (known and book is not None and s.sha256 in book.answers)]
    if book is not None and not new:
        return book, None
    _, examples = _examples(run, data, split)
    if not len(examples.labels):
        raise TinymlError(
            "No examples to compare on", str(data or run.path), "Give recordings with --data DIR."
        )
    with console.progress(len(new) * len(examples.labels), "answering") as bar:
        answers = {s.sha256: classes(s.data, examples, bar.advance) for s in new}
    return answer_book.keep(run, data, split, examples, answers), examples


def classes(model: bytes, examples: EvaluationSet, advance: Any = None) -> npt.NDArray[np.int64]:
    """The class of the highest score, int64 [n]; integer models take features as firmware quantises them."""
    graph = parse(model)
    if graph.tensors[graph.inputs[0]].dtype == "int8":
        integer = Int8Model(model)
        outputs: npt.NDArray[Any] = integer.run(integer.inputs(examples.features), advance)
    else:
        outputs = interpret.run_float(model, examples.features * FEATURE_TO_FLOAT, advance)
    chosen: npt.NDArray[np.int64] = outputs.argmax(axis=1).astype(np.int64)
    return chosen


def _quality(book: AnswerBook, sha256: str) -> Quality:
    right = book.right(sha256)
    hits, n = sum(right.values()), len(right)
    return Quality("accuracy", hits / n if n else 0.0, wilson_interval(hits, n), n, right)


def _lone(subjects: Sequence[ComparedModel], place: tuple[Run, EvaluationSet]) -> dict[str, Quality]:
    run, examples = place
    keys = answer_book.item_keys(examples)
    found = {}
    for subject in subjects:
        try:
            answers = classes(subject.data, examples)
        except TinymlError as error:
            console.warn(
                f"{subject.name} cannot be evaluated on the test set of {run.path.name}: {error.what}"
            )
            continue
        book = AnswerBook("", keys, np.asarray(examples.labels, np.int64), {subject.sha256: answers})
        found[subject.name] = _quality(book, subject.sha256)
    return found


def _by_task(
    run: Run, subjects: Sequence[ComparedModel], data: Path | None, split: str | None
) -> dict[str, Quality]:
    """A task with an evaluation of its own judges float32 and int8; answers where it keeps a book."""
    from tinyml_cli.evaluation.evaluate import evaluate

    outcome = evaluate(run, data, split)
    book = answer_book.load(run)
    found = {}
    for subject in subjects:
        if book is not None and subject.sha256 in book.answers:
            found[subject.name] = _quality(book, subject.sha256)
            continue
        if isinstance(outcome, EvaluatedLabels) and subject.kind in ("float32", "int8"):
            answered = outcome.float32 if subject.kind == "float32" else outcome.int8
            found[subject.name] = Quality("accuracy", answered.accuracy, answered.ci95, outcome.n, None)
        elif isinstance(outcome, EvaluatedRecordings) and subject.kind in ("float32", "int8"):
            scored = outcome.float32 if subject.kind == "float32" else outcome.int8
            found[subject.name] = Quality("accuracy", scored.accuracy, None, outcome.n, None)
        elif isinstance(outcome, EvaluatedCurve) and subject.kind in ("float32", "int8"):
            drawn = outcome.float32 if subject.kind == "float32" else outcome.int8
            found[subject.name] = Quality("R²", max(0.0, drawn.r_squared), None, outcome.n, None)
    return found
