"""tinyml evaluate for images: both flatbuffers on held-out images, by size and in low light."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.drift.columns import image_values
from tinyml_cli.drift.keep import keep_reference
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import answer_book, on_device
from tinyml_cli.evaluation.answers import Int8Model, answer_inputs
from tinyml_cli.evaluation.measures import measure
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.evaluation.outcome_files import write_outcome
from tinyml_cli.features.image import pixel_transform, quantize_pixels
from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.files import write_atomic
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.tasks.vww import conditions as image_conditions
from tinyml_cli.tasks.vww.held_out import LabelledImages
from tinyml_cli.tflite import interpret
from tinyml_cli.training.image_batches import to_float

SHEET = "report/mistakes.png"

# Too long for the manifest.
_ONLY_IN_METRICS = ("low_light", "sizes")


class ImageModel(Int8Model):
    """An int8 flatbuffer whose input is the firmware's pixels."""

    def __init__(self, model: bytes, image: ImageInput) -> None:
        super().__init__(model)
        source = self._source
        self._transform = pixel_transform(source.scale, source.zero_point, image.low, image.high)

    def inputs(self, features: NDArray[Any]) -> interpret.Int8Array:
        """int8 [n, size, size, channels] of uint8 pixels, in the firmware's integer arithmetic."""
        return quantize_pixels(features, self._transform)

    def classes(self, pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The class of the highest score for each image, int64 [n]."""
        chosen: NDArray[np.int64] = self.run(self.inputs(pixels)).argmax(axis=1)
        return chosen


def evaluate_images(
    run: Run,
    images: LabelledImages,
    data_dir: Path | None,
    options: EvaluationOptions,
    split: str | None = None,
) -> dict[str, Any]:
    """Evaluates both flatbuffers; writes report/report.html, metrics.json, confusion.png and mistakes.png.

    Args:
        run: holds both flatbuffers.
        images: the test data.
        data_dir: where the images come from; None: the run.
        options: where the int8 model runs.
        split: as requested.

    Returns:
        The keys in docs/json.md.

    Raises:
        TinymlError: a flatbuffer is missing or stale, or a board does not answer.
    """
    manifest = run.manifest()
    if manifest.image is None:
        raise TinymlError(
            "The manifest lacks its image section", str(run.path), f"Train it again: {run.train_again()}"
        )
    float_model = run.require(manifest, MODEL_FLOAT32).read_bytes()
    model = ImageModel(run.require(manifest, MODEL_INT8).read_bytes(), manifest.image)
    device = on_device.answers_to_some(
        run,
        options,
        model,
        images.pixels,
        images.labels,
        "Show it a folder: tinyml monitor",
    )
    inputs = model.inputs(images.pixels)
    answers = answer_inputs(float_model, model, to_float(images.pixels, manifest.image), inputs)
    keep_reference(run, images.note, answers.int8, inputs, partial(image_values, manifest.labels))
    chosen = {MODEL_FLOAT32: answers.float32.argmax(axis=1), MODEL_INT8: answers.int8.argmax(axis=1)}
    by_model = {manifest.artifacts[name].sha256: classes for name, classes in chosen.items()}
    answer_book.keep(run, data_dir, split, images, by_model)
    outcome: dict[str, Any] = {
        "run": str(run.path),
        "data": str(data_dir) if data_dir else None,
        "note": images.note,
        "left_out": dict(images.left_out),
        "n": len(images.labels),
        "labels": manifest.labels,
        **measure(tuple(manifest.labels), images, answers),
        "sizes": image_conditions.by_size(images, answers.int8.argmax(axis=1), manifest.labels),
        "low_light": image_conditions.low_light(model.classes, images, manifest.labels),
        "device": device,
    }
    _write(run, outcome, images)
    _show(outcome)
    return outcome


def _write(run: Run, outcome: dict[str, Any], images: LabelledImages) -> None:
    from tinyml_cli.pages.contact_sheet import draw
    from tinyml_cli.tasks.vww.report import render

    write_atomic(run.file(SHEET), draw(outcome["mistakes"], images.pixels))
    page = render(run.path.resolve().name, outcome, run.manifest(), images)
    write_outcome(run, outcome, page, [SHEET], _ONLY_IN_METRICS)


def _show(outcome: dict[str, Any]) -> None:
    console.info(outcome["note"])
    rows: list[list[object]] = []
    for label, counts in zip(outcome["labels"], outcome["int8"]["confusion"], strict=True):
        shares = (outcome["float32"]["recall"][label], outcome["int8"]["recall"][label])
        precision = outcome["int8"]["precision"][label]
        texts = ["-" if share is None else f"{share:.3f}" for share in (*shares, precision)]
        rows.append([label, sum(counts), *texts, *counts])
    columns = ["Label", "n", "float32", "int8", "precision", *outcome["labels"]]
    console.table("Recall in float32 and int8, precision and confusion in int8", columns, rows)
    _show_conditions("By size", outcome["sizes"], [])
    _show_conditions("In low light (simulated)", outcome["low_light"], outcome["labels"])


def _show_conditions(title: str, entries: list[dict[str, Any]], labels: list[str]) -> None:
    """A table with the recall of each label: a rising accuracy may hide a falling recall."""
    rows: list[list[object]] = [
        [
            entry["name"],
            entry["n"],
            f"{entry['share']:.3f}",
            "{:.3f}–{:.3f}".format(*entry["ci95"]),
            *("-" if entry["recall"][label] is None else f"{entry['recall'][label]:.3f}" for label in labels),
        ]
        for entry in entries
    ]
    if rows:
        columns = ["", "n", "int8", "95 % interval", *(f"recall of {label}" for label in labels)]
        console.table(title, columns, rows)
