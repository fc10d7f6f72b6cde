"""The task `claps`, in the order in which a run meets its methods."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clap_counter.monitor import ClapMonitor
from clap_counter.recipe import CLIP_MS, LABELS, ClapRecipe
from clap_counter.sounds import clips, streams
from tinyml_cli import recipes
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.data.splits import SPLITS
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.frame import Split
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.files import atomic_folder, atomic_path, write_atomic
from tinyml_cli.manifest import Data, Epochs, Manifest, Model
from tinyml_cli.models import build_model, count_macs, require_tensorflow
from tinyml_cli.models import options as model_options
from tinyml_cli.pages.items import Items
from tinyml_cli.run import MODEL, RECIPE, Run
from tinyml_cli.tasks.kws import settings as kws_settings
from tinyml_cli.tasks.spec import TaskSpec
from tinyml_cli.tflite.graph import Graph
from tinyml_cli.training import class_weights
from tinyml_cli.training.batches import Batch
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.examples import to_float
from tinyml_cli.training.judging import figures

if TYPE_CHECKING:
    import keras

    from clap_counter.evaluate import ClapEvaluation
    from tinyml_cli.training.trainer import Fitted

_ITEMS = Items("clip", "clips", "pairs of hands", "synthetic sound")


class ClapCounting(TaskSpec):
    """Counts hand claps."""

    name = "claps"
    recipe_schema = ClapRecipe
    firmware_app = "kws"
    monitor = ClapMonitor
    compares_clips = True

    def items(self, manifest: Manifest) -> Items:
        return _ITEMS

    # Training

    def check(self, recipe: ClapRecipe) -> None:
        model_options.check(recipe.model.name, recipe.model.options)
        _refuse(None if recipe.data_path is None else Path(recipe.data_path))

    def build_model(self, recipe: ClapRecipe) -> keras.Model:
        shape = (recipe.frames, recipe.features.channels, 1)
        return build_model(recipe.model.name, shape, len(LABELS), recipe.model.options)

    def train(self, run: Run, recipe: ClapRecipe, resume: Resume | bool = False) -> dict[str, Any]:
        started = time.monotonic()
        require_tensorflow()
        from tinyml_cli.training.classifier import Start, Validation, fit_classifier

        if not run.file(RECIPE).exists():
            write_atomic(run.file(RECIPE), recipe.to_yaml())  # makes the folder a run that can be resumed
        training, validation = clips(recipe, "train"), clips(recipe, "validation")
        inputs = to_float(validation.features)
        fitted = fit_classifier(
            Start(lambda: self.build_model(recipe), recipe.seed),
            ClapBatches(training, recipe),
            Validation(lambda model: model.predict(inputs, verbose=0), validation.labels),
            recipe.training,
            run.file("logs"),
            _fingerprint(recipe),
            resume,
        )
        manifest = _manifest(recipe, fitted)
        with atomic_path(run.file(MODEL)) as temporary:
            fitted.model.save(temporary, include_optimizer=False)
        write_atomic(run.file(RECIPE), recipe.to_yaml())
        run.record(manifest, MODEL, "tinyml train")
        run.save(manifest)  # last: a run without it counts as not trained
        return {
            "run": str(run.path),
            "seconds": round(time.monotonic() - started, 1),
            "metrics": manifest.metrics["train"],
        }

    # Shrinking

    def calibration_samples(self, run: Run, recipe: ClapRecipe, n: int, seed: int) -> NDArray[np.float32]:
        training = clips(recipe, "train")
        rows = np.random.default_rng([seed, 3]).permutation(len(training.labels))[:n]
        return to_float(training.features[rows])

    # Judging

    def load_evaluation_set(
        self, run: Run, data_dir: Path | None, split: Split | None = None
    ) -> EvaluationSet:
        _refuse(data_dir)
        if split == "all":
            raise TinymlError("A model is not judged by what it was trained on", "--split all", "Omit it.")
        return clips(recipe_of(run), "test")

    def evaluation(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> ClapEvaluation:
        from clap_counter.evaluate import ClapEvaluation

        return ClapEvaluation(run, data_dir, split, options)

    # The board

    def settings(self, manifest: Manifest, graph: Graph) -> list[str]:
        return kws_settings.parts(manifest, graph)

    def write_replay(self, run: Run, items_per_label: int) -> Path:
        """As many streams as `replay/NUMBER OF CLAPS/*.wav`, of hands that were not trained on."""
        import soundfile

        recipe = recipe_of(run)
        rate_hz = recipe.features.sample_rate_hz
        with atomic_folder(run.file("replay")) as made:
            for index, stream in enumerate(streams(recipe, items_per_label)):
                folder = made / str(len(stream.claps_ms))
                folder.mkdir(exist_ok=True)
                soundfile.write(folder / f"{index:03}.wav", stream.audio, rate_hz, subtype="PCM_16")
        return run.file("replay")


CLAPS = ClapCounting()


class ClapBatches:
    """The training clips in a new order for each epoch."""

    def __init__(self, examples: EvaluationSet, recipe: ClapRecipe) -> None:
        self._inputs = to_float(examples.features)
        self._targets = np.eye(len(LABELS), dtype=np.float32)[examples.labels]
        counts = np.bincount(examples.labels)
        self._weights = class_weights.of_labels(recipe.training.class_weights, LABELS, counts)[
            examples.labels
        ]
        self._seed, self._size = recipe.seed, recipe.training.batch_size

    def __len__(self) -> int:
        return -(-len(self._inputs) // self._size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Depends on seed and epoch alone, so that a resumed training sees the same."""
        order = np.random.default_rng([self._seed, 4, epoch]).permutation(len(self._inputs))
        for rows in np.resize(order, (len(self), self._size)):
            yield Batch(self._inputs[rows], self._targets[rows], self._weights[rows])


def recipe_of(run: Run) -> ClapRecipe:
    """What the run was trained by: all its sound can be made again from that."""
    recipe = recipes.load(run.file(RECIPE))
    assert isinstance(recipe, ClapRecipe)
    return recipe


def _refuse(data_dir: Path | None) -> None:
    if data_dir is not None:
        raise TinymlError("The task `claps` makes its own sound", str(data_dir), "Omit --data.")


def _fingerprint(recipe: ClapRecipe) -> str:
    """A hash of all that decides what the training computes, and nothing else."""
    return hashlib.sha256(repr(recipe.model_dump(exclude={"quantization"})).encode()).hexdigest()


def _manifest(recipe: ClapRecipe, fitted: Fitted) -> Manifest:
    return Manifest(
        task=CLAPS.name,
        seed=recipe.seed,
        labels=LABELS,
        features=recipe.features,
        clip_ms=CLIP_MS,
        complete=fitted.epochs == recipe.training.epochs,
        epochs=Epochs(done=fitted.epochs, planned=recipe.training.epochs),
        data=Data(
            source="synthetic",
            split_by="hands",
            counts={split: dict.fromkeys(LABELS, recipe.sound.clips_of(split)) for split in SPLITS},
        ),
        model=Model(
            name=recipe.model.name, parameters=fitted.model.count_params(), macs=count_macs(fitted.model)
        ),
        recognizer=recipe.recognizer,
        metrics={"train": {**figures(fitted), "epochs": fitted.epochs}},
    )
