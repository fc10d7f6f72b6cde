"""The first model: a sine, after TensorFlow Lite Micro's hello_world."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.frame import Split
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.inspection.model_input import ModelInput
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Data, Epochs, Model
from tinyml_cli.models import count_macs
from tinyml_cli.outcomes.stages import Trained
from tinyml_cli.pages.items import Items
from tinyml_cli.recipes.hello import HelloRecipe
from tinyml_cli.run import Run
from tinyml_cli.tasks.hello import replay, settings
from tinyml_cli.tasks.hello.curve import PERIOD, TOLERANCE, HelloSettings, drawn
from tinyml_cli.tasks.hello.monitor import HelloMonitor
from tinyml_cli.tasks.spec import TaskSpec
from tinyml_cli.tflite.graph import Graph
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.run_training import RunTraining

if TYPE_CHECKING:
    import keras

    from tinyml_cli.tasks.hello.evaluate import CurveEvaluation

_LEARNED = 0.9
"""Share of the variance that is left, from which on a model has learned nothing worth the name."""
_ITEMS = Items(
    "point",
    "points",
    "",
    "a calculated sine",
    "points",
    "It knows one period of a sine: outside of it, its answers mean nothing.",
)


class Hello(TaskSpec):
    """The task `hello`."""

    name = "hello"
    recipe_schema = HelloRecipe
    settings_schema = HelloSettings
    firmware_app = "hello"
    monitor = HelloMonitor
    budgets = MappingProxyType({"mean_error": TOLERANCE, "inference_ms": 1.0})

    def items(self, manifest: Manifest) -> Items:
        """What reports count."""
        return _ITEMS

    def build_model(self, recipe: HelloRecipe) -> keras.Model:
        """The untrained network."""
        from tinyml_cli.models import curve

        return curve.build(recipe.model.hidden)

    def train(self, run: Run, recipe: HelloRecipe, resume: Resume | bool = False) -> Trained:
        """Fits the network to noisy points of the sine."""
        training = RunTraining(run, recipe, resume)
        training.begin()
        from tinyml_cli.training.curve_fit import fit

        parts = {split: drawn(recipe, split) for split in ("train", "validation", "test")}
        fitted = fit(parts["train"], parts["validation"], recipe, run.file("logs"), resume)
        if said := constant_warning(fitted.validation_loss, parts["validation"][1]):
            console.warn(said)
        sizes = len(parts["train"][0]), len(parts["validation"][0]), len(parts["test"][0])
        counts = {split: {"points": size} for split, size in zip(parts, sizes, strict=True)}
        network = "-".join(map(str, recipe.model.hidden))
        epochs = Epochs(done=fitted.epochs, planned=recipe.training.epochs)
        manifest = Manifest(
            task=recipe.task,
            seed=recipe.seed,
            complete=epochs.done == epochs.planned,
            epochs=epochs,
            data=Data(source="synthetic", split_by="point", counts=counts),
            model=Model(
                name=f"dense {network}",
                parameters=fitted.model.count_params(),
                macs=count_macs(fitted.model),
            ),
            task_settings=HelloSettings.of(recipe).model_dump(),
            metrics={"train": {"validation_loss": round(fitted.validation_loss, 5), "epochs": fitted.epochs}},
        )
        return training.finish(manifest, fitted.model, [], sizes)

    def calibration_samples(self, run: Run, recipe: HelloRecipe, n: int, seed: int) -> NDArray[np.float32]:
        """x of training points and of both ends of the period, float32 [at most n, 1]."""
        x, _ = drawn(recipe, "train")
        chosen = np.random.default_rng([seed, 5]).permutation(x)[: n - 2]
        return np.concatenate([HelloSettings.of(recipe).period()[[0, -1]], chosen])[:, None]

    def evaluation(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> CurveEvaluation:
        """Mean error against the sine."""
        from tinyml_cli.tasks.hello.evaluate import CurveEvaluation

        return CurveEvaluation(run, data_dir, split, options)

    def model_input(self, run: Run, item: Path) -> ModelInput:
        """Of a number instead of a file."""
        try:
            x = float(item.name)
        except ValueError:
            x = float("nan")
        if not 0 <= x <= PERIOD:
            raise TinymlError(
                f"`{item}` is no x of the sine", "--activations", "Give a number from 0 to 6.28, such as 1.5."
            )
        values = np.array([[x]], np.float32)
        return ModelInput(values, values, "motion")

    def settings(self, manifest: Manifest, graph: Graph) -> list[str]:
        """The period that the board shows."""
        return settings.parts(manifest, graph)

    def write_replay(self, run: Run, items_per_label: int) -> Path:
        """The period that the board must show."""
        return replay.write(run)


def constant_warning(loss: float, y: NDArray[np.float32]) -> str:
    """What to say of a mean squared error that hardly beats the best constant's; "" where it does.

    Args:
        loss: of the points that the training did not see.
        y: of these points; their variance is the error of their mean.
    """
    variance = float(np.var(y))
    if loss < _LEARNED * variance:  # false for a loss that is not a number, too
        return ""
    return (
        f"no better than a constant: the mean squared error is {loss:.3g}, that of the mean {variance:.3g}. "
        "Lower training.learning_rate, or train for more epochs: --set training.epochs=80"
    )


HELLO = Hello()
