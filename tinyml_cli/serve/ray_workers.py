"""Jobs on the computers of a Ray cluster: `tinyml serve --workers ray://HOST:10001`.

What a job needs travels with it and what it made comes back, so the computers share no folder; each needs
tinyml and what its jobs use, compilers included. A job whose computer is lost waits again.
"""

from __future__ import annotations

import contextlib
import io
import json
import queue
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tinyml_cli import processes
from tinyml_cli.documents import shown
from tinyml_cli.errors import TinymlError
from tinyml_cli.serve import worker
from tinyml_cli.serve.kinds import LEFT_OUT

PREFIX = "ray://"
MOST_JOBS = 64
_ADDRESSES = {"ray://auto": "auto"}
_POLL_S = 0.2
_LEFT = ("made/", worker.RESULT, worker.ERROR)


class WorkerLostError(Exception):
    """The computer, or the process of Ray, that had the job is gone."""


class ClusterLostError(Exception):
    """The cluster does not answer."""


def places(workers: str) -> int | str:
    """What `--workers` asks for: jobs at once on this computer, or the address of a cluster.

    Raises:
        TinymlError: neither.
    """
    if workers.startswith(PREFIX) and len(workers) > len(PREFIX):
        return workers
    if workers.isascii() and workers.isdigit() and 1 <= int(workers) <= MOST_JOBS:
        return int(workers)
    raise TinymlError(
        f"`{shown(workers)}` is neither a number from 1 to {MOST_JOBS} nor the address of a Ray cluster",
        "--workers",
        "For example: --workers 2, or --workers ray://head.local:10001",
    )


class RayCluster:
    """A cluster, as the place where jobs run.

    Args:
        address: `ray://HOST:PORT`, of a head started by `ray start --head`; `ray://auto` on a computer that
            is in the cluster itself.

    Raises:
        TinymlError: Ray is missing, or there is no cluster at that address.
    """

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise TinymlError(
                f"Ray is not installed ({error})", "--workers", "Run: pip install 'tinyml-cli[ray]'"
            ) from error
        self._ray: Any = ray
        self._address = address
        self._lock = threading.Lock()
        try:
            self._connect()
        except ClusterLostError as error:
            raise TinymlError(
                f"Cannot reach the Ray cluster ({error})",
                address,
                "Start it on its head: ray start --head --ray-client-server-port 10001",
            ) from error

    def _connect(self) -> None:
        """Connects, where that is not so.

        Raises:
            ClusterLostError: the cluster does not answer.
        """
        with self._lock:
            if self._ray.is_initialized():
                return
            try:
                self._ray.init(_ADDRESSES.get(self._address, self._address), log_to_driver=False)
            except Exception as error:  # gRPC, time-outs, another version of Ray or Python: many kinds
                raise ClusterLostError(str(error).partition("\n")[0]) from error
            # A lost job is not repeated by Ray: it goes through the queue, which counts attempts.
            self._jobs = self._ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(RemoteJob)

    @property
    def jobs(self) -> int:
        """How many jobs run at once: a processor each, of those that the cluster has now."""
        return max(1, min(MOST_JOBS, int(self._ray.cluster_resources().get("CPU", 1))))

    def close(self) -> None:
        """Leaves the cluster; the jobs of this server end there."""
        self._ray.shutdown()

    def carried(self, paths: Mapping[str, str | None], attempt: Path) -> dict[str, str | None]:
        """Copies of what a job is about, inside the folder that travels; the word random stays."""
        found = {}
        for key, given in paths.items():
            source = Path(given) if given else None
            found[key] = given if source is None or not source.is_absolute() else str(_copy(source, attempt))
        return found

    def run(self, attempt: Path, say: Callable[[str], None], watch: Callable[[], None]) -> int:
        """Runs the job of a folder, which holds afterwards what the worker left.

        Args:
            attempt: the folder, with job.json and all that it names.
            say: takes lines of progress.
            watch: raises to end the job; called a few times a second.

        Returns:
            The worker's exit code.

        Raises:
            WorkerLostError: the computer that ran it is gone.
            ClusterLostError: all of them are, or cannot be reached.
        """
        self._connect()
        ray = self._ray
        job: Any = None
        try:
            job = self._jobs.remote(packed(attempt), str(attempt))
            while True:
                asked = job.progress.remote()
                while not ray.wait([asked], timeout=_POLL_S)[0]:
                    watch()
                watch()
                lines, code = ray.get(asked)
                for line in lines:
                    say(line)
                if code is not None:
                    unpack(ray.get(job.results.remote()), attempt)
                    return int(code)
        except ray.exceptions.RayError as error:
            raise WorkerLostError(type(error).__name__) from error
        except (ConnectionError, RuntimeError) as error:  # of Ray's client
            with contextlib.suppress(Exception):
                ray.shutdown()
            raise ClusterLostError(type(error).__name__) from error
        finally:
            if job is not None:
                with contextlib.suppress(Exception):  # it has ended, or its computer is gone
                    ray.kill(job)


class RemoteJob:
    """A job on a computer of the cluster, an actor of Ray; the worker's processes end with it.

    Args:
        job: the folder of the job, packed.
        place: the folder's path on the server, which its documents name.
    """

    def __init__(self, job: bytes, place: str) -> None:
        self._place = place
        self._folder = tempfile.TemporaryDirectory(prefix="tinyml-job-")
        self._attempt = Path(self._folder.name).resolve() / "attempt"
        unpack(job, self._attempt)
        (self._attempt / "tmp").mkdir(exist_ok=True)
        document = (self._attempt / worker.JOB).read_text(encoding="utf-8")
        here = document.replace(json.dumps(place)[1:-1], json.dumps(str(self._attempt))[1:-1])
        (self._attempt / worker.JOB).write_text(here, encoding="utf-8", newline="\n")
        self._process = processes.Process(
            worker.command(self._attempt),
            stdout=processes.DEVNULL,
            stderr=processes.PIPE,
            env=worker.environment(self._attempt),
            cwd=self._attempt,
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr
        for line in io.TextIOWrapper(self._process.stderr, encoding="utf-8", errors="replace"):
            self._lines.put(line.rstrip())

    def progress(self) -> tuple[list[str], int | None]:
        """New lines after a moment, and the exit code, once there is one."""
        with contextlib.suppress(processes.TimeoutExpired):
            self._process.wait(timeout=_POLL_S)
        code = self._process.poll()
        if code is not None:
            self._process.stop()
            self._reader.join(timeout=5)
        lines = []
        while not self._lines.empty():
            lines.append(self._lines.get())
        return lines, code

    def results(self) -> bytes:
        """What the worker left, packed; the folder is gone afterwards."""
        found = packed(self._attempt, self._place)
        self._folder.cleanup()
        return found


def packed(folder: Path, place: str = "") -> bytes:
    """A folder as an archive; with `place`, only what a worker leaves, in documents that name that folder."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink() or not path.is_file() or (place and not name.startswith(_LEFT)):
                continue
            content = path.read_bytes()
            if place and path.parent == folder:
                here, there = (json.dumps(str(each))[1:-1].encode() for each in (folder, place))
                content = content.replace(here, there)
            archive.writestr(name, content)
    return stream.getvalue()


def unpack(archive: bytes, folder: Path) -> None:
    """Makes a folder, or fills it, from an archive of `packed`."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        files.extractall(folder)  # drops drives, roots and dots of names


def _copy(source: Path, attempt: Path) -> Path:
    if source.is_relative_to(attempt):
        return source
    target = attempt / "given" / source.name
    target.parent.mkdir(exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*LEFT_OUT))
    else:
        shutil.copy(source, target)
    return target
