"""What `tune vww` may vary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyml_cli.tasks.trial import Trial


def space(trial: Trial) -> Mapping[str, Any]:
    """Size of the image, kind and width of the network, and rate."""
    name = trial.suggest_categorical("network", ["vww_micro", "mobilenet_v1", "mobilenet_v2"])
    alpha = trial.suggest_float("alpha", 0.15, 1.0, log=True)
    return {
        "image.size": trial.suggest_int("size", 32, 96, step=16),
        "model": {"name": name, "options": {"alpha": alpha}},
        "training.learning_rate": trial.suggest_float("learning_rate", 5e-4, 5e-3, log=True),
    }
