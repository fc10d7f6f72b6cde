"""Jobs over HTTP: what is refused at once, what runs in a worker, what a cancelled one leaves."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.testclient import TestClient

from tests.serve.conftest import client_of, service_of
from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.endpoints import respond
from tinyml_cli.serve import job_endpoints
from tinyml_cli.serve.service import Service
from tinyml_cli.serve.uploads import UPLOAD_BYTES, check_upload


def done(client: TestClient, id: str, within_s: float = 120) -> dict[str, Any]:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        job: dict[str, Any] = client.get(f"/v1/jobs/{id}").json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.05)
    raise AssertionError(job)


def test_c_sources_of_an_upload_and_what_cancelling_leaves(
    service: Service, client: TestClient, tflite: bytes
) -> None:
    """One job runs and can be read in three ways; one that waits is cancelled, and leaves nothing."""
    job = client.post("/v1/jobs?kind=c&name=<b>ad.tflite&engine=aot", content=tflite).json()
    assert job["state"] == "queued"
    other = client.post(f"/v1/jobs?kind=c&model={job['order']['model']}").json()
    assert client.delete(f"/v1/jobs/{other['id']}").json()["state"] == "cancelled"
    service.start()
    try:
        found = done(client, job["id"])
        assert found["state"] == "done", found
        assert [each["name"] for each in found["artifacts"]] == ["c.zip"]
        assert str(service.runs) not in json.dumps(found)
        content = client.get(f"/v1/jobs/{job['id']}/artifacts/c.zip").content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert "aot/network.c" in archive.namelist()
        events = client.get(f"/v1/jobs/{job['id']}/events").text
        assert '"state": "running"' in events
        assert events.rstrip().endswith('data: {"state": "done"}')
        assert (
            client.get(f"/v1/jobs/{job['id']}/events?after=1").text.count("id: ") == events.count("id: ") - 1
        )
        jobs = service.runs / ".tinyml-serve" / "jobs"
        assert [path.name for path in jobs.iterdir()] == [job["id"]]
        assert sorted(path.name for path in (jobs / job["id"]).iterdir()) == ["artifacts", "events.jsonl"]
        assert len(list((service.runs / ".tinyml-serve" / "uploads").iterdir())) == 1
        assert client.delete(f"/v1/jobs/{job['id']}").json()["state"] == "done"
        assert client.get(f"/v1/jobs/{job['id']}").status_code == 404
        assert list(jobs.iterdir()) == []
    finally:
        service.dispatcher.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"seconds": 0}, "longer than 0 s"),
        ({"memory_mb": 80}, "more than 80 MB of memory"),
        ({"result_mb": 0}, "more than 0|large"),
    ],
)
def test_a_job_beyond_its_limits_fails_with_the_reason(
    tmp_path: Path, tflite: bytes, limits: dict[str, int], reason: str
) -> None:
    service = service_of(tmp_path, **limits)
    client = client_of(service)
    service.start()
    try:
        job = done(client, client.post("/v1/jobs?kind=c", content=tflite).json()["id"])
    finally:
        service.dispatcher.stop()
    assert job["state"] == "failed"
    assert re.search(reason, json.dumps(job["error"])), job["error"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found in /proc")
def test_cancelling_ends_the_whole_family_and_leaves_nothing(
    service: Service, client: TestClient, tflite: bytes
) -> None:
    id = client.post("/v1/jobs?kind=firmware&board=native", content=tflite).json()["id"]
    service.start()
    try:
        deadline = time.monotonic() + 120
        while not _processes_of(id) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert client.delete(f"/v1/jobs/{id}").json()["state"] == "cancelled"
        assert _processes_of(id) == []
        assert list((service.runs / ".tinyml-serve" / "jobs").iterdir()) == []
    finally:
        service.dispatcher.stop()


def _processes_of(id: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if id.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


WRONG = {
    "kind=c": 422,  # of nothing
    "kind=c&run=nothing": 404,
    "kind=c&run=..": 422,
    "kind=c&run=.tinyml-serve": 422,
    "kind=c&run=/etc": 422,
    "kind=c&run=%00": 422,
    "kind=nothing&run=kws": 422,
    f"kind=c&model={'0' * 64}": 404,
    "kind=c&model=../../etc/passwd": 422,
    "kind=c&name=../x.tflite": 422,
    "kind=c&unknown=1": 422,
}


@pytest.mark.parametrize("query", WRONG)
def test_a_wrong_order_is_refused_before_it_is_queued(client: TestClient, query: str) -> None:
    answer = client.post(f"/v1/jobs?{query}")
    assert answer.status_code == WRONG[query], answer.text
    assert set(answer.json()["error"]) == {"what", "where", "next_step"}
    assert client.get("/v1/jobs").json() == {"jobs": []}


@pytest.mark.parametrize("query", ["kind=c&board=nothing", "kind=infer", "kind=profile&calibration=x"])
def test_wrong_options_of_a_model_are_refused(client: TestClient, tflite: bytes, query: str) -> None:
    assert client.post(f"/v1/jobs?{query}", content=tflite).status_code in (404, 422)
    assert client.get("/v1/jobs").json() == {"jobs": []}


@pytest.mark.parametrize(
    "path",
    ["/v1/jobs/..%2f..", "/v1/jobs/0/artifacts/..%2fjob.json", "/v1/jobs/0000000000000000/artifacts/x"],
)
def test_no_path_leaves_a_job(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (404, 422)


def test_an_upload_of_two_gigabytes_is_refused_by_its_length(client: TestClient) -> None:
    length = {"content-length": str(2 << 30)}
    assert client.post("/v1/files?name=x.tflite", headers=length, content=b"x").status_code == 413


def test_an_upload_without_a_length_is_refused_while_it_comes(service: Service) -> None:
    """Chunk by chunk: what comes beyond the limit is not waited for."""
    endpoint = next(each for each in job_endpoints.ENDPOINTS if each.path == "/v1/files")
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": bytes(1 << 20), "more_body": True}

    scope = {"type": "http", "method": "POST", "path": "/v1/files", "headers": [], "query_string": b"name=x"}
    answer = asyncio.run(respond(service, endpoint, Request(scope, receive)))
    assert answer.status_code == 413
    assert taken == (UPLOAD_BYTES >> 20) + 1


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_hostile_flatbuffers_are_refused(
    tmp_path_factory: pytest.TempPathFactory, tflite: bytes, data: st.DataObject
) -> None:
    content = bytearray(tflite[: data.draw(st.integers(0, len(tflite)))])
    for _ in range(data.draw(st.integers(0, 5))):
        if content:
            content[data.draw(st.integers(0, min(len(content), 2000) - 1))] = data.draw(st.integers(0, 255))
    try:
        check_upload("x.tflite", bytes(content))
    except TinymlError:
        return


@pytest.mark.parametrize("name", ["x.h5", "x.zip", "x", "x.py", "x.tflite.exe"])
def test_files_of_other_kinds_are_refused(client: TestClient, name: str) -> None:
    answer = client.post(f"/v1/files?name={name}", content=b"abc")
    assert answer.status_code == 422
    assert ".tflite, .keras" in answer.json()["error"]["next_step"]


def test_arrays_are_kept_by_their_hash(client: TestClient) -> None:
    stream = io.BytesIO()
    np.savez(stream, x=np.zeros((3, 2), np.float32))
    ids = {client.post(f"/v1/files?name={name}.npz", content=stream.getvalue()).json()["id"] for name in "ab"}
    assert len(ids) == 1
