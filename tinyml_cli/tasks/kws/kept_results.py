"""Results of an earlier evaluation of the same models on the same items that this one did not measure."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import ValidationError

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.answer_book import AnswerBook
from tinyml_cli.evaluation.frame import METRICS
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.evaluations import EvaluatedClips
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run

# Parts that an evaluation may leave out, with their names for people.
_PARTS = {"noise": "the noise test", "fairness": "the groups", "device": "the board's results"}


def complete(
    run: Run, manifest: Manifest, before: AnswerBook | None, now: AnswerBook, outcome: EvaluatedClips
) -> EvaluatedClips:
    """`outcome` with its missing parts taken from the earlier report/metrics.json, so that none is lost.

    Args:
        run: whose report it is.
        manifest: says which models and data the earlier report used.
        before, now: the answers before and after this evaluation; equal items prove that the data is the
            same.
        outcome: this evaluation's results; a part that is empty or None is missing.
    """
    earlier = _earlier(run, manifest, before, now)
    kept = {key: earlier[key] for key in _PARTS if not getattr(outcome, key) and earlier.get(key)}
    if not kept:
        return outcome
    try:
        whole = EvaluatedClips.model_validate(outcome.as_dict() | kept)
    except ValidationError:  # of a tinyml that measured otherwise
        return outcome
    console.info(
        f"Kept from the previous report on the same models and clips: "
        f"{', '.join(_PARTS[key] for key in kept)}."
    )
    return whole


def _earlier(run: Run, manifest: Manifest, before: AnswerBook | None, now: AnswerBook) -> dict[str, Any]:
    """The earlier outcome; empty if there is none, or if its models or items differ."""
    entry = manifest.artifacts.get(METRICS)
    current = {name: manifest.artifacts[name].sha256 for name in (MODEL_FLOAT32, MODEL_INT8)}
    if before is None or entry is None or entry.made_from != current:
        return {}
    if before.source != now.source or not np.array_equal(before.keys, now.keys):
        return {}
    try:
        return run.read_json(manifest, METRICS)
    except TinymlError:
        return {}
