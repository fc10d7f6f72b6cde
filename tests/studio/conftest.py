"""A studio over an empty folder, asked in process."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tinyml_cli.studio.app import application
from tinyml_cli.studio.studio import Studio

HOST = "127.0.0.1:8420"
ORIGIN = f"http://{HOST}"


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Studio(folder)


@pytest.fixture
def stranger(studio: Studio) -> TestClient:
    """A browser on the studio's page that has not signed in."""
    client = TestClient(application(studio, {HOST}), base_url=ORIGIN, raise_server_exceptions=False)
    client.headers["origin"] = ORIGIN
    return client


@pytest.fixture
def owner(studio: Studio, stranger: TestClient) -> TestClient:
    """The same browser, signed in with the token."""
    assert stranger.post("/api/enter", content=studio.access.token).status_code == 200
    return stranger
