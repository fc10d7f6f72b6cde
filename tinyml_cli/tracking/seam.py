"""What stages tell the tracking: a beginning, an epoch, an outcome. Without --track, nothing happens.

Nothing here may stop a stage: a journal that cannot be written is told once, and given up.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tinyml_cli.tracking.recorder import StageRecorder, Wanted

T = TypeVar("T")
Ended = Callable[[T], T]

_wanted: Wanted | None = None
_recorders: list[StageRecorder] = []
_pauses = 0


def want(options: Callable[[], Mapping[str, Any]]) -> None:
    """The command that runs is to be tracked.

    Args:
        options: the values of its options, once they are all parsed.

    Raises:
        TinymlError: MLflow is not installed, or its address is none.
    """
    global _wanted
    from tinyml_cli.tracking import recorder, target

    _wanted = recorder.Wanted(target.of_environment(), options)


def is_on() -> bool:
    """Whether what is told goes anywhere."""
    return _wanted is not None and not _pauses


@contextlib.contextmanager
def stage(
    name: str,
    run: Path | None,
    recipe: Mapping[str, Any] | None = None,
    *,
    title: str = "",
    identity: str = "",
    resumes: bool = False,
) -> Iterator[Ended[Any]]:
    """Around a stage; the outermost one begins the record, which ends with the command.

    Args:
        name: of the stage, which its figures' names begin with.
        run: its folder; None where it works on several.
        recipe: what is trained.
        title: what people read; made of run and stage by default.
        identity: of the record, where several processes or commands go on with the same one.
        resumes: whether a training goes on that was stopped.

    Yields:
        A function to give the outcome to; it returns it.
    """
    if not is_on():
        yield lambda outcome: outcome
        return
    from tinyml_cli.tracking.recorder import StageRecorder

    assert _wanted is not None
    if not _recorders:
        _recorders.append(StageRecorder.of_stage(_wanted, name, run, title, identity, resumes))
    recorder = _recorders[-1]
    recorder.stage_began(name, run, recipe)

    def ended(outcome: T) -> T:
        recorder.stage_ended(name, run, outcome)
        return outcome

    yield ended


@contextlib.contextmanager
def child(title: str, identity: str, parent: str) -> Iterator[None]:
    """Around a part of the work that is a record of its own, such as a trial of a search.

    Args:
        title: what people read.
        identity: the same when the part is done again.
        parent: identity of the record that it belongs to.
    """
    if not is_on():
        yield
        return
    from tinyml_cli.tracking.journal import FAILED, FINISHED, KILLED
    from tinyml_cli.tracking.recorder import StageRecorder

    assert _wanted is not None
    recorder = StageRecorder(_wanted, title, identity, parent)
    _recorders.append(recorder)
    status = KILLED
    try:
        yield
        status = FINISHED
    except Exception:
        status = FAILED
        raise
    finally:
        _recorders.remove(recorder)
        recorder.end(status)


@contextlib.contextmanager
def under(prefix: str) -> Iterator[None]:
    """Figures that are told in the block have names that begin so."""
    if not is_on() or not _recorders:
        yield
        return
    prefixes = _recorders[-1].prefixes
    prefixes.append(prefix)
    try:
        yield
    finally:
        prefixes.pop()


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """What is told in the block is no part of the record."""
    global _pauses
    _pauses += 1
    try:
        yield
    finally:
        _pauses -= 1


def epoch(number: int, measures: Mapping[str, float]) -> None:
    """An epoch has ended, the first is 1."""
    if is_on() and _recorders:
        _recorders[-1].metrics(measures, number)


def figures(values: Mapping[str, Any]) -> None:
    """Numbers of the record; what is none is left out."""
    if is_on() and _recorders:
        _recorders[-1].figures(values)


def epochs_before(history: Sequence[Mapping[str, float]]) -> None:
    """The epochs of the training that is resumed; a record that goes on knows them."""
    if is_on() and _recorders and not _recorders[-1].goes_on:
        for number, measures in enumerate(history, 1):
            epoch(number, measures)


def tell(params: Mapping[str, Any] | None = None, tags: Mapping[str, str] | None = None) -> None:
    """Parameters and tags of the record."""
    if is_on() and _recorders:
        from tinyml_cli.tracking.figures import params_of

        _recorders[-1].tell(params_of(params or {}), tags or {})


def forget() -> None:
    """A command begins."""
    global _wanted, _pauses
    _wanted, _pauses = None, 0
    _recorders.clear()


def command_ended(code: int) -> None:
    """Ends the record as the command ended, and sees what waits on its way."""
    if _wanted is None:
        return
    from tinyml_cli.tracking import recorder

    left = list(_recorders)
    wanted = _wanted
    forget()
    recorder.command_ended(wanted, left, code)
