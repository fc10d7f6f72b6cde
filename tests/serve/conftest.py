"""A service over a folder of runs, asked in process; its workers are real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tinyml_cli.serve.app import application
from tinyml_cli.serve.job_limits import JobLimits
from tinyml_cli.serve.service import Service

HOST = "127.0.0.1:8421"
STREAM = f"ws://{HOST}/v1/stream"
TOKEN = "a-token-for-tests-only"


def client_of(service: Service) -> TestClient:
    client = TestClient(
        application(service, {"localhost"}), base_url=f"http://{HOST}", raise_server_exceptions=False
    )
    client.headers["authorization"] = f"Bearer {TOKEN}"
    return client


def service_of(folder: Path, **limits: int) -> Service:
    state = folder / ".tinyml-serve"
    state.mkdir(exist_ok=True)
    return Service(folder, state, TOKEN, JobLimits(**limits), workers=2)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service that takes jobs and does not run them until `start` is called."""
    found = service_of(tmp_path)
    yield found
    found.queue.close()


@pytest.fixture
def client(service: Service) -> TestClient:
    return client_of(service)


@pytest.fixture(scope="session")
def tflite(shared: Path) -> bytes:
    path = shared / "models" / "ad01_int8.tflite"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    return path.read_bytes()
