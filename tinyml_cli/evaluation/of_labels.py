"""The evaluation of models that tell labels apart: what sounds, images and gestures share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import registry
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import answer_book, on_device, validation_items
from tinyml_cli.evaluation.answers import FEATURE_TO_FLOAT, Answers, Int8Model, answer_inputs
from tinyml_cli.evaluation.decisions import LabelDecision, LabelRule, int8_thresholds, judge_labels
from tinyml_cli.evaluation.frame import Evaluation, Split
from tinyml_cli.evaluation.labelled import Labelled
from tinyml_cli.evaluation.measures import measure
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.fairness.decision import Example
from tinyml_cli.fairness.judged import JudgedItems, Thresholds
from tinyml_cli.outcomes.evaluations import EvaluatedLabels, ModelOnDevice, SoundOnDevice
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.statistics import chance
from tinyml_cli.statistics.metrics import Classification
from tinyml_cli.tflite import interpret
from tinyml_cli.wording import counted

CONFUSION = "report/confusion.png"

Items = TypeVar("Items", bound=Labelled)
Result = TypeVar("Result", bound=EvaluatedLabels)


class LabelEvaluation(Evaluation[Items, Answers, Result], Generic[Items, Result]):
    """A task names the class of its outcome, renders the page, and adds figures and tables of its own.

    Attributes:
        result: the class of the outcome.
        table: measures in the table for people, beside the recall: precision, AUC.
        asks_all: whether a board is asked about all items, not about `options.limit` of them.
        monitor_hint: how to start the command that plays a folder to a board.
        kept: the answers that `ask` left in the run.
    """

    result: type[Result]
    kept: answer_book.AnswerBook
    table: ClassVar[tuple[str, ...]] = ()
    asks_all: ClassVar[bool] = False
    monitor_hint: ClassVar[str] = "Play it: tinyml monitor"
    only_in_metrics: ClassVar[tuple[str, ...]] = ("curves", "mistakes", "calibration")

    def __init__(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> None:
        super().__init__(run, data_dir, split, options)
        self._float_model = run.require(self.manifest, MODEL_FLOAT32).read_bytes()
        self.model = self.int8_model(run.require(self.manifest, MODEL_INT8).read_bytes())
        self.labels = tuple(self.manifest.labels)

    def int8_model(self, flatbuffer: bytes) -> Int8Model:
        """Takes features as the firmware does."""
        return Int8Model(flatbuffer)

    def real(self, features: NDArray[Any]) -> interpret.FloatArray:
        """Features as the float model takes them, float32 [n, ...]."""
        return features * FEATURE_TO_FLOAT

    def more(self, items: Items, answers: Answers) -> Mapping[str, object]:
        """What `result` has beyond `EvaluatedLabels`; also `verdict`, where the task has one of its own."""
        return {}

    def ask(self, items: Items) -> Answers:
        """Runs both models, and keeps the answer to each item in the run."""
        self._check(items)
        inputs = self.model.inputs(items.features)
        answers = answer_inputs(self._float_model, self.model, self.real(items.features), inputs)
        chosen = {MODEL_FLOAT32: answers.float32.argmax(axis=1), MODEL_INT8: answers.int8.argmax(axis=1)}
        by_model = {self.manifest.artifacts[name].sha256: classes for name, classes in chosen.items()}
        self.kept = answer_book.keep(self.run, self.data_dir, self.split, items, by_model)
        return answers

    def _check(self, items: Items) -> None:
        where = str(self.data_dir or self.run.path)
        if not len(items.labels):
            raise TinymlError(
                "No examples to evaluate on",
                where,
                "Give a folder of recordings, one folder per word: tinyml evaluate --data DIR",
            )
        if items.labels.min() < 0 or items.labels.max() >= len(self.labels):
            raise TinymlError(
                f"The data has label number {items.labels.max()}, but the model has "
                f"{counted(len(self.labels), 'label')}",
                where,
                "Evaluate on data with the words of the run.",
            )

    def measure(self, items: Items, found: Answers) -> Result:
        measured = measure(self.labels, items, found)
        low, high = measured.int8.ci95
        verdict = (
            f"int8 accuracy {measured.int8.accuracy:.3f} (95 % interval {low:.3f}–{high:.3f}, "
            f"n = {len(items.labels)}), float32 {measured.float32.accuracy:.3f}."
        )
        known = {
            "run": str(self.run.path),
            "data": self.source,
            "note": items.note,
            "left_out": dict(items.left_out),
            "n": len(items.labels),
            "labels": list(self.labels),
            "device": self._device(items),
            "verdict": verdict,
        }
        return self.result.extending(measured, **{**known, **self.more(items, found)})

    def _device(self, items: Items) -> ModelOnDevice | SoundOnDevice | None:
        """A board's answers, compared with the reference on this computer; None for the host."""
        target = self.options.target
        if target is None:
            return None
        if self.options.part == "audio":
            return self.play(items, target)
        limit = len(items.labels) if self.asks_all else self.options.limit
        rows = some(len(items.labels), limit)
        return on_device.answers_to(self.run, target, self.model, items.features[rows], items.labels[rows])

    def play(self, items: Items, target: BuildTarget) -> SoundOnDevice:
        """What a board hears when items are played to its microphone.

        Raises:
            TinymlError: they are no sound.
        """
        advice = f"{self.monitor_hint} {self.run.path} --replay DIR"
        raise TinymlError("No audio to play", "--path audio", advice)

    def draw(self, outcome: Result, items: Items, found: Answers) -> Sequence[str]:
        from tinyml_cli.evaluation.plots import confusion_png

        result = outcome.int8
        low, high = result.ci95
        confusion_png(
            self.run.file(CONFUSION),
            Classification(self.labels, np.array(result.confusion, np.int64)),
            f"{self.run.path.resolve().name}, int8: {result.accuracy:.1%} ({low:.1%} to {high:.1%}), "
            f"n = {outcome.n}",
        )
        return (CONFUSION,)

    def rule(self) -> LabelRule | None:
        """How the board decides by a threshold; None where it does not."""
        return None

    def sources(self, items: Items) -> NDArray[np.str_]:
        """str [n], whom or what items come from; "" for nobody."""
        return items.groups

    def known_groups(self, sources: NDArray[np.str_]) -> Mapping[str, NDArray[np.str_]]:
        """Attribute -> str [n], groups of sources that the run itself knows; "" for none."""
        return {}

    def source_key(self, name: str, folder: Path) -> str:
        """What `sources` calls a source that a file in `folder` names."""
        return name

    def example(self, items: Items, row: int) -> Example:
        """An item to look at or to hear."""
        return Example()

    def decision(self, items: Items, found: Answers | None = None) -> LabelDecision | None:
        rule = self.rule()
        if rule is None:
            return None
        thresholds = int8_thresholds(self.model.output, rule.threshold)
        inputs = self.model.inputs(items.features)
        outputs = self.model.run(inputs) if found is None else found.int8
        sources = self.sources(items)
        test = judge_labels(
            outputs,
            np.asarray(items.labels, np.int64),
            self.labels,
            rule.quiet,
            thresholds,
            sources,
            self.known_groups(sources),
        )
        return LabelDecision(
            registry.task(self.manifest.task).items(self.manifest),
            rule,
            thresholds,
            test,
            inputs,
            self._validation(rule, thresholds) if self.data_dir is None else None,
            lambda row: self.example(items, row),
            self.source_key,
        )

    def _validation(self, rule: LabelRule, thresholds: Thresholds) -> JudgedItems | None:
        """The kept items of the validation split; None if there are none."""
        kept = validation_items.load(self.run, self.manifest)
        if kept is None:
            return None
        outputs = self.model.run(self.model.inputs(kept.features))
        known = self.known_groups(kept.sources)
        return judge_labels(outputs, kept.labels, self.labels, rule.quiet, thresholds, kept.sources, known)

    def show(self, outcome: Result) -> None:
        console.info(outcome.note)
        show_labels(outcome, self.table)

    def warning(self, outcome: Result) -> str:
        return chance.warning_of_answers(outcome.int8.confusion)


def show_labels(outcome: EvaluatedLabels, measures: Sequence[str]) -> None:
    """The table of labels, with these measures of int8 beside the recall: precision, AUC."""
    rows: list[list[object]] = []
    for label, counts in zip(outcome.labels, outcome.int8.confusion, strict=True):
        curve = outcome.curves.get(label)
        more = {"precision": outcome.int8.precision[label], "AUC": None if curve is None else curve.auc}
        shares = [outcome.float32.recall[label], outcome.int8.recall[label]]
        shares += [more[name] for name in measures]
        texts = ["-" if share is None else f"{share:.3f}" for share in shares]
        rows.append([label, sum(counts), *texts, *counts])
    named = f", {', '.join(measures)} and" if measures else ", and"
    title = f"Recall in float32 and int8{named} confusion in int8 (one column per answer)"
    console.table(title, ["Label", "n", "float32", "int8", *measures, *outcome.labels], rows)


def some(n: int, limit: int) -> NDArray[np.int64]:
    """At most `limit` of n rows, evenly spread."""
    return np.linspace(0, n - 1, min(limit, n)).astype(np.int64)
