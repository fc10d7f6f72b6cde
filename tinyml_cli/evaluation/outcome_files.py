"""What the evaluation of a classifier leaves in its run: figures, the report, a picture of the confusion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinyml_cli.evaluation.metrics_file import METRICS, write_metrics
from tinyml_cli.files import write_atomic
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.statistics.metrics import Classification

REPORT = "report/report.html"
CONFUSION = "report/confusion.png"

# The manifest keeps what describes the model in a few lines; report/metrics.json keeps everything.
_ONLY_IN_METRICS = ("run", "curves", "mistakes", "calibration")


def write_outcome(
    run: Run,
    outcome: dict[str, Any],
    page: str,
    pictures: Iterable[str] = (),
    only_in_metrics: Iterable[str] = (),
) -> None:
    """Writes the results and enters them into the manifest.

    Args:
        run: whose int8 model was judged.
        outcome: at least n, labels and what `measures.measure` gives.
        page: the report, HTML.
        pictures: files of the run that the task has drawn itself.
        only_in_metrics: further keys of the outcome that are too long for the manifest.
    """
    from tinyml_cli.evaluation.plots import confusion_png

    write_metrics(run, outcome)
    confusion = Classification(tuple(outcome["labels"]), np.array(outcome["int8"]["confusion"], np.int64))
    confusion_png(run.file(CONFUSION), confusion, _title(run, outcome))
    write_atomic(run.file(REPORT), page)
    manifest = run.manifest()
    left_out = {*_ONLY_IN_METRICS, *only_in_metrics}
    manifest.metrics["evaluate"] = {key: value for key, value in outcome.items() if key not in left_out}
    for name in (METRICS, CONFUSION, REPORT, *pictures):
        run.record(manifest, name, "tinyml evaluate", [MODEL_FLOAT32, MODEL_INT8])
    run.save(manifest)


def _title(run: Run, outcome: dict[str, Any]) -> str:
    result = outcome["int8"]
    low, high = result["ci95"]
    return (
        f"{run.path.resolve().name}, int8: {result['accuracy']:.1%} ({low:.1%} to {high:.1%}), "
        f"n = {outcome['n']}"
    )
