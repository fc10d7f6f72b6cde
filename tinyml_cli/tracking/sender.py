"""Sends journals to MLflow: `python -m tinyml_cli.tracking.sender SPOOL [URI]`, beside the command.

So a server that hangs delays no training, and MLflow's import takes none of its time. It sends what there is,
follows the journals of commands that still run, and ends when nothing is left, or when all commands have
ended and an attempt has failed. One sender of a spool works at a time; the others wait for it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tinyml_cli.tracking import journal
from tinyml_cli.tracking.journal import Journal

_POLL_S = 0.3
_MAX_WAIT_S = 4.0
_LONGEST = 160
_NO_ANSWER = "the server does not answer"

# A server that is gone shall be noticed at once, and what is tracked is nobody else's business.
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def main(spool: Path, uri: str = "") -> None:
    """Sends until there is nothing to do; with `uri`, only what is to be sent there."""
    from filelock import FileLock, Timeout

    lock = FileLock(spool / "sender.lock", thread_local=False)
    while journal.journals(spool, uri):
        try:
            lock.acquire(timeout=1)
        except Timeout:
            continue
        try:
            _send_all(spool, uri)
        finally:
            lock.release()
        break


def _send_all(spool: Path, uri: str) -> None:
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    wait_s = _POLL_S
    while waiting := journal.journals(spool, uri):
        # Asked first: a command that ends meanwhile is sent to its end in the next round.
        is_open = any(each.is_open() for each in waiting)
        failed = _send_each(waiting)
        if not is_open and (failed or not journal.journals(spool, uri)):
            return
        wait_s = min(_MAX_WAIT_S, 2 * wait_s) if failed else _POLL_S
        time.sleep(wait_s)


def _send_each(waiting: list[Journal]) -> list[Journal]:
    """Sends what is new in journals; those that failed. A server that does not answer is asked once."""
    failed: list[Journal] = []
    silent: set[str] = set()
    for each in waiting:
        uri = each.target().uri
        if uri in silent:
            _note(each, _NO_ANSWER)
        elif _send(each):
            continue
        elif each.sent().error == _NO_ANSWER:
            silent.add(uri)
        failed.append(each)
    return failed


def _note(each: Journal, why: str) -> None:
    each.note(each.sent().model_copy(update={"error": why, "at_ms": journal.now_ms()}))


def _send(each: Journal) -> bool:
    """Sends what is new in a journal; False where that failed, which is noted."""
    from tinyml_cli.tracking.mlflow_store import send

    is_open, sent = each.is_open(), each.sent()
    try:
        send(each, sent, is_open)
    except Exception as error:  # MLflow, its stores and networks raise nearly any
        _note(each, _reason(error))
        return False
    if is_open:
        return True
    each.remove()
    return True


def _reason(error: BaseException) -> str:
    """Why MLflow did not take it, in a few words: its own name a whole chain of causes and addresses."""
    from requests.exceptions import ConnectionError, Timeout

    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, ConnectionError | Timeout):
            return _NO_ANSWER
        chain = chain.__cause__ or chain.__context__
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
