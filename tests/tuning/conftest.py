from __future__ import annotations

import pytest

from tests.tracking.conftest import unsent
from tinyml_cli import registry

__all__ = ["unsent"]


@pytest.fixture(autouse=True)
def _patterns_can_be_tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._TRAINED, "patterns", "tests.tuning.tunable_patterns:TASK")
