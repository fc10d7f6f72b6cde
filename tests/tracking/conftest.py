"""Fixtures: what a tracked command keeps, with nobody who sends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.model_registry.conftest import make_run, store
from tinyml_cli.tracking import delivery, journal, seam, target
from tinyml_cli.tracking.journal import Journal

__all__ = ["make_run", "store"]

Kept = Callable[[], list[list[dict[str, Any]]]]


@pytest.fixture
def unsent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kept]:
    """MLflow counts as installed, and no process sends; gives the events of each journal in runs/."""
    monkeypatch.setattr(target, "require_mlflow", lambda: None)
    monkeypatch.setattr(delivery, "start", lambda spool, uri="": None)
    monkeypatch.delenv(target.URI, raising=False)
    monkeypatch.chdir(tmp_path)
    yield lambda: [[event for _, event in each.events(0)] for each in journal.journals(journal.spool_dir())]
    seam.forget()


@pytest.fixture
def waiting(unsent: Kept) -> Journal:
    """The journal of a command that has ended."""
    seam.want(lambda: {"samples": 100, "json": True, "teacher": None})
    with seam.stage("quantize", Path("run"), title="run quantize") as ended:
        ended(None)
    seam.command_ended(0)
    (found,) = journal.journals(journal.spool_dir())
    return found
