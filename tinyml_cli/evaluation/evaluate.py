"""tinyml evaluate: how good a run's models are on data that they never saw."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli import registry
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.frame import REPORT, Split
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.outcomes.anomalies import EvaluatedFiles
from tinyml_cli.outcomes.evaluations import Evaluated
from tinyml_cli.run import Run, writes


@writes
def evaluate(
    run: Run, data_dir: Path | None = None, split: str | None = None, options: EvaluationOptions | None = None
) -> Evaluated:
    """Judges a run as its task does.

    Args:
        run: holds both flatbuffers.
        data_dir: a folder of the user's data; the run's own test split by default.
        split: which part of the data; the task's choice by default.
        options: what else to measure.

    Returns:
        The task's own class of outcome, see docs/json.md.

    Raises:
        TinymlError: a flatbuffer is missing or stale, there is nothing to evaluate on, or a board does not
            answer.
    """
    task = registry.task(run.manifest().task)
    outcome: Evaluated = task.evaluate(run, data_dir, _part(split), options or EvaluationOptions())
    return outcome


def sentence(outcome: Evaluated) -> str:
    """The outcome in a sentence or two, and where the report is."""
    if isinstance(outcome, EvaluatedFiles):
        return outcome.verdict
    return f"{outcome.verdict} Report: {outcome.run}/{REPORT}"


def _part(split: str | None) -> Split | None:
    match split:
        case None | "test" | "all":
            return split
    raise TinymlError(f"Unknown split `{split}`", "--split", "Use test or all, or omit it.")
