"""Begins a training with the weights of an earlier one.

`trainer.train`, through which every network goes, asks here, so that no task can forget it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml_cli.errors import TinymlError

if TYPE_CHECKING:
    import keras


class _StartWeights:
    """A model file, and whether a training has begun with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_used = False


_start: ContextVar[_StartWeights | None] = ContextVar("start", default=None)


@contextlib.contextmanager
def starting_from(path: str | None) -> Iterator[None]:
    """Trainings inside begin with the weights of a model file; None: as they are.

    Raises:
        TinymlError: there is no such file, or nothing inside trained a network.
    """
    if path is None:
        yield
        return
    if not Path(path).is_file():
        raise TinymlError("The model to start from does not exist", path, "Correct start_from, or remove it.")
    start = _StartWeights(Path(path))
    token = _start.set(start)
    try:
        yield
    finally:
        _start.reset(token)
    if not start.is_used:
        raise TinymlError(
            "The task trains no network that could start from weights", path, "Remove start_from."
        )


def built(build: Callable[[], keras.Model]) -> keras.Model:
    """What `build` makes, with the weights that `starting_from` names around it.

    Raises:
        TinymlError: a network of another shape.
    """
    model = build()
    start = _start.get()
    if start is None:
        return model
    import keras

    earlier = keras.models.load_model(start.path, compile=False)
    shapes = [[tuple(weight.shape) for weight in each.weights] for each in (earlier, model)]
    if shapes[0] != shapes[1]:
        raise TinymlError(
            "The network is not the one whose weights it is to start from",
            str(start.path),
            "Train it anew: start_from: null, or `tinyml retrain --anew`.",
        )
    model.set_weights(earlier.get_weights())
    start.is_used = True
    return model
