"""A real MLflow server that is killed in the middle: nothing stops or is lost, and nothing is there twice."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tinyml
from tests.model_registry.conftest import MakeRun
from tinyml_cli import processes
from tinyml_cli.model_registry.store import Store
from tinyml_cli.tracking import journal, seam, target
from tinyml_cli.tracking.journal import JournalWriter

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("mlflow") is None,
        reason="MLflow is not installed: pip install 'tinyml-cli[mlflow]'",
    ),
]


class Server:
    """`mlflow server` on loopback, with a database that outlives it."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self._port}"
        self._folder = folder
        self._process: processes.Process | None = None

    def start(self) -> None:
        """Until it answers."""
        places = ("--backend-store-uri", f"sqlite:///{self._folder}/server.db")
        files = ("--artifacts-destination", str(self._folder / "artifacts"))
        where = ("--host", "127.0.0.1", "--port", str(self._port), "--workers", "1")
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self._process = processes.Process(
            [sys.executable, "-m", "mlflow", "server", *places, *files, *where],
            stdout=processes.DEVNULL,
            stderr=processes.DEVNULL,
            env={**os.environ, **quiet},
            cwd=self._folder,
        )
        ends = time.monotonic() + 90
        while time.monotonic() < ends:
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=2).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        """With all its processes, in the middle of whatever they do."""
        if self._process is not None:
            self._process.kill()
            self._process.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    from mlflow import MlflowClient

    monkeypatch.setenv(target.URI, server.uri)
    monkeypatch.setenv(target.EXPERIMENT, tmp_path.name)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    return MlflowClient(server.uri, server.uri)


def _sent_bytes() -> int:
    return sum(each.sent().offset for each in journal.journals(journal.spool_dir()))


def test_a_server_that_is_killed_loses_nothing(
    tinyml: Tinyml, tmp_path: Path, server: Server, client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "runs" / "lamp"
    run.mkdir(parents=True)
    seam.forget()
    seam.want(lambda: {"words": "yes,no"})
    with seam.stage("train", run, {"training": {"epochs": 6}}) as ended:
        for epoch in range(1, 4):
            seam.epoch(epoch, {"train/loss": 1 / epoch})
        while _sent_bytes() == 0:  # MLflow has begun to listen
            time.sleep(0.05)
        server.kill()
        for epoch in range(4, 7):
            seam.epoch(epoch, {"train/loss": 1 / epoch})
        (run / "manifest.json").write_text("{}")
        ended(None)
    began = time.monotonic()
    seam.command_ended(0)
    assert time.monotonic() - began < 30
    assert "the server does not answer" in capsys.readouterr().err
    assert tinyml("tracking", "send", "--json", cwd=tmp_path, code=1).json["sent"] == 0
    server.start()
    assert tinyml("tracking", "send", "--json", cwd=tmp_path).json == {
        "folder": "runs/.tracking",
        "sent": 1,
        "dropped": 0,
        "waiting": [],
    }
    experiment = client.get_experiment_by_name(tmp_path.name)
    (found,) = client.search_runs([experiment.experiment_id])
    history = client.get_metric_history(found.info.run_id, "train/loss")
    assert [(each.step, each.value) for each in history] == [(n, 1 / n) for n in range(1, 7)]
    assert found.info.status == "FINISHED" and found.info.run_name == "lamp"
    assert found.data.params == {"option.words": "yes,no", "training.epochs": "6"}
    assert "tinyml.sha256.manifest.json" in found.data.tags
    assert [each.path for each in client.list_artifacts(found.info.run_id)] == ["manifest.json"]


def test_what_a_killed_command_left_is_sent_later(tinyml: Tinyml, tmp_path: Path, client: Any) -> None:
    begin = {"title": "lamp", "parent": "", "tags": {}}
    writer = JournalWriter(journal.spool_dir(), "a" * 32, target.of_environment(), begin)
    writer.write(journal.METRICS, metrics={"train/loss": 0.5}, step=1, at_ms=journal.now_ms())
    writer.close()
    assert tinyml("tracking", "send", "--json", cwd=tmp_path).json["sent"] == 1
    (found,) = client.search_runs([client.get_experiment_by_name(tmp_path.name).experiment_id])
    assert found.info.status == "KILLED" and found.data.metrics == {"train/loss": 0.5}


def test_a_version_is_registered_once_with_its_alias(
    tinyml: Tinyml, tmp_path: Path, client: Any, store: Store, make_run: MakeRun
) -> None:
    make_run("lamp")
    tinyml("registry", "add", "runs/lamp", cwd=tmp_path)
    words = ("registry", "export", "lamp@1", "--mlflow", "--json")
    assert tinyml(*words, cwd=tmp_path).json["aliases"] == ["challenger"]
    tinyml("registry", "promote", "lamp", "--override", "the first", cwd=tmp_path)
    assert tinyml(*words, cwd=tmp_path).json["aliases"] == ["champion"]
    (version,) = client.search_model_versions("name = 'lamp'")
    assert client.get_model_version_by_alias("lamp", "champion").version == version.version
    assert list(client.get_registered_model("lamp").aliases) == ["champion"]
    assert version.tags["tinyml.registry_version"] == "1"
    files = [each.path for each in client.list_artifacts(version.run_id)]
    assert {"manifest.json", "model_int8.tflite", "sbom.json"} <= set(files)
