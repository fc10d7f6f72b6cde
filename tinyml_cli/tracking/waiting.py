"""`tinyml tracking`: the records that MLflow does not have yet."""

from __future__ import annotations

import datetime

from tinyml_cli.console import console
from tinyml_cli.outcomes.trackings import TrackingState, WaitingRecord
from tinyml_cli.tracking import journal
from tinyml_cli.tracking.delivery import send_all
from tinyml_cli.tracking.journal import Journal
from tinyml_cli.tracking.target import require_mlflow
from tinyml_cli.wording import counted


def listed(sent: int = 0, dropped: int = 0) -> TrackingState:
    """What waits now."""
    spool = journal.spool_dir()
    records = [_record(each) for each in journal.journals(spool)]
    return TrackingState(folder=str(spool), sent=sent, dropped=dropped, waiting=records)


def send() -> TrackingState:
    """Sends what waits, each record to the target of its own command.

    Raises:
        TinymlError: MLflow is not installed.
    """
    require_mlflow()
    before = {each.folder for each in journal.journals(journal.spool_dir())}
    if before:
        send_all(journal.spool_dir())
    after = {each.folder for each in journal.journals(journal.spool_dir())}
    return listed(sent=len(before - after))


def drop(yes: bool) -> TrackingState:
    """Removes what waits and is not being written, after asking.

    Raises:
        TinymlError: nobody to ask.
    """
    ended = [each for each in journal.journals(journal.spool_dir()) if not each.is_open()]
    if ended and not yes:
        titles = ", ".join(_record(each).title for each in ended)
        yes = console.ask(f"Remove {counted(len(ended), 'record')} that MLflow does not have ({titles})?")
    for each in ended if yes else []:
        each.remove()
    return listed(dropped=len(ended) if yes else 0)


def _record(each: Journal) -> WaitingRecord:
    first, sent = each.begin(), each.sent()
    target = each.target()
    began = datetime.datetime.fromtimestamp(first.at_ms / 1000 if first else 0, datetime.UTC)
    size = each.path.stat().st_size
    return WaitingRecord(
        title=first.title if first else each.folder.name,
        target=str(target),
        experiment=target.experiment,
        began=began.strftime("%Y-%m-%dT%H:%M:%SZ"),
        running=each.is_open(),
        sent_share=min(1.0, sent.offset / size) if size else 0.0,
        problem=sent.error,
    )


def show(outcome: TrackingState) -> None:
    """The table for people."""
    rows = [
        (each.title, each.began, each.target, f"{each.sent_share:.0%}", each.problem or "–")
        for each in outcome.waiting
    ]
    if rows:
        console.table("Waiting for MLflow", ("record", "began", "target", "sent", "problem"), rows)


def sentence(outcome: TrackingState) -> str:
    """What was done, or that there is nothing to do, in a line."""
    done = [("Sent", outcome.sent), ("Removed", outcome.dropped)]
    words = [f"{verb} {counted(n, 'record')}." for verb, n in done if n]
    return " ".join(words) or ("" if outcome.waiting else "Nothing waits for MLflow.")
