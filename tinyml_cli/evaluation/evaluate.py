"""tinyml evaluate: how good the float and the int8 model are on recordings they never saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinyml_cli.adopt import MODEL_TASK
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.metrics import Classification
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.compare import tflm_mismatches
from tinyml_cli.tflite.graph import parse

METRICS = "report/metrics.json"
CONFUSION = "report/confusion.png"
TFLM_SAMPLE = 100

# The float model takes the feature divided by this (the convention of TFLM's micro_speech).
FEATURE_TO_FLOAT = np.float32(1 / 25.6)


def evaluate(run: Run, data_dir: Path | None = None, split: str | None = None) -> dict[str, Any]:
    """Evaluates both flatbuffers; int8 inputs are quantised in integers exactly as firmware does.

    Args:
        run: holds both flatbuffers.
        data_dir: a folder of recordings; the run's own test split by default.
        split: which part of the data; the task's choice by default.

    Returns:
        n, groups (speakers), note (where the data comes from), labels, float32 and int8 (accuracy, ci95,
        confusion with rows true, recall, precision), agreement of the two, and tflm {compared, mismatches,
        max_difference}. Also written to report/metrics.json, drawn in report/confusion.png and kept in the
        manifest.

    Raises:
        TinymlError: a flatbuffer is missing or stale, or there is nothing to evaluate on.
    """
    from tinyml_cli.tasks import get_task

    manifest = run.manifest()
    if manifest.task == MODEL_TASK:
        raise TinymlError(
            "The run was made from a model alone: it has no test data, and its answers have no meaning here",
            str(run.path),
            "Judge any int8 model on labelled data: tinyml bench MODEL --data DIR",
        )
    float_model = run.require(manifest, MODEL_FLOAT32).read_bytes()
    int8_model = run.require(manifest, MODEL_INT8).read_bytes()
    examples = get_task(manifest.task).load_evaluation_set(run, data_dir, _part(split))
    truth = np.asarray(examples.labels, np.int64)
    _check(truth, manifest, data_dir, run)

    float_outputs, int8_outputs, tflm = _infer(float_model, int8_model, examples.features)
    labels = tuple(manifest.labels)
    exact = Classification.of(labels, truth, float_outputs.argmax(axis=1))
    rounded = Classification.of(labels, truth, int8_outputs.argmax(axis=1))
    outcome = {
        "run": str(run.path),
        "data": str(data_dir) if data_dir else None,
        "note": examples.note,
        "n": len(truth),
        "groups": len(np.unique(examples.groups)),
        "labels": list(labels),
        "float32": exact.as_dict(),
        "int8": rounded.as_dict(),
        "agreement": float(np.mean(float_outputs.argmax(axis=1) == int8_outputs.argmax(axis=1))),
        "tflm": tflm,
    }
    _report(run, manifest, outcome, rounded)
    console.info(examples.note)
    _show(exact, rounded)
    return outcome


def _part(split: str | None) -> Literal["test", "all"] | None:
    match split:
        case None | "test" | "all":
            return split
    raise TinymlError(f"There is no split `{split}`", "--split", "Use test, all, or leave it out.")


def _check(truth: npt.NDArray[np.int64], manifest: Manifest, data_dir: Path | None, run: Run) -> None:
    if not len(truth):
        raise TinymlError(
            "There are no examples to evaluate on",
            str(data_dir or run.path),
            "Give a folder of recordings with a folder per word: tinyml evaluate --data DIR",
        )
    if truth.min() < 0 or truth.max() >= len(manifest.labels):
        raise TinymlError(
            f"The data has label number {truth.max()}, the model {len(manifest.labels)} labels",
            str(data_dir or run.path),
            "Evaluate on data with the words of the run.",
        )


def _infer(
    float_model: bytes, int8_model: bytes, features: npt.NDArray[np.uint16]
) -> tuple[interpret.FloatArray, interpret.Int8Array, dict[str, int | None]]:
    """Float outputs, int8 outputs (LiteRT), and how TFLM agrees on an evenly spread sample."""
    from tinyml_cli.features.audio_frontend import quantize_features

    source, _ = interpret.io_quantization(parse(int8_model))
    inputs = quantize_features(features, source.scale, source.zero_point)
    chosen = np.linspace(0, len(inputs) - 1, min(TFLM_SAMPLE, len(inputs))).astype(np.int64)
    with console.progress(2 * len(inputs) + len(chosen), "evaluating") as bar:
        float_outputs = interpret.run_float(float_model, features * FEATURE_TO_FLOAT, bar.advance)
        int8_outputs = interpret.run_int8(int8_model, inputs, "litert", bar.advance)
        mismatches, largest = tflm_mismatches(int8_model, inputs[chosen], int8_outputs[chosen], bar)
    tflm = {"compared": len(chosen), "mismatches": mismatches, "max_difference": largest}
    return float_outputs, int8_outputs, tflm


def _report(run: Run, manifest: Manifest, outcome: dict[str, Any], rounded: Classification) -> None:
    from tinyml_cli.evaluation.plots import confusion_png

    low, high = rounded.ci95
    title = (
        f"{run.path.resolve().name}, int8: {rounded.accuracy:.1%} ({low:.1%} to {high:.1%}), n = {rounded.n}"
    )
    write_atomic(run.file(METRICS), json.dumps(outcome, indent=2, ensure_ascii=False) + "\n")
    confusion_png(run.file(CONFUSION), rounded, title)
    manifest.metrics["evaluate"] = {key: value for key, value in outcome.items() if key != "run"}
    for name in (METRICS, CONFUSION):
        run.record(manifest, name, "tinyml evaluate", [MODEL_FLOAT32, MODEL_INT8])
    run.save(manifest)


def _show(exact: Classification, rounded: Classification) -> None:
    rows: list[list[object]] = []
    for index, label in enumerate(rounded.labels):
        shares = (exact.recall[label], rounded.recall[label], rounded.precision[label])
        texts = ["-" if share is None else f"{share:.3f}" for share in shares]
        rows.append([label, int(rounded.confusion[index].sum()), *texts, *rounded.confusion[index].tolist()])
    console.table(
        "Recall in float32 and int8, precision and confusion in int8 (a column per answer)",
        ["Label", "n", "float32", "int8", "precision", *rounded.labels],
        rows,
    )
