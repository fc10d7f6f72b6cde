"""Additional processes for a search: on this computer, or wherever a Ray cluster has room.

They share only the study's journal and the trials' runs, so any of them may be lost.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from tinyml_cli import processes
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

Place = Literal["local", "ray"]
PLACES = ("local", "ray")


class Helper(Protocol):
    """A process that trains trials."""

    def wait(self) -> object:
        """Waits until it has ended."""

    def terminate(self) -> None:
        """Ends it if it is still running."""


def again() -> list[str]:
    """This command line, with the options of a worker."""
    arguments = [a for a in sys.argv[1:] if a not in ("--json", "--quiet", "-q")]
    command = [sys.executable, "-m", "tinyml_cli", *arguments]
    return [*command, "--only-work", "--workers", "1", "--engine", "local", "--quiet"]


def start(command: list[str], count: int, place: Place) -> Sequence[Helper]:
    """Starts processes.

    Args:
        command: the command of each process.
        count: number of processes.
        place: this computer, or a Ray cluster: the one that RAY_ADDRESS names, otherwise one started here.
            Its computers need this tool, and the study's folder under the same path.

    Raises:
        TinymlError: Ray is missing, or there is no cluster.
    """
    if count == 0:
        return []
    console.info(f"Starting {counted(count, 'more worker')} ({place}).")
    return _on_ray(command, count) if place == "ray" else [_Local(command) for _ in range(count)]


class _Local:
    def __init__(self, command: list[str]) -> None:
        self._process = processes.Process(command, stdout=processes.DEVNULL)

    def wait(self) -> int:
        code = self._process.wait()
        self._process.stop()  # what it may have left behind
        return code

    def terminate(self) -> None:
        self._process.stop()


class _Remote:
    def __init__(self, ray: Any, task: Any) -> None:
        self._ray = ray
        self._task = task

    def wait(self) -> object:
        try:
            return self._ray.get(self._task)
        except self._ray.exceptions.RayError as error:
            console.warn(f"A worker of the Ray cluster was lost ({type(error).__name__}); its trial is kept.")
            return None

    def terminate(self) -> None:
        self._ray.cancel(self._task, force=True)


def _on_ray(command: list[str], count: int) -> list[Helper]:
    try:
        import ray
    except ImportError as error:
        raise TinymlError(
            f"Ray is not installed ({error})", "--engine ray", "Run: pip install 'tinyml-cli[ray]'"
        ) from error
    try:
        ray.init(ignore_reinit_error=True, log_to_driver=False, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise TinymlError(
            f"Cannot reach the Ray cluster ({error})", "RAY_ADDRESS", "Start it: ray start --head"
        ) from error
    folder = Path.cwd()

    def work() -> int:
        return processes.run(command, cwd=folder).returncode

    remote = ray.remote(num_cpus=1, max_retries=0)(work)
    return [_Remote(ray, remote.remote()) for _ in range(count)]
