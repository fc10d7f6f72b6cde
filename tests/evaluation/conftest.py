from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "tflite"))

import pattern_task

import tests.corpus
from tests.conftest import Tinyml
from tests.corpus import write_corpus
from tests.store import kept, package
from tinyml_cli import registry
from tinyml_cli.run import Run

SMALL = "model.options={stem_filters: 16, blocks: [[32, 2], [32, 1]]}"


@pytest.fixture(autouse=True)
def _patterns_is_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._TRAINED, "patterns", "pattern_task:TASK")


@pytest.fixture
def converted_run(tmp_path: Path) -> Run:
    """A fresh copy of a run that holds flatbuffers."""
    return Run(Path(shutil.copytree(pattern_task.converted(), tmp_path / "run")))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Whistles of 40 speakers."""
    ingredients = [Path(tests.corpus.__file__)]
    return kept("whistles", ingredients, lambda folder: write_corpus(folder / "whistles", 40)) / "whistles"


@pytest.fixture(scope="session")
def whistle_run(tinyml: Tinyml, corpus: Path) -> Path:
    """A run that heard whistles, with exported sources; copy it before changing it."""

    def make(home: Path) -> None:
        run = home / "runs" / "whistles"
        values = (SMALL, "training.epochs=6", "training.learning_rate=0.004")
        options = [part for value in values for part in ("--set", value)]
        tinyml(
            *("train", "kws", "--data", corpus, "--run", run, "--words", "up,down", "--seed", "3"),
            *options,
            cwd=home,
        )
        for stage in (("quantize", run, "--samples", "64"), ("convert", run), ("export-c-array", run)):
            tinyml(*stage, cwd=home)

    return kept("whistle-run", [package(), Path(__file__), corpus], make) / "runs" / "whistles"
