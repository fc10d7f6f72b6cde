"""Whether what a command printed fits the models of its outcome."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from tinyml_cli import outcomes


def check(command: str, document: dict[str, Any]) -> None:
    """Fails with the complaints of the model that the document fits best, if it fits none."""
    complaints = []
    for model in outcomes.models(command):
        try:
            model.model_validate_json(json.dumps(document), strict=True)
            return
        except ValidationError as error:
            complaints.append((error.error_count(), f"{model.__name__}: {error}"))
    raise AssertionError(min(complaints)[1])
