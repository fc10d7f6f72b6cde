"""A single stroke or motion as the wand's model takes it."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.inspection.model_input import ModelInput
from tinyml_cli.manifest import Manifest
from tinyml_cli.pages.augmented import Look
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.tasks.wand.sources import source_of


def take_input(file: Path, recipe: WandRecipe, manifest: Manifest) -> ModelInput:
    """The first one of a file.

    Raises:
        TinymlError: an unreadable file, or none in it.
    """
    source = source_of(recipe)
    units = {} if manifest.data is None else manifest.data.units
    features = source.features(source.read(file, recipe, units).items[:1], recipe)
    look: Look = "image" if recipe.input == "stroke" else "motion"
    return ModelInput(source.to_float(features, recipe), features[0], look)
