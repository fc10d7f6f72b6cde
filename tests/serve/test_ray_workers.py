"""Jobs on a Ray cluster of two nodes, of which one is killed; and what travels there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serve.conftest import TOKEN, client_of
from tests.serve.test_jobs import done
from tinyml_cli.errors import TinymlError
from tinyml_cli.serve.job_limits import JobLimits
from tinyml_cli.serve.ray_workers import packed, places, unpack
from tinyml_cli.serve.service import Service


@pytest.mark.parametrize("wrong", ["0", "65", "-1", "two", "", "ray://", "http://head:1", "²"])
def test_workers_are_a_number_or_a_cluster(wrong: str) -> None:
    with pytest.raises(TinymlError, match="neither a number"):
        places(wrong)
    assert places("3") == 3 and places("ray://head:10001") == "ray://head:10001"


def test_only_what_a_worker_leaves_comes_back_and_names_the_servers_folder(tmp_path: Path) -> None:
    folder, back = tmp_path / "node" / "attempt", tmp_path / "server" / "attempt"
    for name in ("made/model.bin", "result.json", "runs/big.bin", "job.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f'"{folder}/made"')
    unpack(packed(folder, str(back)), back)
    assert sorted(path.name for path in back.rglob("*") if path.is_file()) == ["model.bin", "result.json"]
    assert (back / "result.json").read_text() == f'"{back}/made"'
    assert (back / "made" / "model.bin").read_bytes() == (folder / "made" / "model.bin").read_bytes()


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head and a second node, one processor each."""
    pytest.importorskip("ray", reason="extra `ray` is not installed")
    from ray.cluster_utils import Cluster

    options = {"num_cpus": 1, "object_store_memory": 80 << 20}
    nodes = Cluster(initialize_head=True, head_node_args={**options, "include_dashboard": False})
    nodes.second = nodes.add_node(**options)
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    yield nodes
    with contextlib.suppress(Exception):
        nodes.shutdown()


@pytest.mark.nightly
def test_no_job_is_lost_with_a_node(cluster: Any, tmp_path: Path, tflite: bytes) -> None:
    state = tmp_path / ".tinyml-serve"
    state.mkdir()
    service = Service(tmp_path, state, TOKEN, JobLimits(), "ray://auto")
    assert service.dispatcher.workers == 2
    client = client_of(service)
    ids = [client.post("/v1/jobs?kind=c&engine=aot", content=tflite).json()["id"] for _ in range(3)]
    service.start()
    try:
        import ray

        deadline = time.monotonic() + 120
        while ray.available_resources().get("CPU", 0) > 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        cluster.remove_node(cluster.second, allow_graceful=False)
        jobs = [done(client, id, within_s=400) for id in ids]
        assert [job["state"] for job in jobs] == ["done"] * 3, jobs
        assert all([each["name"] for each in job["artifacts"]] == ["c.zip"] for job in jobs)
        assert sum(job["attempts"] for job in jobs) == 4
        assert str(tmp_path) not in str(jobs)
    finally:
        service.stop()
