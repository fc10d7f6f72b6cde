"""The same clients as an app for Flower, which needs an environment of its own: files only."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.files import write_arrays, write_atomic
from tinyml_cli.training.batches import Batches
from tinyml_cli.training.determinism import make_deterministic
from tinyml_cli.training.federated.rounds import FederationPlan
from tinyml_cli.training.warm_start import built

APP = "flower"
"""The app's folder in a run."""
_TEMPLATES = Path(__file__).parent / "flower"
_PACKAGE = "tinyml_federation"
_OUTSIDE = ("pyproject.toml", "README.md")


def export(folder: Path, plan: FederationPlan) -> None:
    """Writes the app anew: network, settings, each client's examples of its first pass, the test split."""
    shutil.rmtree(folder, ignore_errors=True)
    package = folder / _PACKAGE
    package.mkdir(parents=True)
    write_atomic(package / "__init__.py", "")
    for template in _TEMPLATES.glob("*.txt"):
        place = folder if template.stem in _OUTSIDE else package
        write_atomic(place / template.stem, template.read_text(encoding="utf-8"))
    make_deterministic(plan.seed)
    built(plan.build).save(package / "start.keras")
    for number, client in enumerate(plan.population.clients):
        write_arrays(package / f"client_{number:03d}.npz", _first_pass(client.batches))
    inputs, targets = plan.population.shown
    weights = np.ones(len(inputs), np.float32)
    write_arrays(package / "test.npz", {"inputs": inputs, "targets": targets, "weights": weights})
    write_atomic(package / "settings.json", json.dumps(_settings(plan), indent=2) + "\n")


def _first_pass(batches: Batches) -> dict[str, NDArray[Any]]:
    parts = [
        (each.inputs, each.targets, np.ones(len(each.inputs)) if each.weights is None else each.weights)
        for each in batches.epoch(0)
    ]
    columns = (np.concatenate(column).astype(np.float32) for column in zip(*parts, strict=True))
    return dict(zip(("inputs", "targets", "weights"), columns, strict=True))


def _settings(plan: FederationPlan) -> dict[str, Any]:
    recipe = plan.recipe
    return {
        "clients": recipe.clients,
        "rounds": plan.rounds,
        "participation": recipe.participation,
        "local_epochs": recipe.local_epochs,
        "batch_size": len(next(plan.population.together.epoch(0)).inputs),
        "learning_rate": plan.learning_rate,
        "weight_decay": plan.weight_decay or 0.0,
        "aggregate": recipe.aggregate,
        "trim": recipe.trim,
        "prox_mu": recipe.prox_mu,
        "measure": "accuracy" if plan.population.measure == "accuracy" else "loss",
        "label_smoothing": plan.label_smoothing,
    }
