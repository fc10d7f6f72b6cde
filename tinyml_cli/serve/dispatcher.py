"""Takes jobs from the queue and runs each in a process of its own, within limits."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinyml_cli import processes
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import folder_bytes, sha256_file
from tinyml_cli.http_api.refusals import NoSpaceError
from tinyml_cli.serve import worker
from tinyml_cli.serve.job_limits import JobLimits
from tinyml_cli.serve.job_log import JobLog
from tinyml_cli.serve.job_queue import JobQueue
from tinyml_cli.serve.orders import ArtifactTold, JobOrder, QueuedJob, QueueState
from tinyml_cli.serve.ray_workers import ClusterLostError, RayCluster, WorkerLostError
from tinyml_cli.serve.sources import JobSources

_POLL_S = 0.1
_LOOK_S = 2.0
_RETRY_S = 2.0
LOG, ARTIFACTS = "events.jsonl", "artifacts"


class JobCancelledError(Exception):
    """The job was cancelled, or the server ends."""


class Dispatcher:
    """Threads that run jobs.

    Args:
        folder: holds a folder for each job.
        queue: of jobs.
        sources: finds what a job is about.
        limits: of each.
        workers: how many run at once.
        cluster: where they run; None: on this computer.
    """

    def __init__(
        self,
        folder: Path,
        queue: JobQueue,
        sources: JobSources,
        limits: JobLimits,
        workers: int,
        cluster: RayCluster | None = None,
    ) -> None:
        self._folder = folder
        self._queue = queue
        self._sources = sources
        self.limits = limits
        self.workers = workers
        self._cluster = cluster
        self._ends = False
        self._cancelled: set[str] = set()
        self._running: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]

    def start(self) -> None:
        """Runs jobs from now on."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the workers; their jobs run again when the next server starts."""
        self._ends = True
        with self._queue.changed:
            self._queue.changed.notify_all()
        for thread in self._threads:
            thread.join()

    def place(self, id: str) -> Path:
        """The folder of a job."""
        return self._folder / id

    def cancel(self, id: str) -> None:
        """Ends a job with all its processes, and removes what it made; returns when that has happened."""
        with self._lock:
            if (ended := self._running.get(id)) is not None:
                self._cancelled.add(id)
            elif self._queue.cancel_waiting(id):
                self.clear(id)
        if ended is not None:
            ended.wait()

    def clear(self, id: str) -> None:
        """Removes the files of a job that has ended."""
        shutil.rmtree(self.place(id), ignore_errors=True)

    def _work(self) -> None:
        while not self._ends:
            try:
                with self._lock:
                    job = self._queue.claim()
                    if job is not None:
                        self._running[job.id] = threading.Event()
            except NoSpaceError as error:
                console.warn(str(error))
                time.sleep(_RETRY_S)
                continue
            if job is None:
                with self._queue.changed:
                    self._queue.changed.wait(timeout=1.0)
                continue
            try:
                self._run(job)
            finally:
                with self._lock:
                    self._cancelled.discard(job.id)
                    self._running.pop(job.id).set()

    def _run(self, job: QueuedJob) -> None:
        folder = self.place(job.id)
        state: QueueState = "failed"
        known: dict[str, Any] = {}
        attempt = folder / f"attempt-{job.attempts}"
        try:
            self._clean(folder)
            attempt.mkdir(parents=True)
            log = JobLog(folder / LOG)
            log.say(state="running", attempt=job.attempts)
            known["result"] = self._in_process(job, attempt, log)
            known["artifacts"] = _kept(attempt / worker.MADE, folder / ARTIFACTS)
            state = "done"
        except JobCancelledError:
            if self._ends and job.id not in self._cancelled:
                self._put_back(job, attempt)
                return
            state = "cancelled"
        except ClusterLostError as error:
            console.warn(f"the Ray cluster does not answer ({error}); jobs wait for it")
            self._put_back(job, attempt)
            time.sleep(_RETRY_S)
            return
        except WorkerLostError as error:
            console.warn(f"a worker of the Ray cluster was lost ({error}) with job {job.id}")
            shutil.rmtree(attempt, ignore_errors=True)
            if self._queue.queue_again(job.id):
                return
            known = {
                "error": TinymlError(
                    "The computers that ran the job were lost each time", job.id, "Ask for less."
                )
            }
        except TinymlError as error:
            known = {"error": error}
        except OSError as error:
            known = {"error": TinymlError(f"The job cannot be run: {error.strerror or error}", job.id)}
        except Exception as error:
            known = {"error": TinymlError(f"The job broke: {type(error).__name__}", job.id)}
        shutil.rmtree(attempt, ignore_errors=True)
        self._end(job.id, state, known)
        if state == "cancelled":
            self.clear(job.id)

    def _put_back(self, job: QueuedJob, attempt: Path) -> None:
        shutil.rmtree(attempt, ignore_errors=True)
        with contextlib.suppress(NoSpaceError):  # then it is still "running", which the next server mends
            self._queue.put_back(job.id)

    def _clean(self, folder: Path) -> None:
        for left in (*folder.glob("attempt-*"), folder / ARTIFACTS):
            shutil.rmtree(left, ignore_errors=True)

    def _end(self, id: str, state: QueueState, known: dict[str, Any]) -> None:
        """Enters the end, again and again where the disk is full: a job's end is not lost."""
        while True:
            try:
                self._queue.end(id, state, **known)
                return
            except NoSpaceError as error:
                console.warn(str(error))
                if self._ends:
                    return  # it runs again
                time.sleep(_RETRY_S)

    def _in_process(self, job: QueuedJob, attempt: Path, log: JobLog) -> Any:
        self._write_job(job.order, attempt)
        watch = self._watching(job, attempt)
        if self._cluster is not None:
            code = self._cluster.run(attempt, lambda line: _say(line, log), watch)
        else:
            code = _here(attempt, log, watch)
        watch()
        self._check_size(job, attempt)
        if (result := attempt / worker.RESULT).is_file():
            return _document(result)
        raise _failure(attempt, code, self.limits)

    def _write_job(self, order: JobOrder, attempt: Path) -> None:
        paths = self._sources.paths(order, attempt)
        if self._cluster is not None:
            paths = self._cluster.carried(paths, attempt)
        document = {"order": order.model_dump(), "limits": self.limits.as_dict(), **paths}
        (attempt / "tmp").mkdir()
        (attempt / worker.JOB).write_text(json.dumps(document), encoding="utf-8", newline="\n")

    def _watching(self, job: QueuedJob, attempt: Path) -> Callable[[], None]:
        """What is to be called a few times a second while a job runs, and once afterwards."""
        started_s = time.monotonic()
        looked_s = [started_s]

        def watch() -> None:
            now_s = time.monotonic()
            if self._ends or job.id in self._cancelled:
                raise JobCancelledError
            if now_s - started_s > self.limits.seconds:
                raise TinymlError(
                    f"The job took longer than {self.limits.seconds} s", job.id, "Ask for less at once."
                )
            if now_s - looked_s[0] > _LOOK_S:
                looked_s[0] = now_s
                self._check_size(job, attempt)

        return watch

    def _check_size(self, job: QueuedJob, attempt: Path) -> None:
        if folder_bytes(attempt) > self.limits.result_mb << 20:
            raise TinymlError(
                f"The job wrote more than {self.limits.result_mb:,} MB", job.id, "Ask for less at once."
            )


def _here(attempt: Path, log: JobLog, watch: Callable[[], None]) -> int:
    """Runs the worker of a folder on this computer; returns its exit code."""
    with processes.Process(
        worker.command(attempt),
        stdout=processes.DEVNULL,
        stderr=processes.PIPE,
        env=worker.environment(attempt),
        cwd=attempt,
    ) as process:
        reader = threading.Thread(target=_read, args=(process, log), daemon=True)
        reader.start()
        try:
            while process.poll() is None:
                watch()
                with contextlib.suppress(processes.TimeoutExpired):
                    process.wait(timeout=_POLL_S)
        finally:
            process.stop()
            reader.join()
    return process.returncode


def _read(process: processes.Process, log: JobLog) -> None:
    assert process.stderr
    for line in io.TextIOWrapper(process.stderr, encoding="utf-8", errors="replace"):
        _say(line, log)


def _say(line: str, log: JobLog) -> None:
    if text := line.rstrip():
        with contextlib.suppress(OSError):  # a full disk ends the job elsewhere
            log.say(line=text)


def _failure(attempt: Path, code: int, limits: JobLimits) -> TinymlError:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return TinymlError(**_document(attempt / worker.ERROR))
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return TinymlError(
        f"The job's process {how}",
        "",
        f"It may have needed more than {limits.memory_mb:,} MB of memory. Its events say what it did last.",
    )


def _document(path: Path) -> Any:
    """What a worker left, without the server's own paths."""
    place = json.dumps(str(path.parent.resolve()))[1:-1]
    return json.loads(path.read_text(encoding="utf-8").replace(f"{place}/", ""))


def _kept(made: Path, artifacts: Path) -> list[ArtifactTold]:
    shutil.rmtree(artifacts, ignore_errors=True)
    made.rename(artifacts)
    return [
        ArtifactTold(name=path.name, bytes=path.stat().st_size, sha256=sha256_file(path))
        for path in sorted(artifacts.iterdir())
        if path.is_file() and not path.is_symlink()
    ]
