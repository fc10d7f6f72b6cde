"""Anomaly detection: learns normal behaviour, and scores the distance of a window from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import checks
from tinyml_cli.console import console
from tinyml_cli.drift import columns as drift
from tinyml_cli.drift import page_test
from tinyml_cli.drift.image_columns import Values
from tinyml_cli.drift.watch import NormalRunning
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.frame import Split
from tinyml_cli.evaluation.membership import Losses
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.features.signal import to_real
from tinyml_cli.inspection.model_input import ModelInput
from tinyml_cli.link.protocol import Event
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.explanations import ExplainedRecording
from tinyml_cli.outcomes.stages import AfterConversion, Threshold, Trained
from tinyml_cli.pages.items import Items
from tinyml_cli.recipes.anomaly import AnomalyRecipe
from tinyml_cli.run import Run
from tinyml_cli.tasks.anomaly import held_out as anomaly_held_out
from tinyml_cli.tasks.anomaly import settings as settings_anomaly
from tinyml_cli.tasks.anomaly import threshold as thresholds
from tinyml_cli.tasks.anomaly import training
from tinyml_cli.tasks.anomaly.model import AnomalyModel
from tinyml_cli.tasks.anomaly.monitor import AnomalyMonitor
from tinyml_cli.tasks.anomaly.training import THRESHOLD_SAMPLE, TRAINING_SAMPLE
from tinyml_cli.tasks.spec import TaskSpec
from tinyml_cli.tflite.graph import Graph
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.wording import counted

if TYPE_CHECKING:
    from tinyml_cli.tasks.anomaly.attacked import AttackedWindows
    from tinyml_cli.tasks.anomaly.evaluate import AnomalyEvaluation


_ITEMS = Items(
    "window",
    "windows",
    "sessions",
    "a simulated machine",
    "recordings",
    "It was trained on a simulated machine: it is an exercise and does not work on a real one.",
)


class AnomalyDetection(TaskSpec):
    """The task `anomaly`."""

    name = "anomaly"
    recipe_schema = AnomalyRecipe
    drift_kept_by = "convert"
    firmware_app = "anomaly"
    monitor = AnomalyMonitor
    budgets = MappingProxyType({"auc": 0.9})

    def items(self, manifest: Manifest) -> Items:
        """What reports count."""
        return _ITEMS

    def check(self, recipe: AnomalyRecipe) -> None:
        """Refuses data that is not there.

        Raises:
            TinymlError: where it was looked for.
        """
        if recipe.data_path is not None:
            checks.data(Path(recipe.data_path))

    def train(self, run: Run, recipe: AnomalyRecipe, resume: Resume | bool = False) -> Trained:
        """Learns normal running; see tasks/anomaly/training.py."""
        return training.train(run, recipe, resume)

    def calibration_samples(self, run: Run, recipe: AnomalyRecipe, n: int, seed: int) -> NDArray[np.float32]:
        """Model inputs of normal windows, float32 [n, features]; half of them reach `headroom` further out.

        A fault lies outside of what was calibrated: without room there it would be clipped to normal.
        """
        manifest = run.manifest()
        with np.load(run.require(manifest, TRAINING_SAMPLE)) as archive:
            features = archive["features"]
        rows = np.random.default_rng([seed, 5]).permutation(len(features))[:n]
        of = manifest.anomaly
        assert of is not None
        real = to_real(features[rows], of.offsets, of.deviations, recipe.training.clip)
        real[: len(real) // 2] *= recipe.training.headroom
        return real

    def after_convert(self, run: Run) -> AfterConversion:
        """Sets the threshold by the int8 model, on normal windows that training did not see.

        Raises:
            TinymlError: that data cannot show the wanted rate of false alarms.
        """
        manifest = run.manifest()
        assert manifest.anomaly is not None
        manifest.anomaly.mixture = manifest.anomaly.threshold = None
        model = AnomalyModel(run, manifest)
        with np.load(run.require(manifest, THRESHOLD_SAMPLE)) as archive:
            features, recording = archive["features"], archive["recording"]
        console.info(f"Setting the threshold on {counted(len(features), 'normal window')} …")
        scores = model.scores(features)
        found = thresholds.choose(
            scores,
            model.float_scores(features),
            recording,
            model.source.window_s,
            manifest.anomaly,
        )
        if found.exceeded < thresholds.FEW:
            console.warn(
                f"The threshold depends on the {found.exceeded} highest of {found.windows} normal "
                f"windows; the false-alarm rate may be as high as {found.rate_upper:.3g} "
                f"({found.confidence:.0%} confidence). "
                "More normal running for the threshold, or a larger --fpr, makes it more reliable."
            )
        manifest.anomaly.mixture = model.mixture
        manifest.anomaly.threshold = found
        manifest.reference = drift.reference_of(
            drift.anomaly_values(manifest.anomaly, scores, model.inputs(features)),
            f"{counted(len(scores), 'normal window')} held out for the threshold",
        )
        run.save(manifest)
        return AfterConversion(threshold=Threshold(**found.model_dump()))

    def evaluation(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> AnomalyEvaluation:
        """AUC, accuracy at the threshold, and detection by kind of fault; see docs/anomaly.md."""
        from tinyml_cli.tasks.anomaly.evaluate import AnomalyEvaluation

        return AnomalyEvaluation(run, data_dir, split, options)

    def explain(
        self, clip: Path, run: Run, out: Path | None, at_s: float | None = None
    ) -> ExplainedRecording:
        """Which features of a recording are far from normal; see tasks/anomaly/explain.py."""
        if at_s is not None:
            raise TinymlError(
                "Of any recording, the window furthest from normal is explained", "--at", "Omit --at."
            )
        from tinyml_cli.tasks.anomaly.explain import explain

        return explain(clip, run, out)

    def drift_values(self, manifest: Manifest, events: Sequence[Event]) -> Values:
        """Of the features that the model was given."""
        return {} if manifest.anomaly is None else drift.feature_values(manifest.anomaly, events)

    def normal_running(self, run: Run, hours: float) -> NormalRunning:
        """The windows held out for the threshold; recordings one after another."""
        manifest = run.manifest()
        model = AnomalyModel(run, manifest)
        with np.load(run.require(manifest, THRESHOLD_SAMPLE)) as archive:
            features = archive["features"]
        scores = page_test.of_anomaly(model.scores(features), model.threshold())
        inputs = page_test.of_inputs(model.inputs(features))
        return NormalRunning(
            [(scores, inputs)],
            86_400 / model.source.window_s,
            f"{counted(len(scores), 'normal window')} held out for the threshold",
        )

    def model_input(self, run: Run, item: Path) -> ModelInput:
        """The first window of a recording."""
        from tinyml_cli.tasks.anomaly.one_input import window_input

        return window_input(item, run)

    def known_losses(self, run: Run) -> Losses:
        """Scores of normal windows, trained on or kept for the threshold."""
        manifest = run.manifest()
        model = AnomalyModel(run, manifest)

        def scores(name: str) -> NDArray[np.float64]:
            with np.load(run.require(manifest, name)) as archive:
                return model.scores(archive["features"][:1000]).astype(np.float64)

        return Losses(scores(TRAINING_SAMPLE), scores(THRESHOLD_SAMPLE), "anomaly score")

    def attack_surface(self, run: Run, data_dir: Path | None) -> AttackedWindows:
        """Windows, normal or of a fault; see tasks/anomaly/attacked.py."""
        from tinyml_cli.tasks.anomaly.attacked import AttackedWindows

        return AttackedWindows(self.evaluation(run, data_dir, None, EvaluationOptions()))

    def settings(self, manifest: Manifest, graph: Graph) -> list[str]:
        """Features, their scaling, threshold and alarm."""
        return settings_anomaly.parts(manifest, graph)

    def write_replay(self, run: Run, items_per_label: int) -> Path:
        """Held-out recordings in `replay/`, to feed to a board."""
        return anomaly_held_out.write_replay(run, items_per_label)


ANOMALY = AnomalyDetection()
