"""Every endpoint of the table, by its own OpenAPI document: whatever is asked, nothing is a defect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.corpus import whistle
from tests.studio.conftest import HOST, ORIGIN
from tinyml_cli.data.clip_files import save_clip
from tinyml_cli.studio.app import ENDPOINTS, application
from tinyml_cli.studio.studio import Studio

pytestmark = pytest.mark.slow

_EXAMPLES = 8


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("studio")
    for word, speaker in [("up", "anna"), ("up", "ben"), ("down", "anna")]:
        save_clip(folder / "recordings" / word, speaker, whistle(word, 0, 0), 16_000)
    studio = Studio(folder)
    return application(studio, {HOST}), studio


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: f"{each.method} {each.path}")
def test_no_request_is_a_defect(
    app: Any, endpoint: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    import hypothesis

    schemathesis.serializer.alias("audio/wav", "application/octet-stream")
    served, studio = app
    monkeypatch.chdir(studio.root)
    token = {"authorization": f"Bearer {studio.access.token}", "host": HOST}
    client = TestClient(served, base_url=ORIGIN, headers=token, raise_server_exceptions=False)
    schema = schemathesis.openapi.from_dict(client.get("/api/openapi.json").json())
    operation = schema[endpoint.path][endpoint.method]
    brief = {"seconds": 0} if endpoint.path == "/api/events" else {}  # it would tell for an hour
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
        body = None if content is not None or not _is_json(case.body) else case.body
        answer = client.request(
            endpoint.method,
            endpoint.path,
            params={**dict(case.query or {}), **brief},
            content=content,
            json=body,
        )
        seen.add(answer.status_code)
        assert answer.status_code < 500, answer.text

    ask()
    assert seen
    rng = np.random.default_rng(0)
    for size in (0, 1, 12, 1000):
        answer = client.request(endpoint.method, endpoint.path, params=brief, content=rng.bytes(size))
        assert answer.status_code < 500, answer.text


def _is_json(body: Any) -> bool:
    return body is None or isinstance(body, (dict, list, str, int, float, bool))
