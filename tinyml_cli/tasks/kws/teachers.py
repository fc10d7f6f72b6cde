"""Keyword spotting: trained runs as teachers of a smaller model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import splits
from tinyml_cli.data.clips import ClipSet
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.run import MODEL, Run
from tinyml_cli.tasks.kws import held_out as kws_held_out
from tinyml_cli.wording import counted


@dataclass(frozen=True)
class Teachers:
    """What teachers think of examples.

    Attributes:
        score: uint16 [examples, frames, channels] -> float32 [examples, labels], rows sum to 1.
        fingerprint: hash of the teachers' models.
    """

    score: Callable[[NDArray[np.uint16]], NDArray[np.float32]]
    fingerprint: str


def load(recipe: KwsRecipe, parts: Mapping[splits.Split, ClipSet]) -> Teachers | None:
    """The recipe's teachers; None where it names none.

    Raises:
        TinymlError: not a trained run, other labels or features, or a teacher that knows speakers whom this
            training keeps for validation or test.
    """
    runs = [Run.open(Path(path)) for path in recipe.distillation.teachers]
    if not runs:
        return None
    manifests = [run.manifest() for run in runs]
    for run, manifest in zip(runs, manifests, strict=True):
        _check(run, manifest, recipe, parts)
    from tinyml_cli.training.teacher import Ensemble

    models = [run.require(manifest, MODEL) for run, manifest in zip(runs, manifests, strict=True)]
    ensemble = Ensemble(models, recipe.distillation.temperature)
    return Teachers(ensemble.score, " ".join(manifest.artifacts[MODEL].sha256 for manifest in manifests))


def _check(run: Run, manifest: Manifest, recipe: KwsRecipe, parts: Mapping[splits.Split, ClipSet]) -> None:
    if manifest.labels != recipe.model_labels:
        raise TinymlError(
            f"The teacher's labels are {', '.join(manifest.labels)}, not {', '.join(recipe.model_labels)}",
            str(run.path),
            "Train a teacher on the same words in the same order.",
        )
    if manifest.features != recipe.features or manifest.clip_ms != recipe.clip_ms:
        raise TinymlError(
            "The teacher uses different features",
            str(run.path),
            "Train it with the same `features` and clip_ms.",
        )
    names = kws_held_out.speakers(run, manifest)
    known = {*names["train"], *names["validation"]}
    kept = {str(group) for split in ("validation", "test") for group in parts[split].groups}
    shared = sorted(kept & set(names["train"])) or sorted(set(map(str, parts["test"].groups)) & known)
    if shared:
        raise TinymlError(
            f"The teacher was trained on {counted(len(shared), 'speaker')} that this training holds out, "
            f"such as `{shared[0]}`",
            str(run.path),
            "Train it with the same data, seed, training.validation_share and training.test_share.",
        )
