"""Begins a training with the weights of an earlier one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml_cli.errors import TinymlError

if TYPE_CHECKING:
    import keras

    from tinyml_cli.recipes.base import BaseRecipe

Build = Callable[[], "keras.Model"]


def started(recipe: BaseRecipe, build: Build) -> Build:
    """`build`, with the weights that `recipe.start_from` names; as it is where that names none.

    Raises:
        TinymlError: when it is called: no such model, or a network of another shape.
    """
    if recipe.start_from is None:
        return build
    path = Path(recipe.start_from)

    def build_with_weights() -> keras.Model:
        import keras

        if not path.is_file():
            raise TinymlError("The model to start from does not exist", str(path), "See start_from.")
        model = build()
        earlier = keras.models.load_model(path, compile=False)
        shapes = [[tuple(weight.shape) for weight in each.weights] for each in (earlier, model)]
        if shapes[0] != shapes[1]:
            raise TinymlError(
                "The network is not the one whose weights it is to start from",
                str(path),
                "Train it anew: start_from: null, or `tinyml retrain --anew`.",
            )
        model.set_weights(earlier.get_weights())
        return model

    return build_with_weights
