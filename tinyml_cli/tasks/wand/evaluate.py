"""tinyml evaluate for the wand: both flatbuffers on held-out gestures, with and without the threshold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import recipes
from tinyml_cli.console import console
from tinyml_cli.drift.columns import gesture_values
from tinyml_cli.drift.keep import shuffled_reference
from tinyml_cli.evaluation.answers import Answers, Int8Model
from tinyml_cli.evaluation.decisions import LabelRule
from tinyml_cli.evaluation.embed import motion_uri
from tinyml_cli.evaluation.frame import Split, section
from tinyml_cli.evaluation.of_labels import LabelEvaluation
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.fairness.decision import Example
from tinyml_cli.features.drift_settings import Reference
from tinyml_cli.features.gesture_settings import UNKNOWN
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.evaluations import EvaluatedGestures
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.tasks.wand import held_out
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


class GestureEvaluation(LabelEvaluation[LabelledGestures, EvaluatedGestures]):
    """Also with the threshold below which a motion is unknown."""

    result = EvaluatedGestures
    monitor_hint = "Move it: tinyml monitor"
    model: GestureModel

    def __init__(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> None:
        self._recipe = recipes.load_as(run.file(RECIPE), WandRecipe)
        super().__init__(run, data_dir, split, options)
        self._gesture = section(run, self.manifest.gesture, "gesture")

    def int8_model(self, flatbuffer: bytes) -> GestureModel:
        return GestureModel(flatbuffer, self._recipe)

    def real(self, features: NDArray[Any]) -> interpret.FloatArray:
        return source_of(self._recipe).to_float(features, self._recipe)

    def load(self) -> LabelledGestures:
        return held_out.load(self.run, self.data_dir, self.split)

    def more(self, items: LabelledGestures, answers: Answers) -> Mapping[str, object]:
        threshold = self._gesture.threshold
        return {
            "at_threshold": {
                "float32": operating_point(answers.float32, items.labels, threshold),
                "int8": operating_point(answers.scores, items.labels, threshold),
            }
        }

    def rule(self) -> LabelRule:
        """Below the threshold a motion is unknown."""

        def set_threshold(manifest: Manifest, value: float) -> None:
            manifest.gesture = self._gesture.model_copy(update={"threshold": value})

        return LabelRule(
            (UNKNOWN,), self._gesture.threshold, set_threshold, stale={"evaluate": "tinyml evaluate"}
        )

    def sources(self, items: LabelledGestures) -> NDArray[np.str_]:
        return items.people

    def known_groups(self, sources: NDArray[np.str_]) -> Mapping[str, NDArray[np.str_]]:
        """Who made the takes."""
        return {"person": sources}

    def example(self, items: LabelledGestures, row: int) -> Example:
        from tinyml_cli.tasks.wand.report import enlarged

        is_stroke = self._recipe.input == "stroke"
        picture = enlarged(items.features[row]) if is_stroke else motion_uri(items.features[row])
        return Example(picture, style="photo" if is_stroke else "features")

    def page(self, outcome: EvaluatedGestures, items: LabelledGestures) -> str:
        from tinyml_cli.tasks.wand.report import render

        pictures = items.features if self._recipe.input == "stroke" else None
        return render(self.run.path.resolve().name, outcome, self.run.manifest(), pictures)

    def reference(self, items: LabelledGestures, found: Answers) -> Reference:
        """A board classifies a stroke when it is complete, and raw motion in windows of its own choice."""
        gesture, labels = self._gesture, self.manifest.labels
        if gesture.imu is None:
            inputs = self.model.inputs(items.features)
            values_of = partial(gesture_values, gesture, labels)
            return shuffled_reference(items.note, found.int8, inputs, values_of)
        felt = felt_reference(gesture, labels, self.model, items.features, items.labels)
        return felt.model_copy(update={"of": f"{felt.of}; {items.note}"})

    def show(self, outcome: EvaluatedGestures) -> None:
        super().show(outcome)
        point = outcome.at_threshold["int8"]
        rows: list[list[object]] = [
            [what, "-" if share is None else f"{share:.3f}", "{:.3f}–{:.3f}".format(*ci95), n]
            for what, share, ci95, n in (
                ("correct, unknown included", point.accuracy, point.ci95, outcome.n),
                (
                    "others classified as a gesture",
                    point.false_accepts,
                    point.false_accepts_ci95,
                    point.n_unknown,
                ),
                ("gestures not recognised", point.missed, point.missed_ci95, point.n_gestures),
            )
        ]
        console.table(
            f"int8 with the threshold {point.threshold:.2f}", ["", "share", "95 % interval", "n"], rows
        )
