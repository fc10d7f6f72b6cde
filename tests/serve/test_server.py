"""The command: its options, its end, and a queue that survives a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tinyml
from tinyml_cli import processes
from tinyml_cli.container import service_settings
from tinyml_cli.http_api.server import SERVICE_PORT
from tinyml_cli.run import Run
from tinyml_cli.serve.server import _token


def test_a_missing_folder_is_refused(tinyml: Tinyml, tmp_path: Path) -> None:
    assert "does not exist" in tinyml("serve", "nothing", cwd=tmp_path, code=2).err


def test_a_token_file_is_made_for_its_owner_alone_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = _token(path)
    assert len(token) > 40
    assert path.stat().st_mode & 0o077 == 0 or os.name == "nt"
    assert _token(path) == token
    assert _token(None) != _token(None)


@pytest.mark.parametrize(
    "content", [b"", b"short", b"two words in one token", b"\xff" * 40, "ü".encode() * 40]
)
def test_a_bad_token_file_is_refused(tinyml: Tinyml, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    answer = tinyml("serve", ".", "--token-file", "token", cwd=tmp_path, code=2)
    assert "token" in answer.err
    assert not (tmp_path / ".tinyml-serve").exists()


@contextmanager
def serving(folder: Path) -> Iterator[tuple[processes.Process, str, str]]:
    """The command of an image that serves, with another folder and a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    changed = {"tinyml": "tinyml_cli", f"/{service_settings.DATA}": str(folder), str(SERVICE_PORT): port}
    words = [changed.get(word, word) for word in service_settings.started("")["Entrypoint"]]
    command = [sys.executable, "-m", *words, "--json"]
    with processes.Process(command, stdout=processes.PIPE, stderr=processes.DEVNULL) as process:
        told = json.loads(next(process.lines()))
        yield process, told["url"], told["token"]
        process.stop()


def asked(url: str, token: str, content: bytes | None = None) -> Any:
    request = urllib.request.Request(url, content, {"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


@pytest.mark.slow
def test_a_killed_server_loses_no_job(tmp_path: Path, firmware_run: Run) -> None:
    """SIGKILL in the middle of a job: its processes end with it, and the next server runs it to its end."""
    shutil.copytree(firmware_run.path, tmp_path / "kws", ignore=shutil.ignore_patterns("export", "firmware"))
    with serving(tmp_path) as (process, url, token):
        *ask, script = service_settings.started(sys.executable)["Healthcheck"]["Test"][1:]
        script = script.replace(str(SERVICE_PORT), url.rpartition(":")[2])
        healthy = processes.run([*ask, script], timeout_s=60)
        assert healthy.returncode == 0, healthy.stderr
        ids = [asked(f"{url}/v1/jobs?kind=c&run=kws&engine=aot", token, b"")["id"] for _ in range(2)]
        deadline = time.monotonic() + 60
        while asked(f"{url}/v1/jobs/{ids[0]}", token)["state"] == "queued" and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises((urllib.error.URLError, OSError)):
            while True:
                asked(f"{url}/v1/jobs", token)
    with serving(tmp_path) as (process, url, token):
        deadline = time.monotonic() + 400
        while time.monotonic() < deadline:
            jobs = {each["id"]: each for each in asked(f"{url}/v1/jobs", token)["jobs"]}
            if all(each["state"] == "done" for each in jobs.values()):
                break
            time.sleep(0.1)
        assert set(jobs) == set(ids)
        assert {each["state"] for each in jobs.values()} == {"done"}
        assert jobs[ids[0]]["attempts"] == 2
        left = {path.name for path in (tmp_path / ".tinyml-serve" / "jobs").glob("*/attempt-*")}
        assert left == set()
