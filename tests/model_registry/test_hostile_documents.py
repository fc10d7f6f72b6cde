"""Documents of a registry that somebody else has written."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tinyml_cli.model_registry.documents import ModelIndex, ModelVersion


@pytest.mark.parametrize("name", ["../../evil.txt", "/tmp/evil.txt", "C:evil.txt", "..\\evil.txt", ""])
def test_a_version_lies_in_its_run_alone(name: str) -> None:
    known: dict[str, Any] = dict.fromkeys(("code", "data_snapshot", "parent"))
    known |= {
        "model": "lamp",
        "created": "",
        "run": "lamp",
        "task": "kws",
        "labels": [],
        "tinyml_version": "",
    }
    known |= {"int8_sha256": "0" * 64, "figures": {}, "files": {"manifest.json": "0" * 64}}
    ModelVersion.model_validate(known)
    with pytest.raises(ValidationError, match="outside the run"):
        ModelVersion.model_validate(known | {"files": {**known["files"], name: "0" * 64}})


@pytest.mark.parametrize("wrong", [{"champions": [7]}, {"challenger": 9}, {"versions": {-3: "0" * 64}}])
def test_an_index_means_versions_that_it_has(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ModelIndex.model_validate({"model": "lamp", "versions": {1: "0" * 64}} | wrong)
