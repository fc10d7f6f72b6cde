"""Results of an earlier evaluation of the same models on the same items that this one did not measure."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.answer_book import AnswerBook
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run

# Parts that an evaluation may leave out, with their names for people.
_PARTS = {"noise": "the noise test", "fairness": "the groups", "device": "the board's results"}


def complete(
    run: Run,
    manifest: Manifest,
    report: str,
    books: tuple[AnswerBook | None, AnswerBook],
    outcome: dict[str, Any],
) -> dict[str, Any]:
    """`outcome` with its missing parts taken from the earlier report, so that none is lost.

    Args:
        run: whose report it is.
        manifest: says which models and data the earlier report used.
        report: name of the artifact with the earlier outcome.
        books: the answers before and after this evaluation; equal items prove that the data is the same.
        outcome: this evaluation's results; a part that is empty or None is missing.
    """
    earlier = _earlier(run, manifest, report, books)
    kept = {key: earlier[key] for key in _PARTS if not outcome[key] and earlier.get(key)}
    if kept:
        console.info(
            f"Kept from the previous report on the same models and clips: "
            f"{', '.join(_PARTS[key] for key in kept)}."
        )
    return outcome | kept


def _earlier(
    run: Run, manifest: Manifest, report: str, books: tuple[AnswerBook | None, AnswerBook]
) -> dict[str, Any]:
    """The earlier outcome; empty if there is none, or if its models or items differ."""
    before, now = books
    entry = manifest.artifacts.get(report)
    current = {name: manifest.artifacts[name].sha256 for name in (MODEL_FLOAT32, MODEL_INT8)}
    if before is None or entry is None or entry.made_from != current:
        return {}
    if before.source != now.source or not np.array_equal(before.keys, now.keys):
        return {}
    try:
        return run.read_json(manifest, report)
    except TinymlError:
        return {}
