"""A real, tiny task for tests: four classes of striped feature maps and a small DS-CNN."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from tests.store import kept, package
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.run import MODEL, RECIPE, Run
from tinyml_cli.tasks.kws.evaluate import ClipEvaluation
from tinyml_cli.tasks.kws.monitor import SoundMonitor
from tinyml_cli.tasks.kws.task import KWS
from tinyml_cli.tasks.spec import TaskSpec
from tinyml_cli.tflite.graph import Graph

LABELS = ["silence", "unknown", "yes", "no"]
FRAMES, CHANNELS = 49, 40
SEED = 3


def patterns(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Feature maps uint16 [n, frames, channels] with a loud stripe per class, and labels int64 [n]."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(LABELS), n)
    maps = rng.integers(0, 260, (n, FRAMES, CHANNELS))
    for index, label in enumerate(labels):
        maps[index, :, label * 10 : label * 10 + 6] += rng.integers(120, 300)
    return maps.astype(np.uint16), labels


def as_input(features: np.ndarray) -> np.ndarray:
    """Model input float32 [n, frames, channels, 1]."""
    return (features / 25.6).astype(np.float32)[..., None]


def small_ds_cnn(extra: Any = None) -> Any:
    """An untrained DS-CNN with 8 filters; `extra` is a layer put before the pooling."""
    import keras

    layers = keras.layers
    x = source = keras.Input((FRAMES, CHANNELS, 1))
    x = layers.Conv2D(8, (10, 4), strides=(4, 2), padding="same", use_bias=False, name="stem")(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.8)(x))
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.8)(x))
    x = layers.Conv2D(8, 1, use_bias=False, name="pointwise")(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.8)(x))
    if extra is not None:
        x = extra(x)
    x = layers.AveragePooling2D((x.shape[1], 1))(x)
    x = layers.Dense(len(LABELS), activation="softmax", name="scores")(layers.Flatten()(x))
    return keras.Model(source, x)


class PatternTask(TaskSpec):
    """Only the verbs that quantize and evaluate use do something."""

    name = "patterns"
    recipe_schema = KwsRecipe
    firmware_app = "kws"
    monitor = SoundMonitor
    compares_clips = True

    def train(self, run: Run, recipe: Any, resume: Any = False) -> Any: ...
    def write_replay(self, run: Run, items_per_label: int) -> Any: ...

    def settings(self, manifest: Manifest, graph: Graph) -> list[str]:
        return KWS.settings(manifest, graph)

    def evaluation(
        self, run: Run, data_dir: Path | None, split: Any, options: EvaluationOptions
    ) -> ClipEvaluation:
        return ClipEvaluation(run, data_dir, split, options)

    def calibration_samples(self, run: Run, recipe: KwsRecipe, n: int, seed: int) -> np.ndarray:
        return as_input(patterns(n, 1000 + seed)[0])

    def load_evaluation_set(self, run: Run, data_dir: Path | None, split: str | None = None) -> EvaluationSet:
        features, labels = patterns(0 if split == "all" else 120, 2000)
        return EvaluationSet(
            audio=np.zeros((len(labels), 1), np.int16),
            features=features,
            labels=labels,
            groups=np.array([f"g{i % 7}" for i in range(len(labels))]),
            note="striped feature maps",
        )


TASK = PatternTask()


def trained() -> Path:
    """A run directory with a trained model; copy it before changing it."""
    return kept("patterns", [package(), Path(__file__)], _train) / "run"


def _train(folder: Path) -> None:
    import keras

    run = Run.create(folder / "run")
    keras.utils.set_random_seed(SEED)
    features, labels = patterns(512, SEED)
    model = small_ds_cnn()
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    model.fit(as_input(features), labels, batch_size=32, epochs=5, verbose=0)
    model.save(run.file(MODEL))
    recipe = KwsRecipe(task="kws", seed=SEED).model_copy(update={"task": "patterns"})
    run.file(RECIPE).write_text(recipe.to_yaml(), encoding="utf-8")
    manifest = Manifest(task="patterns", seed=SEED, labels=LABELS, features=AudioFrontendSettings())
    run.record(manifest, MODEL, "tinyml train")
    run.save(manifest)


def converted() -> Path:
    """A run directory after quantize and convert; copy it before changing it."""
    return kept("patterns-int8", [package(), Path(__file__)], _convert) / "run"


def _convert(folder: Path) -> None:
    from tinyml_cli.conversion.convert import convert
    from tinyml_cli.stages.calibrate import quantize

    run = Run(Path(shutil.copytree(trained(), folder / "run")))
    quantize(run, n_samples=64)
    convert(run)
