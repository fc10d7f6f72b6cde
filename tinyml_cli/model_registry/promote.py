"""Which version is in the product: promotion through gates, and the way back."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli import checks, temporary
from tinyml_cli.errors import TinymlError
from tinyml_cli.model_registry.against import against
from tinyml_cli.model_registry.documents import CHALLENGER, Change, ModelIndex
from tinyml_cli.model_registry.store import Store
from tinyml_cli.model_registry.versions import exported_to, find, now, told_of, user, write_run
from tinyml_cli.outcomes.projects import GateResult
from tinyml_cli.outcomes.registries import Promoted, RolledBack
from tinyml_cli.project.budgets import BUDGETS, Budgets, load
from tinyml_cli.project.gates import judge_run, passed, reasons


def promote(
    store: Store, given: str | None, budgets: Path | None = None, override: str | None = None
) -> Promoted:
    """Makes a version the champion if it passes every gate, or if somebody says why it shall be all the same.

    Two promotions at once wait for each other: the second is judged against the first one's champion.

    Args:
        store: the registry.
        given: as `find` takes it; a name alone means the challenger, and never one that was rolled back.
        budgets: the limits; `budgets.yaml` of the current folder where there is one, else parity alone.
        override: the reason, which is kept.

    Raises:
        TinymlError: no such version, one with missing or changed objects, unusable budgets, an empty reason.
    """
    override = checks.reason(override, "--override", 'Say why: --override "the old one fails on …"')
    limits = limits_of(budgets)
    with store.writing():
        index, number = _candidate(store, given)
        if number == index.champion:
            store.whole(index, number)
            return _promoted(index, number, index.champion, None, [])
        gates = judge(store, index, number, limits)
        before = index.champion
        if not passed(gates) and override is None:
            return _promoted(index, number, before, None, gates)
        reason = None if passed(gates) else override
        index.champions.append(number)
        if index.challenger == number:
            index.challenger = None
        index.history.append(
            Change(
                at=now(),
                by=user(),
                action="promote",
                number=number,
                champion_before=before,
                override=reason,
                gates=gates,
            )
        )
        store.save(index)
        return _promoted(index, number, before, reason, gates)


def _candidate(store: Store, given: str | None) -> tuple[ModelIndex, int]:
    """What is to be promoted: a version that was rolled back only where it is named."""
    index, number = find(store, given, CHALLENGER)
    if "@" not in (given or "") and number not in (index.challenger, index.champion):
        named = f"{index.model}@{number}"
        raise TinymlError(
            f"`{index.model}` has no challenger, and {named} was the champion before",
            str(store.path),
            f"To have it back: {store.step('promote', named)}",
        )
    return index, number


def judge(store: Store, index: ModelIndex, number: int, limits: Budgets) -> list[GateResult]:
    """The gates of a version: budgets, and no worse than the champion.

    Raises:
        TinymlError: an object is missing or was changed.
    """
    with temporary.folder("registry") as folder:
        candidate = write_run(store, store.version(index, number), Path(folder, "candidate"))
        with told_of(store, candidate.path, index.model, number):
            gates = judge_run(candidate, limits, called=exported_to(index.model, number))
        if index.champion is not None and index.champion != number:
            champion = write_run(store, store.version(index, index.champion), Path(folder, "champion"))
            with (
                told_of(store, candidate.path, index.model, number),
                told_of(store, champion.path, index.model, index.champion),
            ):
                gates += against(champion, candidate, limits.board)
    return gates


def roll_back(store: Store, name: str | None) -> RolledBack:
    """Makes the champion before the last one the champion again.

    Raises:
        TinymlError: no such model, or there was no champion before.
    """
    with store.writing():
        index, _ = find(store, name)
        if len(index.champions) < 2:
            raise TinymlError(
                f"`{index.model}` has no earlier champion to go back to",
                str(store.path),
                f"See its history: {store.step('show', index.model)}",
            )
        before = index.champions.pop()
        number = index.champions[-1]
        store.whole(index, number)  # what is lost cannot be gone back to
        index.history.append(
            Change(at=now(), by=user(), action="rollback", number=number, champion_before=before)
        )
        store.save(index)
    return RolledBack(model=index.model, number=number, champion_before=before)


def sentence(store: Store, outcome: Promoted) -> str:
    """The outcome in a line, with the reason."""
    called = f"{outcome.model}@{outcome.number}"
    if not outcome.promoted:
        return (
            f"{called} was not promoted: {reasons(outcome.gates)}. {_measured_by(store, outcome)}"
            'To promote it all the same: --override "why".'
        )
    if outcome.override is not None:
        return f"{called} is the champion, by override: {outcome.override}."
    already = " already" if outcome.champion_before == outcome.number else ""
    return f"{called} is the champion{already}."


def _measured_by(store: Store, outcome: Promoted) -> str:
    """How a version is measured: as a run, which is added again."""
    if all(gate.result != "not measured" for gate in outcome.gates):
        return ""
    place = exported_to(outcome.model, outcome.number)
    export = store.step("export", f"{outcome.model}@{outcome.number}")
    again = store.step("add", place, "--name", outcome.model)
    return f"To measure it: {export}, then what the table names, then {again}. "


def limits_of(budgets: Path | None) -> Budgets:
    """The budgets of a file; of `budgets.yaml` in this folder, or parity alone, where none is given.

    Raises:
        TinymlError: unusable budgets.
    """
    path = Path(BUDGETS) if budgets is None else budgets
    return load(path) if budgets is not None or path.is_file() else Budgets()


def _promoted(
    index: ModelIndex, number: int, before: int | None, override: str | None, gates: list[GateResult]
) -> Promoted:
    return Promoted(
        model=index.model,
        number=number,
        promoted=index.champion == number,
        champion_before=before,
        override=override,
        gates=gates,
    )
