from __future__ import annotations

import pytest

from tinyml_cli import registry


@pytest.fixture(autouse=True)
def _patterns_can_be_tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._TRAINED, "patterns", "tests.tuning.tunable_patterns:TASK")
