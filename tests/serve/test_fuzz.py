"""Every endpoint of the table, by its own OpenAPI document: whatever is asked, nothing is a defect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from tinyml_cli.serve.app import ENDPOINTS

pytestmark = pytest.mark.slow

_EXAMPLES = 8


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: f"{each.method} {each.path}")
def test_no_request_is_a_defect(client: TestClient, endpoint: Any) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    import hypothesis

    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    operation = schema[endpoint.path][endpoint.method]
    seen: set[int] = set()

    @hypothesis.settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        content = case.body if isinstance(case.body, bytes) else None
        answer = client.request(
            endpoint.method,
            case.formatted_path,
            params=dict(case.query or {}),
            content=content,
            json=None if content is not None or not _is_json(case.body) else case.body,
        )
        seen.add(answer.status_code)
        assert answer.status_code < 500, answer.text

    ask()
    assert seen
    rng = np.random.default_rng(0)
    for size in (0, 1, 12, 1000):
        answer = client.request(endpoint.method, endpoint.path, content=rng.bytes(size))
        assert answer.status_code < 500, answer.text


def _is_json(body: Any) -> bool:
    return body is None or isinstance(body, (dict, list, str, int, float, bool))
