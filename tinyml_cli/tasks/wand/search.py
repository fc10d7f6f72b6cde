"""What `tune wand` may vary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyml_cli.tasks.trial import GRANULE, Trial


def space(trial: Trial) -> Mapping[str, Any]:
    """Filters of the three convolutions over a stroke's picture, and rate."""
    filters = [trial.suggest_int(f"filters{i}", 8, 64, step=GRANULE) for i in (1, 2, 3)]
    return {
        "model.options": {"filters": filters},
        "training.learning_rate": trial.suggest_float("learning_rate", 1e-3, 1e-2, log=True),
    }
