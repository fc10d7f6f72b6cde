"""Which figure of a run each budget limits."""

from __future__ import annotations

import json

import pytest

from tests.model_registry.conftest import MakeRun, make_run
from tinyml_cli.evaluation.frame import METRICS
from tinyml_cli.project.figures import RunFigures
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8

__all__ = ["make_run"]


def _group(name: str, accuracy: float, n: int = 100) -> dict[str, object]:
    return {"group": name, "n": n, "accuracy": accuracy, "ci95": [accuracy - 0.1, accuracy + 0.1]}


QUALITY = {
    "int8": {"accuracy": 0.9, "ci95": [0.8, 0.95], "recall": {"yes": 0.7, "no": 0.95, "never": None}},
    "auc": 0.97,
    "fairness": [
        {
            "attribute": "age",
            "groups": [_group("young", 0.9), _group("old", 0.6), _group("few", 0.1, n=3)],
            "minimum_n": 10,
            "gap": 0.3,
            "gap_ci95": [0.1, 0.5],
        },
        {"attribute": "accent", "groups": [_group("(not listed)", 0.2)], "minimum_n": 10, "gap": None},
    ],
}


@pytest.mark.parametrize(
    ("name", "value", "ci95"),
    [
        ("accuracy", 0.9, (0.8, 0.95)),
        ("worst_recall", 0.7, None),
        ("worst_group", 0.6, (0.5, 0.7)),  # neither too small a group nor people who are not listed
        ("fairness_gap", 0.3, (0.1, 0.5)),
        ("auc", 0.97, None),
        ("false_accepts_per_hour", 0.4, (0.1, 0.9)),
        ("mean_error", None, None),
        ("inference_ms", None, None),
    ],
)
def test_each_budget_has_its_figure(
    make_run: MakeRun, name: str, value: float | None, ci95: tuple[float, float] | None
) -> None:
    run = make_run("one")
    manifest = run.manifest()
    stream = {"false_accepts": {"n": 2, "per_hour": 0.4, "ci95": [0.1, 0.9]}}
    for file, document in ((METRICS, QUALITY), ("report/stream.json", stream)):
        run.file(file).write_text(json.dumps(document))
        run.record(manifest, file, "tinyml evaluate", [MODEL_FLOAT32, MODEL_INT8])
    run.save(manifest)
    figure = RunFigures(run, "sim").of_budget(name)
    if value is None:
        assert figure is None
    else:
        assert figure is not None and figure.value == value and figure.evidence == "host"
        assert figure.ci95 == (None if ci95 is None else pytest.approx(ci95))
