"""The striped patterns, with a width to search for; a training may be told to take long."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from tests.pattern_task import LABELS, PatternTask, as_input, patterns
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.stages import Trained
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.run import MODEL, RECIPE, Run

SIZE = (16, 40, 1)


class TunablePatterns(PatternTask):
    def search_space(self, trial: Any, recipe: Any) -> dict[str, Any]:
        return {"model.options": {"filters": trial.suggest_int("filters", 4, 64, step=4)}}

    def build_model(self, recipe: KwsRecipe) -> Any:
        import keras

        layers = keras.layers
        source = keras.Input(SIZE)
        x = layers.Conv2D(recipe.model.options["filters"], 4, strides=4, activation="relu")(source)
        x = layers.Flatten()(layers.AveragePooling2D((4, 1))(x))
        return keras.Model(source, layers.Dense(len(LABELS), activation="softmax")(x))

    def train(self, run: Run, recipe: KwsRecipe, resume: bool = False) -> Trained:
        import keras

        if marker := os.environ.get("PATTERNS_TAKE_LONG"):
            Path(marker).write_text(str(os.getpid()))
            time.sleep(120)
        keras.utils.set_random_seed(recipe.seed)
        features, labels = patterns(256, 3)
        x = as_input(features)[:, : SIZE[0]] / 20
        model = self.build_model(recipe)
        model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(x, labels, epochs=recipe.training.epochs, verbose=0)
        model.save(run.file(MODEL))
        run.file(RECIPE).write_text(recipe.to_yaml(), encoding="utf-8")
        metrics = {"validation_accuracy": history.history["accuracy"][-1]}
        manifest = Manifest(
            task="patterns",
            seed=1,
            labels=LABELS,
            features=AudioFrontendSettings(),
            metrics={"train": metrics},
        )
        run.record(manifest, MODEL, "tinyml train")
        run.save(manifest)
        return Trained(
            run=str(run.path),
            seconds=0.0,
            n_train=len(features),
            n_validation=0,
            n_test=0,
            metrics=metrics,
            history=[],
        )

    def calibration_samples(self, run: Run, recipe: KwsRecipe, n: int, seed: int) -> Any:
        return as_input(patterns(n, 1000 + seed)[0])[:, : SIZE[0]] / 20


TASK = TunablePatterns()
