"""Fixtures: runs of a classifier that were evaluated, without a network in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tinyml_cli.evaluation.answer_book import AnswerBook
from tinyml_cli.evaluation.frame import METRICS
from tinyml_cli.manifest import Manifest
from tinyml_cli.model_registry.store import Store
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, RECIPE, Run

LABELS = ["no", "yes"]
MakeRun = Callable[..., Run]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A registry that is to be made."""
    return Store.make(tmp_path / "registry")


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Makes runs whose model was right about some of its test items: make_run("a", right=[True, False])."""

    def make(
        name: str,
        right: Sequence[bool] = (True,) * 40,
        gap: float | None = None,
        first_item: int = 0,
        labels: Sequence[str] = LABELS,
        mismatches: int = 0,
    ) -> Run:
        run = Run.create(tmp_path / "runs" / name)
        manifest = Manifest(task="kws", seed=1, labels=list(labels))
        for file in (MODEL_FLOAT32, MODEL_INT8):
            run.file(file).write_bytes(f"{name} {file}".encode())
            run.record(manifest, file, "tinyml convert")
        run.file(RECIPE).write_text("task: kws\n")
        hits = np.array(right, bool)
        sha256 = hashlib.sha256(run.file(MODEL_INT8).read_bytes()).hexdigest()
        keys = np.array([f"{first_item + n:016x}.0" for n in range(len(hits))])
        truth = np.zeros(len(hits), np.int64)
        run.file(METRICS).parent.mkdir()
        AnswerBook("|", keys, truth, {sha256: np.where(hits, 0, 1)}).save(run)
        fairness = [] if gap is None else [_fairness(gap)]
        device = {"board": "sim", "level": "emulated", "n": len(hits), "reference": "tflm"}
        figures = {
            "int8": {"accuracy": float(hits.mean()), "ci95": [0, 1], "better_than_chance": True},
            "fairness": fairness,
            "device": device | {"mismatches": mismatches},
        }
        run.file(METRICS).write_text(json.dumps(figures))
        run.record(manifest, METRICS, "tinyml evaluate", [MODEL_FLOAT32, MODEL_INT8])
        run.save(manifest)
        return run

    return make


def _fairness(gap: float) -> dict[str, object]:
    worst = {"group": "b", "n": 100, "accuracy": 0.9 - gap, "ci95": [0, 1]}
    groups = [worst, worst | {"group": "a", "accuracy": 0.9}]
    interval = [gap - 0.02, gap + 0.02]
    return {"attribute": "age", "groups": groups, "minimum_n": 10, "gap": gap, "gap_ci95": interval}
