"""Fixtures: a project whose run was evaluated, without TensorFlow."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests import store
from tests.doubles import sine_run
from tinyml_cli.project import scaffold
from tinyml_cli.run import RECIPE, Run


def _make(folder: Path) -> None:
    from tinyml_cli.evaluation.evaluate import evaluate

    scaffold.make_project(folder / "first", "hello", None)
    run = sine_run.make(folder / "first" / "runs" / "first")
    evaluate(run)
    shutil.copyfile(run.file(RECIPE), folder / "first" / RECIPE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh copy of a project of `hello`: its run is evaluated on the host, and no firmware is built."""
    made = store.kept("project", [store.package(), Path(__file__), Path(sine_run.__file__)], _make)
    return Path(shutil.copytree(made / "first", tmp_path / "first"))


@pytest.fixture
def run(project: Path) -> Run:
    """The run of the project."""
    return Run(project / "runs" / "first")


def measured_on_board(run: Run, **changed: object) -> None:
    """Enters what `evaluate --on sim` and `profile` would have left in the run."""
    from tinyml_cli.evaluation.frame import METRICS
    from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8

    manifest = run.manifest()
    figures = json.loads(run.file(METRICS).read_text())
    device = {"board": "sim", "engine": "aot", "level": "emulated", "path": "model", "n": 100}
    figures["device"] = device | {"mismatches": 0, "reference": "tflm"} | changed
    run.file(METRICS).write_text(json.dumps(figures))
    run.record(manifest, METRICS, "tinyml evaluate", [MODEL_FLOAT32, MODEL_INT8])
    elf = run.file("firmware/sim/firmware.elf")
    elf.parent.mkdir(parents=True, exist_ok=True)
    elf.write_bytes(b"\\x7fELF")
    run.record(manifest, "firmware/sim/firmware.elf", "tinyml build --board sim", [MODEL_INT8])
    manifest.firmware["sim"] = {"flash_bytes": 15_368, "ram_bytes": 13_336, "arena_bytes": 32}
    profile = {"model_sha256": manifest.artifacts[MODEL_INT8].sha256, "time_ms": 0.04, "on_board": None}
    run.file("report/profile.json").write_text(json.dumps(profile))
    run.save(manifest)
