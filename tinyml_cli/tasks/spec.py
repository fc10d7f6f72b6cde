"""What a task is: one object that every stage and command asks.

To add a task, extend `TaskSpec`; see docs/new-task.md. Only tasks import this module. What serves every
task finds the object by its name in `tinyml_cli/registry.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tinyml_cli.attack.surface import AttackSurface
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.drift.image_columns import Values
from tinyml_cli.drift.watch import NormalRunning
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.frame import Evaluation, Split, judge
from tinyml_cli.evaluation.membership import Losses
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.inspection.model_input import ModelInput
from tinyml_cli.link.protocol import Event
from tinyml_cli.manifest import Manifest
from tinyml_cli.monitor.task_monitor import TaskMonitor
from tinyml_cli.outcomes.evaluations import Evaluated
from tinyml_cli.outcomes.explanations import ExplainedClip, ExplainedRecording
from tinyml_cli.outcomes.stages import AfterConversion, Trained
from tinyml_cli.pages.augmented import AugmentedItem, Look
from tinyml_cli.pages.items import Items
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.registry import Registered
from tinyml_cli.run import Run
from tinyml_cli.tflite.graph import Graph
from tinyml_cli.training.checkpoint import Resume

if TYPE_CHECKING:
    import keras


class NoSettings(BaseModel):
    """Of a task that keeps nothing of its own in the manifest."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Augmented:
    """Items of a folder, varied.

    Attributes:
        look: how they are drawn.
        items: with their variations.
        left_out: reason -> files of the folder that are not used, or that were tried and cannot be.
    """

    look: Look
    items: Sequence[AugmentedItem]
    left_out: Mapping[str, int]


class TaskSpec(Registered):
    """A kind of model, from its data to what its board reports.

    Every method has a default that fits a task without it, most often a refusal. A task that can be trained
    brings the four of `unmet`. Methods import TensorFlow and other heavy packages when they are called.

    Attributes:
        name: of the task, as in `tinyml train NAME`.
        recipe_schema: the class of its recipes; their defaults are in `configs/NAME.yaml`, if it exists.
        settings_schema: the class of `task_settings` in the manifests of a task of another package; what
            training fills in there, later stages get by `manifest.settings_as(settings_schema)`.
        firmware_app: the application that its firmware starts, one of `build.project.applications()`.
        peripherals: what that application drives and not every board has: "camera", "bluetooth".
        monitor: its part of `tinyml monitor`: what is shown, and how recordings are played to a board.
        data_kind: which folders `data preview` takes for its data: "sound", "images" or "motion".
        compares_clips: whether `load_evaluation_set` gives what a single model can be judged by, so that
            `compare` needs no whole evaluation.
        budgets: what a new project asks of its model, by keys of `project.budgets.Budgets`.
        drift_kept_by: the command that keeps what `drift` compares a board's log with; empty for a task
            without drift.
        starter_recipe: lines of YAML that a new project's recipe needs to train before there are data.
    """

    recipe_schema: type[BaseRecipe] = BaseRecipe
    settings_schema: type[BaseModel] = NoSettings
    firmware_app: str = "bench"
    peripherals: tuple[str, ...] = ()
    monitor: type[TaskMonitor] = TaskMonitor
    data_kind: str = ""
    compares_clips: bool = False
    budgets: Mapping[str, float] = MappingProxyType({"accuracy": 0.8})
    drift_kept_by: Literal["evaluate", "convert", ""] = ""
    starter_recipe: str = ""

    def unmet(self) -> list[str]:
        own = type(self)
        needed = {
            "train": own.train is not TaskSpec.train,
            "calibration_samples": own.calibration_samples is not TaskSpec.calibration_samples,
            "evaluation": own.evaluation is not TaskSpec.evaluation,
            "write_replay": own.write_replay is not TaskSpec.write_replay,
        }
        return [name for name, is_there in needed.items() if not is_there]

    def items(self, manifest: Manifest) -> Items:
        """What reports and cards of a run count."""
        return Items()

    # Training

    def first_recipe(self, has_data: bool) -> str | None:
        """The packaged recipe to begin with where none is named; None for the task's own."""
        return None

    def check(self, recipe: Any) -> None:
        """Refuses in a second or two what would stop the training later.

        Raises:
            TinymlError: data that is not there, a model that does not exist.
        """

    def settled(self, recipe: Any) -> Any:
        """The recipe with what it leaves to the data filled in.

        Raises:
            TinymlError: unreadable data.
        """
        return recipe

    def train(self, run: Run, recipe: Any, resume: Resume | bool = False) -> Trained:
        """Trains and writes model.keras, recipe.yaml and, last, manifest.json.

        Returns:
            Its `metrics` are `metrics.train` of the manifest; `history` is filled in by the stage.

        Raises:
            TinymlError: unusable data, or packages that are missing.
        """
        _has_no(self.name, "training", str(run.path))

    def build_model(self, recipe: Any) -> keras.Model:
        """An untrained model, for `tune` to count before it trains."""
        _has_no(self.name, "network that can be searched", "tune")

    def on_board(self, recipe: Any, model: bytes) -> bytes:
        """The form of an int8 model that a board runs, for `tune` to count before it trains."""
        return model

    def search_space(self, trial: Any, recipe: Any) -> Mapping[str, Any]:
        """Values of the recipe, by dotted key, that an Optuna trial suggests in their place."""
        _has_no(self.name, "search space", "tune")

    def search_start(self, recipe: Any) -> Mapping[str, Any]:
        """The trial's parameters that give the recipe's own network; empty where none do."""
        return {}

    def augmented(self, recipe: Any, root: Path, most: int, variations: int) -> Augmented:
        """Up to `most` items of a folder, of every label in turn, with so many variations as training makes.

        What cannot be used is passed over, told as a warning, and counted.

        Raises:
            TinymlError: nothing there that can be read, or a task that varies nothing.
        """
        raise TinymlError(
            f"Training of the task `{self.name}` makes no variations of its data",
            str(root),
            "Use a recipe of a task that does: tinyml recipes",
        )

    # Shrinking

    def calibration_samples(self, run: Run, recipe: Any, n: int, seed: int) -> NDArray[np.float32]:
        """Model inputs float32 [at most n, ...], drawn from the training split only."""
        _has_no(self.name, "training split", str(run.path))

    def training_inputs(self, run: Run, recipe: Any, n: int, seed: int) -> NDArray[np.float32]:
        """Model inputs float32 [about n, ...] of the training split, to fine-tune on."""
        return self.calibration_samples(run, recipe, n, seed)

    def after_convert(self, run: Run) -> AfterConversion:
        """What the task makes of a new int8 model, such as a threshold; it joins the outcome of `convert`."""
        return AfterConversion()

    # Judging

    def evaluation(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> Evaluation[Any, Any, Any]:
        """What `evaluate` asks; of models that tell labels apart, a `of_labels.LabelEvaluation`.

        Raises:
            TinymlError: a model is missing or stale.
        """
        _has_no(self.name, "evaluation", str(run.path))

    def evaluate(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> Evaluated:
        """Judges the run's models; writes report/report.html, report/metrics.json and the manifest.

        Raises:
            TinymlError: a model is missing or stale, or there is nothing to judge it by.
        """
        outcome: Evaluated = judge(self.evaluation(run, data_dir, split, options))
        return outcome

    def load_evaluation_set(
        self, run: Run, data_dir: Path | None, split: Split | None = None
    ) -> EvaluationSet:
        """Labelled items to judge a model by."""
        _has_no(self.name, "set of labelled clips", str(run.path))

    def explain(
        self, clip: Path, run: Run, out: Path | None, at_s: float | None = None
    ) -> ExplainedClip | ExplainedRecording:
        """Why a recording gets its answer, or a place in it, and a picture of it."""
        raise TinymlError(
            f"Answers of the task `{self.name}` cannot be explained",
            str(run.path),
            "Use a keyword spotting run: tinyml train kws",
        )

    def model_input(self, run: Run, item: Path) -> ModelInput:
        """A file of what the task judges, as the float model takes it.

        Raises:
            TinymlError: it cannot be read, or is of another kind.
        """
        _has_no(self.name, "input that can be made of a file", str(run.path))

    def labelled_inputs(self, run: Run) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Model inputs of the training split, varied as in training, [n, ...], and their labels, [n]."""
        _has_no(self.name, "labelled training inputs", str(run.path))

    def known_losses(self, run: Run) -> Losses | None:
        """Losses on training items and on held-out ones, by which somebody may tell them apart.

        None where a task keeps no training items.

        Raises:
            TinymlError: those of this run are missing.
        """
        return None

    def attack_surface(self, run: Run, data_dir: Path | None) -> AttackSurface:
        """What `attack` changes, and how the board judges it; see attack/surface.py.

        Raises:
            TinymlError: models or data are missing.
        """
        raise TinymlError(
            f"Models of the task `{self.name}` cannot be attacked: their items have no labels to confuse",
            str(run.path),
            "Use a run of keyword spotting, images, the wand or anomaly detection.",
        )

    def drift_values(self, manifest: Manifest, events: Sequence[Event]) -> Values:
        """Quantities of the features and inputs that a board has reported, beside its scores."""
        return {}

    def normal_running(self, run: Run, hours: float) -> NormalRunning:
        """What the int8 model makes of data that neither trained nor will judge it, in order of time.

        Args:
            run: converted.
            hours: how much, at most, where it is made for the purpose.

        Raises:
            TinymlError: that data is gone, or the model is stale.
        """
        raise TinymlError(
            f"Boards that run the task `{self.name}` do not look for drift themselves: its inferences do not "
            "follow one another in time",
            str(run.path),
            "Compare a board's log with the training data: tinyml drift RUN LOG",
        )

    # The board

    def settings(self, manifest: Manifest, graph: Graph) -> list[str]:
        """The task's parts of model_settings.h, C text.

        Raises:
            TinymlError: manifest and model do not fit each other.
        """
        return []

    def write_replay(self, run: Run, items_per_label: int) -> Path:
        """A folder with held-out items to play to a board."""
        _has_no(self.name, "held-out items", str(run.path))


def _has_no(name: str, what: str, where: str) -> NoReturn:
    raise TinymlError(
        f"The task `{name}` has no {what}", where, "Its package would have to add one; see docs/new-task.md."
    )
