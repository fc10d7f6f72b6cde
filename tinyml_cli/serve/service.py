"""What all parts of a running service share."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from tinyml_cli import locks
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.serve.boards_pool import BoardPool
from tinyml_cli.serve.dispatcher import Dispatcher
from tinyml_cli.serve.job_limits import JobLimits
from tinyml_cli.serve.job_queue import JobQueue
from tinyml_cli.serve.ray_workers import RayCluster
from tinyml_cli.serve.sources import JobSources
from tinyml_cli.serve.uploads import Uploads

STATE = ".tinyml-serve"
_SWEEP_S = 600.0


class Service:
    """A running service.

    Attributes:
        runs: the folder of runs, absolute and without links.
        token: without which nothing is answered.
        sources: runs and uploads.
        queue, dispatcher: of jobs.
        boards: firmware that answers.
    """

    def __init__(self, runs: Path, state: Path, token: str, limits: JobLimits, workers: int | str) -> None:
        """Connects to the cluster that `workers` names, if it is no number.

        Raises:
            TinymlError: there is none.
        """
        self.cluster = RayCluster(workers) if isinstance(workers, str) else None
        jobs = self.cluster.jobs if self.cluster is not None else int(workers)
        self.runs = runs.resolve()
        self.token = token
        self.keep_days = 7.0
        self.uploads = Uploads(state / "uploads")
        self.sources = JobSources(self.runs, self.uploads)
        self.queue = JobQueue(state / "jobs.sqlite3")
        self.dispatcher = Dispatcher(state / "jobs", self.queue, self.sources, limits, jobs, self.cluster)
        self.boards = BoardPool(state / "native", self.queue, self.dispatcher)
        self._ends = threading.Event()

    def start(self) -> None:
        """Takes up what the last server left, and runs jobs from now on."""
        for id in self.queue.recover():
            console.warn(f"job {id} is given up: the server ended each time while it ran")
        self.dispatcher.start()
        threading.Thread(target=self._keep_clean, daemon=True).start()

    def stop(self) -> None:
        """Ends workers and boards; jobs that ran go on with the next server."""
        self._ends.set()
        self.dispatcher.stop()
        if self.cluster is not None:
            self.cluster.close()
        self.boards.close()
        self.queue.close()

    def sweep(self) -> None:
        """Removes old jobs and uploads, and files of jobs that nobody knows."""
        for id in self.queue.old(self.keep_days):
            self.dispatcher.clear(id)
            self.queue.forget(id)
        waiting = [*self.queue.all("queued", 10_000), *self.queue.all("running", 10_000)]
        orders = [job.order for job in waiting]
        self.uploads.sweep({id for each in orders for id in (each.model, each.calibration, each.inputs)})

    def _keep_clean(self) -> None:
        while not self._ends.is_set():
            with contextlib.suppress(TinymlError, OSError):
                self.sweep()
            self._ends.wait(_SWEEP_S)


@contextlib.contextmanager
def opened(runs: Path, state: Path, token: str, limits: JobLimits, workers: int | str) -> Iterator[Service]:
    """A service that runs; no second one may have the same state.

    Raises:
        TinymlError: the state's folder cannot be written, or another server has it.
    """
    try:
        state.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise TinymlError(
            f"The server cannot keep its queue: {error.strerror or error}",
            str(state),
            "Make the folder writable, or name another one with --state.",
        ) from error
    state = state.resolve()
    with locks.locked(state, "queue of this folder"):
        service = Service(runs, state, token, limits, workers)
        service.start()
        try:
            yield service
        finally:
            service.stop()
