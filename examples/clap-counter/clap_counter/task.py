"""The task `claps`, in the order in which a run meets its methods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
from tinyml_cli.files import atomic_folder
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Data
from tinyml_cli.models import build_model
from tinyml_cli.models import options as model_options
from tinyml_cli.outcomes.stages import Trained
from tinyml_cli.pages.items import Items
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.tasks.kws import settings as kws_settings
from tinyml_cli.tasks.spec import TaskSpec
from tinyml_cli.tflite.graph import Graph
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.examples import to_float
from tinyml_cli.training.fixed_examples import LabelledInputs, fit_examples
from tinyml_cli.training.run_training import RunTraining, classifier_manifest

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

    def train(self, run: Run, recipe: ClapRecipe, resume: Resume | bool = False) -> Trained:
        training = RunTraining(run, recipe, resume)
        training.begin()
        examples, held_out = (_labelled(clips(recipe, split)) for split in ("train", "validation"))
        fitted = fit_examples(training, recipe, lambda: self.build_model(recipe), examples, held_out)
        sizes = (len(examples.labels), len(held_out.labels), len(LABELS) * recipe.sound.clips_of("test"))
        return training.finish(_manifest(recipe, fitted), fitted.model, (), sizes)

    # Shrinking

    def calibration_samples(self, run: Run, recipe: ClapRecipe, n: int, seed: int) -> NDArray[np.float32]:
        examples = _labelled(clips(recipe, "train")).inputs
        return examples[np.random.default_rng([seed, 3]).permutation(len(examples))[:n]]

    # Judging

    def load_evaluation_set(
        self, run: Run, data_dir: Path | None, split: Split | None = None
    ) -> EvaluationSet:
        _refuse(data_dir)
        if split == "all":
            raise TinymlError("A model is not judged by what it was trained on", "--split all", "Omit it.")
        return clips(recipes.load_as(run.file(RECIPE), ClapRecipe), "test")

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

        recipe = recipes.load_as(run.file(RECIPE), ClapRecipe)
        rate_hz = recipe.features.sample_rate_hz
        with atomic_folder(run.file("replay")) as made:
            for index, stream in enumerate(streams(recipe, items_per_label)):
                folder = made / str(len(stream.claps_ms))
                folder.mkdir(exist_ok=True)
                soundfile.write(folder / f"{index:03}.wav", stream.audio, rate_hz, subtype="PCM_16")
        return run.file("replay")


CLAPS = ClapCounting()


def _refuse(data_dir: Path | None) -> None:
    if data_dir is not None:
        raise TinymlError("The task `claps` makes its own sound", str(data_dir), "Omit --data.")


def _labelled(made: EvaluationSet) -> LabelledInputs:
    return LabelledInputs(to_float(made.features), made.labels)


def _manifest(recipe: ClapRecipe, fitted: Fitted) -> Manifest:
    counts: dict[str, dict[str, int]] = {
        split: dict.fromkeys(LABELS, recipe.sound.clips_of(split)) for split in SPLITS
    }
    return classifier_manifest(
        recipe,
        fitted,
        recipe.model.name,
        features=recipe.features,
        clip_ms=CLIP_MS,
        data=Data(source="synthetic", split_by="hands", counts=counts),
        recognizer=recipe.recognizer,
    )
