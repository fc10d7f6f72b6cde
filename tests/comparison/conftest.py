from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import pattern_task
from tinyml_cli.run import Run


@pytest.fixture
def converted_run(tmp_path: Path, patterns_task: None) -> Run:
    """A fresh copy of a run that holds flatbuffers, among other runs."""
    return Run(Path(shutil.copytree(pattern_task.converted(), tmp_path / "runs" / "patterns")))
