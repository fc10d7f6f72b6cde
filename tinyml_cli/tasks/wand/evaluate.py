"""tinyml evaluate for the wand: both flatbuffers on held-out gestures, with and without the threshold."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tinyml_cli import recipes
from tinyml_cli.console import console
from tinyml_cli.drift.columns import gesture_values
from tinyml_cli.drift.keep import keep_reference
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import answer_book, on_device
from tinyml_cli.evaluation.answers import Int8Model, answer_inputs
from tinyml_cli.evaluation.measures import measure
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.evaluation.outcome_files import write_outcome
from tinyml_cli.manifest import Manifest
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, RECIPE, Run
from tinyml_cli.tasks.wand.drift_columns import felt_reference
from tinyml_cli.tasks.wand.held_out import LabelledGestures
from tinyml_cli.tasks.wand.sources import source_of
from tinyml_cli.tasks.wand.threshold import operating_point
from tinyml_cli.tflite import interpret


class GestureModel(Int8Model):
    """An int8 flatbuffer whose input is the firmware's pictures of strokes, or windows of motion."""

    def __init__(self, model: bytes, recipe: WandRecipe) -> None:
        super().__init__(model)
        self._recipe = recipe

    def inputs(self, features: NDArray[Any]) -> interpret.Int8Array:
        """int8 [n, ...] of integer features, in the firmware's integer arithmetic."""
        source = self._source
        return source_of(self._recipe).quantize(features, self._recipe, source.scale, source.zero_point)


def evaluate_gestures(
    run: Run,
    takes: LabelledGestures,
    data_dir: Path | None,
    options: EvaluationOptions,
    split: str | None = None,
) -> dict[str, Any]:
    """Evaluates both flatbuffers, and writes report/report.html, metrics.json and confusion.png.

    Args:
        run: holds both flatbuffers.
        takes: the test data.
        data_dir: where they come from; None: the run.
        options: where the int8 model runs.
        split: as requested.

    Returns:
        The keys in docs/json.md.

    Raises:
        TinymlError: a flatbuffer is missing or stale, or a board does not answer.
    """
    manifest, recipe = run.manifest(), recipes.load(run.file(RECIPE))
    assert isinstance(recipe, WandRecipe)
    if manifest.gesture is None:
        raise TinymlError(
            "The manifest lacks its wand section", str(run.path), f"Train it again: {run.train_again()}"
        )
    float_model = run.require(manifest, MODEL_FLOAT32).read_bytes()
    model = GestureModel(run.require(manifest, MODEL_INT8).read_bytes(), recipe)
    real = source_of(recipe).to_float(takes.features, recipe)
    device = on_device.answers_to_some(
        run, options, model, takes.features, takes.labels, "Move it: tinyml monitor"
    )
    inputs = model.inputs(takes.features)
    answers = answer_inputs(float_model, model, real, inputs)
    _keep_reference(run, manifest, model, takes, inputs, answers.int8)
    chosen = {MODEL_FLOAT32: answers.float32.argmax(axis=1), MODEL_INT8: answers.int8.argmax(axis=1)}
    by_model = {manifest.artifacts[name].sha256: classes for name, classes in chosen.items()}
    answer_book.keep(run, data_dir, split, takes, by_model)
    outcome: dict[str, Any] = {
        "run": str(run.path),
        "data": str(data_dir) if data_dir else None,
        "note": takes.note,
        "left_out": dict(takes.left_out),
        "n": len(takes.labels),
        "labels": manifest.labels,
        **measure(tuple(manifest.labels), takes, answers),
        "at_threshold": {
            "float32": operating_point(answers.float32, takes.labels, manifest.gesture.threshold),
            "int8": operating_point(answers.scores, takes.labels, manifest.gesture.threshold),
        },
        "device": device,
    }
    _write(run, outcome, takes, recipe)
    _show(outcome)
    return outcome


def _keep_reference(
    run: Run,
    manifest: Manifest,
    model: GestureModel,
    takes: LabelledGestures,
    inputs: interpret.Int8Array,
    outputs: interpret.Int8Array,
) -> None:
    """A board classifies a stroke when it is complete, and raw motion in windows of its own choice."""
    gesture = manifest.gesture
    assert gesture is not None
    if gesture.imu is None:
        keep_reference(run, takes.note, outputs, inputs, partial(gesture_values, gesture, manifest.labels))
        return
    felt = felt_reference(gesture, manifest.labels, model, takes.features, takes.labels)
    manifest = run.manifest()
    manifest.reference = felt.model_copy(update={"of": f"{felt.of}; {takes.note}"})
    run.save(manifest)


def _write(run: Run, outcome: dict[str, Any], takes: LabelledGestures, recipe: WandRecipe) -> None:
    from tinyml_cli.tasks.wand.report import render

    pictures = takes.features if recipe.input == "stroke" else None
    write_outcome(run, outcome, render(run.path.resolve().name, outcome, run.manifest(), pictures))


def _show(outcome: dict[str, Any]) -> None:
    console.info(outcome["note"])
    rows: list[list[object]] = []
    for label, counts in zip(outcome["labels"], outcome["int8"]["confusion"], strict=True):
        shares = (outcome["float32"]["recall"][label], outcome["int8"]["recall"][label])
        texts = ["-" if share is None else f"{share:.3f}" for share in shares]
        rows.append([label, sum(counts), *texts, *counts])
    columns = ["Label", "n", "float32", "int8", *outcome["labels"]]
    console.table("Recall in float32 and int8, and confusion in int8", columns, rows)
    point = outcome["at_threshold"]["int8"]
    texts_of = [
        [
            what,
            "-" if point[share] is None else f"{point[share]:.3f}",
            "{:.3f}–{:.3f}".format(*point[ci95]),
            n,
        ]
        for what, share, ci95, n in (
            ("correct, unknown included", "accuracy", "ci95", outcome["n"]),
            ("others classified as a gesture", "false_accepts", "false_accepts_ci95", point["n_unknown"]),
            ("gestures not recognised", "missed", "missed_ci95", point["n_gestures"]),
        )
    ]
    title = f"int8 with the threshold {point['threshold']:.2f}"
    console.table(title, ["", "share", "95 % interval", "n"], texts_of)
