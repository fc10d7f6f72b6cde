"""The two kinds of input that a wand's model may have."""

from __future__ import annotations

from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.tasks.wand.imu_input import MOTIONS
from tinyml_cli.tasks.wand.source import GestureSource
from tinyml_cli.tasks.wand.stroke_input import STROKES


def source_of(recipe: WandRecipe) -> GestureSource:
    """The recipe's kind of input."""
    return STROKES if recipe.input == "stroke" else MOTIONS
