"""tinyml evaluate for images: both flatbuffers on held-out images, by size and in low light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.drift.columns import image_values
from tinyml_cli.drift.keep import shuffled_reference
from tinyml_cli.evaluation.answers import Answers, Int8Model
from tinyml_cli.evaluation.decisions import LabelRule
from tinyml_cli.evaluation.frame import section
from tinyml_cli.evaluation.of_labels import LabelEvaluation
from tinyml_cli.fairness.decision import Example
from tinyml_cli.features.drift_settings import Reference
from tinyml_cli.features.image import pixel_transform, quantize_pixels
from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.evaluations import Condition, EvaluatedImages
from tinyml_cli.pages.contact_sheet import pixels_uri
from tinyml_cli.tasks.vww import conditions as image_conditions
from tinyml_cli.tasks.vww import held_out
from tinyml_cli.tasks.vww.held_out import LabelledImages
from tinyml_cli.tflite import interpret
from tinyml_cli.training.image_batches import to_float

SHEET = "report/mistakes.png"


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


class ImageEvaluation(LabelEvaluation[LabelledImages, EvaluatedImages]):
    """By size of the object and in low light; with the mistakes on a sheet."""

    result = EvaluatedImages
    table = ("precision",)
    monitor_hint = "Show it a folder: tinyml monitor"
    only_in_metrics = (*LabelEvaluation.only_in_metrics, "low_light", "sizes")
    model: ImageModel

    @property
    def _image(self) -> ImageInput:
        return section(self.run, self.manifest.image, "image")

    def int8_model(self, flatbuffer: bytes) -> ImageModel:
        return ImageModel(flatbuffer, self._image)

    def real(self, features: NDArray[Any]) -> interpret.FloatArray:
        return to_float(features, self._image)

    def load(self) -> LabelledImages:
        return held_out.load(self.run, self.data_dir, self.split)

    def more(self, items: LabelledImages, answers: Answers) -> Mapping[str, object]:
        labels = list(self.labels)
        return {
            "sizes": image_conditions.by_size(items, answers.int8.argmax(axis=1), labels),
            "low_light": image_conditions.low_light(self.model.classes, items, labels),
        }

    def rule(self) -> LabelRule:
        """The label appears at `threshold_on`; the hysteresis keeps its width."""
        presence = section(self.run, self.manifest.presence, "presence")

        def set_threshold(manifest: Manifest, value: float) -> None:
            off = max(0.0, round(value - presence.threshold_on + presence.threshold_off, 4))
            manifest.presence = presence.model_copy(update={"threshold_on": value, "threshold_off": off})

        return LabelRule(
            () if self.manifest.background is None else (self.manifest.background,),
            presence.threshold_on,
            set_threshold,
            f"A board reports a label after {presence.frames_on} such images in a row",
        )

    def sources(self, items: LabelledImages) -> NDArray[np.str_]:
        return items.names

    def source_key(self, name: str, folder: Path) -> str:
        return held_out.name_of(name, self._folders(folder))

    def _folders(self, folder: Path) -> list[Path]:
        """Where a file that a list names may lie: beside the list, or in the data."""
        data = self.manifest.data
        trained_on = None if data is None or data.path is None else Path(data.path)
        return [each for each in (folder, self.data_dir, trained_on) if each is not None]

    def example(self, items: LabelledImages, row: int) -> Example:
        return Example(pixels_uri(items.pixels[row]), style="photo")

    def draw(self, outcome: EvaluatedImages, items: LabelledImages, found: Answers) -> Sequence[str]:
        from tinyml_cli.pages.contact_sheet import draw

        write_atomic(self.run.file(SHEET), draw(outcome.mistakes, items.pixels))
        return (*super().draw(outcome, items, found), SHEET)

    def page(self, outcome: EvaluatedImages, items: LabelledImages) -> str:
        from tinyml_cli.tasks.vww.report import render

        return render(self.run.path.resolve().name, outcome, self.run.manifest(), items)

    def reference(self, items: LabelledImages, found: Answers) -> Reference:
        inputs = self.model.inputs(items.pixels)
        return shuffled_reference(items.note, found.int8, inputs, partial(image_values, self.manifest.labels))

    def show(self, outcome: EvaluatedImages) -> None:
        super().show(outcome)
        _show_conditions("By size", outcome.sizes, [])
        _show_conditions("In low light (simulated)", outcome.low_light, outcome.labels)


def _show_conditions(title: str, entries: Sequence[Condition], labels: list[str]) -> None:
    """A table with the recall of each label: a rising accuracy may hide a falling recall."""
    rows: list[list[object]] = []
    for entry in entries:
        recalls = [(entry.recall or {})[label] for label in labels]
        texts = ["-" if recall is None else f"{recall:.3f}" for recall in recalls]
        limits = "{:.3f}–{:.3f}".format(*entry.ci95)
        rows.append([entry.name, entry.n, f"{entry.share:.3f}", limits, *texts])
    if rows:
        columns = ["", "n", "int8", "95 % interval", *(f"recall of {label}" for label in labels)]
        console.table(title, columns, rows)
