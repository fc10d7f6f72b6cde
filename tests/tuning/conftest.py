from __future__ import annotations

from pathlib import Path

import pytest

from tinyml_cli import registry

_HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _patterns_can_be_tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (_HERE, _HERE.parent / "tflite"):
        monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setitem(registry._TRAINED, "patterns", "tunable_patterns:TASK")
