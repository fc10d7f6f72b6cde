"""What a search may vary: values of a task's recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tinyml_cli.errors import TinymlError


class Trial(Protocol):
    """What a search suggests values through (Optuna's trials are such)."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """One of some values."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        """A whole number."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """A number."""


Space = Callable[[Trial], Mapping[str, Any]]

# Kernels of microcontrollers compute four channels at a time; finer steps would cost and gain nothing.
_GRANULE = 8


def kws(trial: Trial) -> Mapping[str, Any]:
    """Depth, width, dropout and rate of a DS-CNN."""
    depth = trial.suggest_int("blocks", 2, 5)
    filters = [trial.suggest_int(f"filters{i}", 16, 80, step=_GRANULE) for i in range(1, depth + 1)]
    strides = [2] + [1] * (depth - 1)
    options = {
        "stem_filters": trial.suggest_int("stem_filters", 8, 48, step=_GRANULE),
        "blocks": [list(pair) for pair in zip(filters, strides, strict=True)],
        "dropout": trial.suggest_float("dropout", 0.0, 0.3),
    }
    rate = trial.suggest_float("learning_rate", 1e-3, 8e-3, log=True)
    return {
        "model": {"name": "ds_cnn", "options": options},
        "training.learning_rate": rate,
        "training.recorded_learning_rate": rate,
    }


def own_kws(recipe: Any) -> Mapping[str, Any]:
    """What `kws` would have to suggest to give the recipe's own network."""
    options, training = recipe.model.options, recipe.training
    blocks = options["blocks"]
    recorded = recipe.data_path is not None and training.recorded_learning_rate
    return {
        "blocks": len(blocks),
        "stem_filters": options["stem_filters"],
        "dropout": options["dropout"],
        "learning_rate": recorded or training.learning_rate,
        **{f"filters{i}": filters for i, (filters, _) in enumerate(blocks, 1)},
    }


def vww(trial: Trial) -> Mapping[str, Any]:
    """Size of the image, kind and width of the network, and rate."""
    name = trial.suggest_categorical("network", ["vww_micro", "mobilenet_v1", "mobilenet_v2"])
    alpha = trial.suggest_float("alpha", 0.15, 1.0, log=True)
    return {
        "image.size": trial.suggest_int("size", 32, 96, step=16),
        "model": {"name": name, "options": {"alpha": alpha}},
        "training.learning_rate": trial.suggest_float("learning_rate", 5e-4, 5e-3, log=True),
    }


def wand(trial: Trial) -> Mapping[str, Any]:
    """Filters of the three convolutions over a stroke's picture, and rate."""
    filters = [trial.suggest_int(f"filters{i}", 8, 64, step=_GRANULE) for i in (1, 2, 3)]
    return {
        "model.options": {"filters": filters},
        "training.learning_rate": trial.suggest_float("learning_rate", 1e-3, 1e-2, log=True),
    }


_BUILT_IN: dict[str, Space] = {"kws": kws, "vww": vww, "wand": wand}
_OWN: dict[str, Callable[[Any], Mapping[str, Any]]] = {"kws": own_kws}


def start_of(recipe: Any) -> Mapping[str, Any]:
    """The parameters of the recipe's own network, which a search has to beat; empty where none are known."""
    try:
        return _OWN[recipe.task](recipe)
    except (KeyError, TypeError, ValueError):  # another task, or a network of another kind
        return {}


def space_of(task: Any) -> Space:
    """The values that a task's search may vary; a task of another package has a method `search_space`.

    Raises:
        TinymlError: nothing is known for the task.
    """
    own = getattr(task, "search_space", None)
    if own is not None:
        found: Space = own
        return found
    if task.name not in _BUILT_IN:
        raise TinymlError(
            f"The task `{task.name}` has no search space",
            "tune",
            f"Tasks that can be tuned: {', '.join(_BUILT_IN)}.",
        )
    return _BUILT_IN[task.name]
