"""What `tune kws` may vary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyml_cli.tasks.trial import GRANULE, Trial


def space(trial: Trial) -> Mapping[str, Any]:
    """Depth, width, dropout and rate of a DS-CNN."""
    depth = trial.suggest_int("blocks", 2, 5)
    filters = [trial.suggest_int(f"filters{i}", 16, 80, step=GRANULE) for i in range(1, depth + 1)]
    strides = [2] + [1] * (depth - 1)
    options = {
        "stem_filters": trial.suggest_int("stem_filters", 8, 48, step=GRANULE),
        "blocks": [list(pair) for pair in zip(filters, strides, strict=True)],
        "dropout": trial.suggest_float("dropout", 0.0, 0.3),
    }
    rate = trial.suggest_float("learning_rate", 1e-3, 8e-3, log=True)
    return {
        "model": {"name": "ds_cnn", "options": options},
        "training.learning_rate": rate,
        "training.recorded_learning_rate": rate,
    }


def start(recipe: Any) -> Mapping[str, Any]:
    """What `space` would have to suggest to give the recipe's own network; empty where nothing would."""
    options, training = recipe.model.options, recipe.training
    if recipe.model.name != "ds_cnn" or not {"blocks", "stem_filters", "dropout"} <= set(options):
        return {}
    blocks = options["blocks"]
    recorded = recipe.data_path is not None and training.recorded_learning_rate
    return {
        "blocks": len(blocks),
        "stem_filters": options["stem_filters"],
        "dropout": options["dropout"],
        "learning_rate": recorded or training.learning_rate,
        **{f"filters{i}": filters for i, (filters, _) in enumerate(blocks, 1)},
    }
