"""Visual wake words and other classes of images: which of them a camera sees."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import checks, recipes
from tinyml_cli.data import inventory
from tinyml_cli.drift import columns as drift
from tinyml_cli.drift.image_columns import Values
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.frame import Split, section
from tinyml_cli.evaluation.membership import Losses, of_labels
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.evaluation.validation_items import VALIDATION
from tinyml_cli.inspection.model_input import ModelInput
from tinyml_cli.link.protocol import Event
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Data
from tinyml_cli.models import bounds, build_model, options, require_tensorflow
from tinyml_cli.outcomes.stages import Trained
from tinyml_cli.pages.items import Items
from tinyml_cli.recipes.vww import IMAGENET, IMAGENET_ALPHAS, ImagesRecipe, MaskRecipe, VwwRecipe
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.tasks.spec import Augmented, TaskSpec
from tinyml_cli.tasks.trial import Trial
from tinyml_cli.tasks.vww import data as vww_data
from tinyml_cli.tasks.vww import held_out as vww_held_out
from tinyml_cli.tasks.vww import search as vww_search
from tinyml_cli.tasks.vww import settings as settings_vww
from tinyml_cli.tasks.vww.data import ImageData
from tinyml_cli.tasks.vww.monitor import ImageMonitor
from tinyml_cli.tflite.graph import Graph
from tinyml_cli.training.checkpoint import Resume
from tinyml_cli.training.image_batches import to_float
from tinyml_cli.training.run_training import RunTraining, classifier_manifest

if TYPE_CHECKING:
    import keras

    from tinyml_cli.tasks.vww.attacked import AttackedImages
    from tinyml_cli.tasks.vww.evaluate import ImageEvaluation
    from tinyml_cli.training.trainer import Fitted

_KEPT = (vww_held_out.HELD_OUT, vww_held_out.TRAINING_SAMPLE, vww_held_out.SEEN, VALIDATION)


_ITEMS = Items(
    "image",
    "images",
    "",
    "drawn figures",
    "images",
    "It was trained only on drawn figures: it is an exercise and does not work on real images.",
)


class VisualWakeWords(TaskSpec):
    """The tasks `vww`, `mask` and `images`: classes of images, with or without a background.

    Args:
        name: of the task.
        recipe_schema: the class of its recipes, which says what the background is.
        event: that the firmware sends when what it sees changes.
    """

    data_kind = "images"
    drift_kept_by = "evaluate"
    firmware_app = "vww"
    peripherals = ("camera",)
    monitor = ImageMonitor
    starter_recipe = "source: procedural         # drawn figures, until there are images in data/"

    def __init__(self, name: str, recipe_schema: type[VwwRecipe], event: str) -> None:
        self.name = name
        self.recipe_schema = recipe_schema
        self._event = event

    def items(self, manifest: Manifest) -> Items:
        """What reports count."""
        return _ITEMS

    def load_data(self, recipe: VwwRecipe) -> ImageData:
        """The recipe's images, split.

        Raises:
            TinymlError: no data was given, or it is unusable.
        """
        return vww_data.load(recipe)

    def build_model(self, recipe: VwwRecipe) -> keras.Model:
        """An untrained model, or the backbone that is to be trained on."""
        recipe = self.settled(recipe)
        shape, model = _input_shape(recipe), recipe.model
        if model.backbone is None:
            return build_model(model.name, shape, len(recipe.classes), model.options)
        require_tensorflow()
        from tinyml_cli.models.transfer import start_from

        return start_from(model.backbone, shape, len(recipe.classes), model.name, **model.options)

    def check(self, recipe: VwwRecipe) -> None:
        """Refuses what would stop the training later.

        Raises:
            TinymlError: no such model or backbone, no data, or a class without images.
        """
        _check(self.settled(recipe))

    def settled(self, recipe: VwwRecipe) -> VwwRecipe:
        """With the classes that a recipe of `images` leaves to its data.

        Raises:
            TinymlError: the data has fewer than two.
        """
        if recipe.classes:
            return recipe
        named = {**recipe.model_dump(mode="json"), "classes": vww_data.classes_of(recipe)}
        settled = recipes.validate(named, recipe.data_path or "recipe")
        assert isinstance(settled, VwwRecipe)
        return settled

    def search_space(self, trial: Trial, recipe: VwwRecipe) -> Mapping[str, Any]:
        """Size of the image, kind and width of the network, and rate."""
        return vww_search.space(trial)

    def augmented(self, recipe: VwwRecipe, root: Path, most: int, variations: int) -> Augmented:
        """As training varies them; see tasks/vww/preview.py."""
        from tinyml_cli.tasks.vww.preview import varied_images

        return varied_images(root, recipe, most, variations)

    def train(self, run: Run, recipe: VwwRecipe, resume: Resume | bool = False) -> Trained:
        """Trains and writes model.keras, recipe.yaml and manifest.json.

        Args:
            run: where to write.
            recipe: what to train.
            resume: what to do with the checkpoint of a stopped training.

        Raises:
            TinymlError: no or unusable data, an unusable backbone, or packages that are missing.
        """
        recipe = self.settled(recipe)
        training = RunTraining(run, recipe, resume)
        self.check(recipe)
        data = self.load_data(recipe)
        training.begin()
        from tinyml_cli.training.image_fit import fit_images

        train, validation = data.part("train"), data.part("validation")
        fitted = fit_images(
            lambda: self.build_model(recipe),
            train,
            validation,
            recipe,
            run.file("logs"),
            _fingerprint(recipe, data),
            resume,
        )
        vww_held_out.save(run, data, recipe.seed)
        manifest = _describe(recipe, data, fitted)
        return training.finish(
            manifest,
            fitted.model,
            [RECIPE, *_KEPT],
            (len(train), len(validation), len(data.part("test"))),
            notes=list(data.notes),
            left_out=inventory.counts(data.left_out),
        )

    def calibration_samples(self, run: Run, recipe: VwwRecipe, n: int, seed: int) -> NDArray[np.float32]:
        """Model inputs from the training split, float32 [min(n, kept), size, size, channels]."""
        return to_float(vww_held_out.calibration_pixels(run, n, seed), recipe.image)

    def evaluation(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> ImageEvaluation:
        """Of both flatbuffers; see tasks/vww/evaluate.py."""
        from tinyml_cli.tasks.vww.evaluate import ImageEvaluation

        return ImageEvaluation(run, data_dir, split, options)

    def drift_values(self, manifest: Manifest, events: Sequence[Event]) -> Values:
        """Of the images that the model was given."""
        return {} if manifest.image is None else drift.picture_values(manifest.image, events)

    def model_input(self, run: Run, item: Path) -> ModelInput:
        """An image's centred square."""
        from tinyml_cli.tasks.vww.one_input import image_input

        return image_input(item, section(run, run.manifest().image, "image"))

    def labelled_inputs(self, run: Run) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Images of the training split as they are."""
        pixels, labels = vww_held_out.trained_on(run)
        return to_float(pixels, section(run, run.manifest().image, "image")), labels

    def known_losses(self, run: Run) -> Losses:
        """Of images as they are."""
        pixels, labels = vww_held_out.trained_on(run)
        return of_labels(self.evaluation(run, None, None, EvaluationOptions()), pixels, labels)

    def attack_surface(self, run: Run, data_dir: Path | None) -> AttackedImages:
        """Pixels as the model gets them; see tasks/vww/attacked.py."""
        from tinyml_cli.tasks.vww.attacked import AttackedImages

        return AttackedImages(self.evaluation(run, data_dir, None, EvaluationOptions()))

    def settings(self, manifest: Manifest, graph: Graph) -> list[str]:
        """Image, labels and how many frames count."""
        return settings_vww.parts(manifest, graph, self._event)

    def write_replay(self, run: Run, items_per_label: int) -> Path:
        """Held-out images as PNG files in `replay/LABEL/`."""
        return vww_held_out.write_replay(run, items_per_label)


VWW = VisualWakeWords("vww", VwwRecipe, "person")
MASK = VisualWakeWords("mask", MaskRecipe, "person")
IMAGES = VisualWakeWords("images", ImagesRecipe, "class")


def _input_shape(recipe: VwwRecipe) -> tuple[int, int, int]:
    """Rows, columns and channels of the network's input."""
    return recipe.image.size, recipe.image.size, recipe.image.channels


def _check(recipe: VwwRecipe) -> None:
    """Model, backbone and data folder; no image is opened."""
    model = recipe.model
    if model.backbone not in (None, IMAGENET):
        checks.input_file(Path(str(model.backbone)), "--backbone")
        bounds.check_image_input(Path(str(model.backbone)), _input_shape(recipe))
    options.check(model.name, model.options)
    if model.backbone == IMAGENET:
        _check_imagenet(recipe)
    if recipe.data_path is not None:
        checks.data_folder(Path(recipe.data_path))
        vww_data.check_folder(Path(recipe.data_path), recipe)
    elif recipe.source == "folder":
        raise vww_data.no_data(recipe)
    else:
        vww_data.drawn(recipe)
    if recipe.training.epochs == 0 and recipe.model.backbone is None:
        raise TinymlError(
            "With 0 epochs the model stays untrained",
            "training.epochs",
            "Use at least 1, or start from a trained model: --backbone MODEL",
        )


def _check_imagenet(recipe: VwwRecipe) -> None:
    name = recipe.model.name
    if name not in IMAGENET_ALPHAS:
        raise TinymlError(
            f"There are no ImageNet weights for `{name}`",
            "--backbone imagenet",
            f"Add --model {' or --model '.join(IMAGENET_ALPHAS)}; or give a file: --backbone MODEL",
        )
    alphas = IMAGENET_ALPHAS[name]
    if (alpha := recipe.model.options.get("alpha", 0.25)) not in alphas:
        raise TinymlError(
            f"There are no ImageNet weights for `{name}` with alpha {alpha}",
            "--alpha",
            f"Choose from: {', '.join(map(str, alphas))}.",
        )
    if recipe.image.channels != 3:
        raise TinymlError("ImageNet weights are for colour images", "--gray", "Use --rgb.")


def _fingerprint(recipe: VwwRecipe, data: ImageData) -> str:
    """A hash of all that decides what the training computes, and nothing else."""
    relevant = recipe.model_dump(include={"seed", "classes", "image", "augmentation", "model", "training"})
    digest = hashlib.sha256(repr(relevant).encode())
    train = data.part("train")
    digest.update("".join(data.hashes[train.rows]).encode())
    digest.update(train.labels.tobytes())
    return digest.hexdigest()


def _describe(recipe: VwwRecipe, data: ImageData, fitted: Fitted) -> Manifest:
    return classifier_manifest(
        recipe,
        fitted,
        recipe.model.name if recipe.model.backbone is None else recipe.model.backbone,
        image=recipe.image,
        presence=recipe.presence,
        background=recipe.background,
        gate=recipe.gate,
        data=Data(
            source="procedural" if data.origin == "procedural" else "folder",
            path=recipe.data_path,
            split_by=data.split_by,
            counts=data.counts(recipe.classes),
            notes=list(data.notes),
            left_out=inventory.counts(data.left_out),
        ),
    )
