"""The process of one job: `python -m tinyml_cli.serve.worker FOLDER`, started by the dispatcher.

FOLDER holds `job.json`; the worker leaves `result.json` or `error.json` in it, and files in `made/`. It holds
the lock of the job, so that two never run one job at once, whatever became of the server in between.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

JOB, RESULT, ERROR, MADE = "job.json", "result.json", "error.json", "made"


def command(folder: Path) -> list[str]:
    """The command line of the worker of a folder."""
    return [sys.executable, "-P", "-m", "tinyml_cli.serve.worker", str(folder.resolve())]


def environment(folder: Path) -> dict[str, str]:
    """Runs and temporary files lie in the job's own folder."""
    temporary = str((folder / "tmp").resolve())
    return {
        **os.environ,
        "TINYML_RUNS": str((folder / "runs").resolve()),
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary),
    }


def main(folder: Path) -> int:
    """Does the job of a folder; returns the exit code."""
    from tinyml_cli import locks
    from tinyml_cli.errors import EXIT_OK, TinymlError
    from tinyml_cli.serve.job_limits import JobLimits

    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    JobLimits(**job["limits"]).apply()
    try:
        with locks.locked(folder.parent, "job", wait=True):
            _write(folder / RESULT, _done(folder, job))
        return EXIT_OK
    except Exception as error:
        if _is_out_of_memory(error):
            mb = job["limits"]["memory_mb"]
            error = TinymlError(f"The job needs more than {mb:,} MB of memory", "", "Ask for less.")
        refused, code = _explained(error)
    _write(folder / ERROR, refused.as_dict())
    return code


def _done(folder: Path, job: dict[str, Any]) -> Any:
    from tinyml_cli.serve.kinds import JobPlace, run_order
    from tinyml_cli.serve.orders import JobOrder

    place = JobPlace(
        order=JobOrder.model_validate(job["order"]),
        model=Path(job["model"]),
        calibration=job["calibration"],
        inputs=Path(job["inputs"]) if job["inputs"] else None,
        made=folder / MADE,
    )
    return run_order(place)


def _is_out_of_memory(error: Exception) -> bool:
    """Also of a library that finds no room to be loaded, which is an ImportError."""
    texts = ("cannot allocate memory", "failed to map segment")
    return isinstance(error, MemoryError) or any(text in str(error).lower() for text in texts)


def _explained(error: Exception) -> tuple[Any, int]:
    from tinyml_cli import defect, system_errors
    from tinyml_cli.errors import EXIT_BAD_INPUT, EXIT_DEFECT, TinymlError

    if isinstance(error, TinymlError):
        return error, EXIT_BAD_INPUT
    if isinstance(error, OSError) and (refused := system_errors.explain(error)):
        return refused, EXIT_BAD_INPUT
    if isinstance(error, ImportError):
        return TinymlError(f"The server lacks a package: {error}", "", "Ask who runs it."), EXIT_BAD_INPUT
    return defect.explain(error), EXIT_DEFECT


def _write(path: Path, document: Any) -> None:
    from tinyml_cli.files import write_atomic

    write_atomic(path, json.dumps(document))


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main(Path(sys.argv[1])))
