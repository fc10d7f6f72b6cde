"""The process that sends journals: started beside a command, waited for at its end, never for long."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tinyml_cli import processes
from tinyml_cli.console import console
from tinyml_cli.next_step import next_step
from tinyml_cli.tracking import journal
from tinyml_cli.tracking.target import TrackingTarget
from tinyml_cli.wording import counted

_PATIENCE_S = 60.0
_SILENT_S = 3.0  # a longer wait is explained

_sender: processes.Process | None = None


def start(spool: Path, uri: str = "") -> None:
    """Has what is written to a spool sent from now on; the process ends with this one at the latest.

    Args:
        spool: of the journals.
        uri: only what is to be sent there.
    """
    global _sender
    if _sender is None:
        command = [sys.executable, "-m", "tinyml_cli.tracking.sender", str(spool), uri]
        try:
            _sender = processes.Process(command, stdout=processes.DEVNULL, stderr=processes.DEVNULL)
        except OSError as error:
            console.warn(f"nothing is sent to MLflow now: {error.strerror or error}")


def finish(spool: Path, uri: str = "", patience_s: float = _PATIENCE_S) -> bool:
    """Waits until what has ended is sent or an attempt has failed; False where nothing was started.

    Args:
        spool: of the journals.
        uri: only what is to be sent there.
        patience_s: at most so long.
    """
    if _sender is None:
        return False
    since, began = journal.now_ms(), time.monotonic()
    is_explained = False
    try:
        while (waited_s := time.monotonic() - began) < patience_s and _sender.poll() is None:
            states = [each.sent() for each in journal.journals(spool, uri) if not each.is_open()]
            if all(sent.error and sent.at_ms >= since for sent in states):
                break
            if waited_s > _SILENT_S and not is_explained:
                is_explained = True
                console.info(f"Waiting for MLflow, at most {patience_s:.0f} s; Ctrl-C leaves it for later …")
            time.sleep(0.1)
    finally:
        stop()
    return True


def stop() -> None:
    """Ends the process; what it did not send stays in the spool."""
    global _sender
    sender, _sender = _sender, None
    if sender is not None:
        sender.stop()


def send_all(spool: Path) -> None:
    """Sends what is there, as far as that goes."""
    start(spool)
    finish(spool)


def say(target: TrackingTarget) -> None:
    """Where the records are, and what waits."""
    waiting = [each for each in journal.journals(journal.spool_dir()) if not each.is_open()]
    if not waiting:
        console.info(f"Tracked in MLflow, experiment `{target.experiment}`, {target}.{target.how_to_look()}")
        return
    why = next((error for each in waiting if (error := each.sent().error)), "it takes long")
    console.warn(
        f"{counted(len(waiting), 'record')} could not be sent to MLflow yet ({why}). Nothing is lost: the "
        f"next tracked command sends it, or: {next_step('tracking', 'send')}"
    )
