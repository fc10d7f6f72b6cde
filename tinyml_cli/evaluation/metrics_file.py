"""report/metrics.json: the --json output of an evaluation, kept in the run."""

from __future__ import annotations

import json
from typing import Any

from tinyml_cli.files import write_atomic
from tinyml_cli.run import Run
from tinyml_cli.statistics import chance

METRICS = "report/metrics.json"


def write_metrics(run: Run, outcome: dict[str, Any]) -> None:
    """Writes the outcome of an evaluation, after recording whether it is better than chance."""
    chance.judge(outcome)
    write_atomic(run.file(METRICS), json.dumps(outcome, indent=2, ensure_ascii=False) + "\n")
