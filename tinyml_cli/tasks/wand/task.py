"""The magic wand: gestures from strokes drawn in the air, or from raw motion."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import checks, recipes
from tinyml_cli.data.splits import SPLITS
from tinyml_cli.drift import columns as drift
from tinyml_cli.drift.image_columns import Values
from tinyml_cli.evaluation.frame import Split
from tinyml_cli.evaluation.labelled import kept
from tinyml_cli.evaluation.membership import Losses, of_labels
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.inspection.model_input import ModelInput
from tinyml_cli.link.protocol import Event
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Data
from tinyml_cli.models import build_model, options
from tinyml_cli.outcomes.stages import Trained
from tinyml_cli.pages.items import Items
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.tasks.spec import Augmented, TaskSpec
from tinyml_cli.tasks.trial import Trial
from tinyml_cli.tasks.wand import held_out as wand_held_out
from tinyml_cli.tasks.wand import search as wand_search
from tinyml_cli.tasks.wand import settings as settings_wand
from tinyml_cli.tasks.wand.monitor import GestureMonitor
from tinyml_cli.tasks.wand.source import GestureSource, LabelledMotions
from tinyml_cli.tasks.wand.sources import source_of
from tinyml_cli.tasks.wand.takes import holds_motion
from tinyml_cli.tasks.wand.threshold import choose_threshold
from tinyml_cli.tflite.graph import Graph
from tinyml_cli.training import class_weights
from tinyml_cli.training.batches import Batch
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.run_training import RunTraining, classifier_manifest

if TYPE_CHECKING:
    import keras

    from tinyml_cli.tasks.wand.attacked import AttackedTakes
    from tinyml_cli.tasks.wand.evaluate import GestureEvaluation
    from tinyml_cli.training.trainer import Fitted


_DRAWN = "It was trained only on generated motion: real hands and boards differ."
_STROKES = Items("stroke", "strokes", "writers", "generated strokes", "recorded gestures", _DRAWN)
_MOTIONS = Items("take", "takes", "people", "generated motion", "recorded gestures", _DRAWN)


class Wand(TaskSpec):
    """The task `wand`."""

    name = "wand"
    recipe_schema = WandRecipe
    data_kind = "motion"
    drift_kept_by = "evaluate"
    firmware_app = "wand"
    peripherals = ("bluetooth",)
    monitor = GestureMonitor

    def items(self, manifest: Manifest) -> Items:
        """What reports count."""
        gesture = manifest.gesture
        return _STROKES if gesture is None or gesture.imu is None else _MOTIONS

    def load_data(self, recipe: WandRecipe) -> LabelledMotions:
        """The recipe's takes, split.

        Raises:
            TinymlError: unusable data, or nothing left of a gesture for a split.
        """
        return source_of(recipe).load(recipe)

    def check(self, recipe: WandRecipe) -> None:
        """Refuses a model that does not exist, and data that is not there.

        Raises:
            TinymlError: which of them.
        """
        options.check(recipe.model.name or source_of(recipe).network, recipe.model.options)
        if recipe.data_path is not None:
            checks.data(Path(recipe.data_path))

    def settled(self, recipe: WandRecipe) -> WandRecipe:
        """The recipe with the rate and lengths that its data has.

        Raises:
            TinymlError: unreadable data.
        """
        if recipe.input == "stroke":
            return recipe
        from tinyml_cli.tasks.wand.imu_input import settled

        return settled(recipe)

    def build_model(self, recipe: WandRecipe) -> keras.Model:
        """An untrained model."""
        source = source_of(recipe)
        name = recipe.model.name or source.network
        return build_model(name, source.shape(recipe), len(recipe.model_labels), recipe.model.options)

    def search_space(self, trial: Trial, recipe: WandRecipe) -> Mapping[str, Any]:
        """Filters of the three convolutions over a stroke's picture, and rate."""
        return wand_search.space(trial)

    def augmented(self, recipe: WandRecipe, root: Path, most: int, variations: int) -> Augmented:
        """As training varies them; see tasks/wand/preview.py."""
        from tinyml_cli.tasks.wand.preview import varied_takes

        if holds_motion(root):
            recipe = self.settled(recipe.model_copy(update={"input": "imu"}))
        return varied_takes(root, recipe, most, variations)

    def train(self, run: Run, recipe: WandRecipe, resume: Resume | bool = False) -> Trained:
        """Trains and writes model.keras, recipe.yaml and manifest.json.

        Args:
            run: where to write.
            recipe: what to train.
            resume: what to do with the checkpoint of a stopped training.

        Raises:
            TinymlError: unusable data, or packages that are missing.
        """
        training = RunTraining(run, recipe, resume)
        takes = self.load_data(recipe)
        training.begin()
        fitted, threshold = self._fit(run, recipe, takes, resume)
        wand_held_out.save(run, takes, recipe)
        manifest = _describe(recipe, takes, fitted, threshold)
        train, validation, test = (len(takes.part(split)) for split in SPLITS)
        return training.finish(
            manifest,
            fitted.model,
            [RECIPE, *wand_held_out.KEPT],
            (train, validation, test),
            notes=list(takes.notes),
            left_out=dict(takes.left_out),
        )

    def _fit(
        self, run: Run, recipe: WandRecipe, takes: LabelledMotions, resume: Resume | bool
    ) -> tuple[Fitted, dict[str, float]]:
        from tinyml_cli.training.classifier import Start, Validation, fit_classifier

        source, held = source_of(recipe), takes.part("validation")
        seen = source.to_float(source.features(held.items, recipe), recipe)
        batches = GestureBatches(source, takes.part("train"), recipe)
        fitted = fit_classifier(
            Start(lambda: self.build_model(recipe), recipe.seed),
            batches,
            Validation(lambda model: model.predict(seen, batch_size=256, verbose=0), held.labels),
            recipe.training,
            run.file("logs"),
            _fingerprint(recipe, takes),
            resume,
        )
        scores = fitted.model.predict(seen, batch_size=256, verbose=0)
        return fitted, choose_threshold(
            scores, held.labels, recipe.unknown.false_accepts, source.least_threshold
        )

    def calibration_samples(self, run: Run, recipe: WandRecipe, n: int, seed: int) -> NDArray[np.float32]:
        """Model inputs from the training split, float32 [min(n, kept), ...]."""
        features = wand_held_out.calibration_features(run, n, seed)
        return source_of(recipe).to_float(features, recipe)

    def evaluation(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> GestureEvaluation:
        """Of both flatbuffers; see tasks/wand/evaluate.py."""
        from tinyml_cli.tasks.wand.evaluate import GestureEvaluation

        return GestureEvaluation(run, data_dir, split, options)

    def drift_values(self, manifest: Manifest, events: Sequence[Event]) -> Values:
        """Of the pictures of strokes, or windows of motion, that the model was given."""
        return {} if manifest.gesture is None else drift.motion_values(manifest.gesture, events)

    def model_input(self, run: Run, item: Path) -> ModelInput:
        """The first stroke, or the first window of motion, of a file."""
        from tinyml_cli.tasks.wand.one_input import take_input

        return take_input(item, recipes.load_as(run.file(RECIPE), WandRecipe), run.manifest())

    def labelled_inputs(self, run: Run) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Variations of training takes."""
        recipe = recipes.load_as(run.file(RECIPE), WandRecipe)
        with np.load(run.require(run.manifest(), wand_held_out.TRAINING_SAMPLE)) as archive:
            features, labels = kept(archive, run, "features", "labels")
        return source_of(recipe).to_float(features, recipe), labels

    def known_losses(self, run: Run) -> Losses:
        """Of takes as they are."""
        with np.load(run.require(run.manifest(), wand_held_out.TRAINING_SAMPLE)) as archive:
            plain, labels = kept(archive, run, "plain", "labels")
        return of_labels(self.evaluation(run, None, None, EvaluationOptions()), plain, labels)

    def attack_surface(self, run: Run, data_dir: Path | None) -> AttackedTakes:
        """Strokes or windows of motion; see tasks/wand/attacked.py."""
        from tinyml_cli.tasks.wand.attacked import AttackedMotion, AttackedStrokes

        evaluation = self.evaluation(run, data_dir, None, EvaluationOptions())
        is_stroke = recipes.load_as(run.file(RECIPE), WandRecipe).input == "stroke"
        return AttackedStrokes(evaluation) if is_stroke else AttackedMotion(evaluation)

    def settings(self, manifest: Manifest, graph: Graph) -> list[str]:
        """Labels, threshold, and how strokes are drawn or windows cut."""
        return settings_wand.parts(manifest, graph)

    def write_replay(self, run: Run, items_per_label: int) -> Path:
        """Held-out motion in `replay/`, to feed to a board."""
        recipe = recipes.load_as(run.file(RECIPE), WandRecipe)
        return source_of(recipe).write_replay(run, wand_held_out.takes(run, recipe), items_per_label)


WAND = Wand()


class GestureBatches:
    """Variations of takes: each label as often as the others, unknown as often as the recipe says.

    Implements `batches.Batches`.
    """

    def __init__(self, source: GestureSource, takes: LabelledMotions, recipe: WandRecipe) -> None:
        self._source = source
        self._takes = takes
        self._recipe = recipe
        self._rows = [np.flatnonzero(takes.labels == i) for i in range(len(recipe.model_labels))]
        shares = np.array([recipe.unknown.share, *[1.0] * len(recipe.labels)])
        shares[[not len(rows) for rows in self._rows]] = 0
        self._shares = shares / shares.sum()
        self._targets = np.eye(len(shares), dtype=np.float32)
        self._weights = class_weights.of_labels(
            recipe.training.class_weights, recipe.model_labels, self._shares * recipe.training.epoch_examples
        )

    def __len__(self) -> int:
        return max(1, self._recipe.training.epoch_examples // self._recipe.training.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Variations drawn for one epoch."""
        size = self._recipe.training.batch_size
        for index in range(len(self)):
            rng = np.random.default_rng([self._recipe.seed, 8, epoch, index])
            labels = rng.choice(len(self._shares), size, p=self._shares)
            items = [self._takes.items[rng.choice(self._rows[label])] for label in labels]
            features = self._source.vary(items, self._recipe, rng)
            real = self._source.to_float(features, self._recipe)
            yield Batch(real, self._targets[labels], self._weights[labels])


def _fingerprint(recipe: WandRecipe, takes: LabelledMotions) -> str:
    """A hash of all that decides what the training computes, and nothing else."""
    relevant = recipe.model_dump(exclude={"data_path", "quantization"})
    digest = hashlib.sha256(repr(relevant).encode())
    digest.update("".join(takes.part("train").names).encode())
    return digest.hexdigest()


def _describe(
    recipe: WandRecipe, takes: LabelledMotions, fitted: Fitted, threshold: dict[str, float]
) -> Manifest:
    manifest = classifier_manifest(
        recipe,
        fitted,
        recipe.model.name or source_of(recipe).network,
        gesture=GestureInput(
            input=recipe.input,
            imu=recipe.imu if recipe.input == "imu" else None,
            threshold=threshold["threshold"],
            rotation_invariant=recipe.input == "stroke" and recipe.stroke.rotation_invariant,
        ),
        data=Data(
            source="synthetic" if takes.origin == "synthetic" else "folder",
            path=recipe.data_path,
            split_by=takes.split_by,
            counts=takes.counts(recipe.model_labels),
            notes=list(takes.notes),
            units=dict(takes.units),
            left_out=dict(takes.left_out),
        ),
    )
    manifest.metrics["train"] |= {name: round(value, 4) for name, value in threshold.items()}
    return manifest
