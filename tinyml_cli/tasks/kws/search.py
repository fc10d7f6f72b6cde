"""What `tune kws` may vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tinyml_cli.models.architectures import STREAMING
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.tasks.trial import GRANULE, Trial

_WHOLE, _STREAM = "ds_cnn", "stream_ds_cnn"
# Frames that a block of a streaming network sees, but for the second one, of whose the search chooses.
_KERNEL, _SECOND_KERNELS = 3, (3, 5)


def space(trial: Trial, recipe: KwsRecipe) -> Mapping[str, Any]:
    """Depth, width, dropout and rate of a DS-CNN; where the recipe's network streams, of one that does."""
    streams = recipe.model.name in STREAMING
    # A window of one second holds the kernels of no more blocks without padding.
    depth = trial.suggest_int("blocks", 2, 4 if streams else 5)
    filters = [trial.suggest_int(f"filters{i}", 16, 80, step=GRANULE) for i in range(1, depth + 1)]
    blocks = [[width, 1 if i else 2] for i, width in enumerate(filters)]
    if streams:
        second = trial.suggest_categorical("second_kernel", list(_SECOND_KERNELS))
        blocks = [[*block, second if i == 1 else _KERNEL] for i, block in enumerate(blocks)]
    options = {
        "stem_filters": trial.suggest_int("stem_filters", 8, 48, step=GRANULE),
        "blocks": blocks,
        "dropout": trial.suggest_float("dropout", 0.0, 0.3),
    }
    rate = trial.suggest_float("learning_rate", 1e-3, 8e-3, log=True)
    return {
        "model": {"name": _STREAM if streams else _WHOLE, "options": options},
        "training.learning_rate": rate,
        "training.recorded_learning_rate": rate,
    }


def start(recipe: KwsRecipe) -> Mapping[str, Any]:
    """What `space` would have to suggest to give the recipe's own network; empty where nothing would."""
    options, training = recipe.model.options, recipe.training
    if not {"blocks", "stem_filters", "dropout"} <= set(options):
        return {}
    blocks = options["blocks"]
    if recipe.model.name == _STREAM:
        kernels = {"second_kernel": blocks[1][2]} if _are_searched(blocks) else None
    else:
        kernels = {} if recipe.model.name == _WHOLE else None
    if kernels is None:
        return {}
    recorded = recipe.data_path is not None and training.recorded_learning_rate
    return {
        "blocks": len(blocks),
        "stem_filters": options["stem_filters"],
        "dropout": options["dropout"],
        "learning_rate": recorded or training.learning_rate,
        **kernels,
        **{f"filters{i}": block[0] for i, block in enumerate(blocks, 1)},
    }


def _are_searched(blocks: Sequence[Sequence[int]]) -> bool:
    """Whether `space` can suggest these kernels of a streaming network."""
    kernels = [block[2] for block in blocks]
    return len(kernels) > 1 and kernels[1] in _SECOND_KERNELS and {_KERNEL} >= {*kernels[:1], *kernels[2:]}
