from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "tflite"))

import pattern_task

from tinyml_cli import registry
from tinyml_cli.run import Run


@pytest.fixture(autouse=True)
def _patterns_is_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._TRAINED, "patterns", "pattern_task:TASK")


@pytest.fixture
def converted_run(tmp_path: Path) -> Run:
    """A fresh copy of a run that holds flatbuffers."""
    return Run(Path(shutil.copytree(pattern_task.converted(), tmp_path / "runs" / "patterns")))
