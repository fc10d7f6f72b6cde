"""`tinyml retrain`: decides, trains a challenger, judges both, and promotes it or not."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tinyml_cli import checks, recipes, temporary
from tinyml_cli.console import console
from tinyml_cli.data import snapshot
from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.model_registry.against import on_new_items
from tinyml_cli.model_registry.documents import CHAMPION, ModelIndex
from tinyml_cli.model_registry.promote import judge, limits_of, promote
from tinyml_cli.model_registry.store import Store
from tinyml_cli.model_registry.versions import add, find, told_of, write_run
from tinyml_cli.outcomes.retraining import Retrained
from tinyml_cli.pages.templates import markdown
from tinyml_cli.project import check, rules
from tinyml_cli.project.budgets import Budgets
from tinyml_cli.project.gates import passed, reasons
from tinyml_cli.retraining import challenger, data_gate
from tinyml_cli.retraining.triggers import Situation, decide, earlier_snapshot
from tinyml_cli.run import RECIPE, Run, runs_dir
from tinyml_cli.tracking import seam

DECISION, REPORT = "report/retrain.json", "report/retrain.md"
# The decision before the promotion that it asks for; goes when the report is whole.
_PENDING = "report/retrain-pending.json"


@dataclass(frozen=True)
class RetrainOptions:
    """How to retrain.

    Attributes:
        when: names of triggers; one that fires suffices.
        data: a folder; the champion's own by default.
        config: the recipe; the champion's by default.
        rules, budgets: files; those of the current folder by default.
        log: of a board that runs the champion.
        fleet: the folder of a fleet whose devices run it.
        anew: begin with random weights, not with the champion's.
        dry_run: decide and check the data, and stop there.
        promotes: False leaves a challenger that passes a challenger.
        accept_data: why data that look strange may be trained on.
    """

    when: Sequence[str]
    data: Path | None = None
    config: Path | None = None
    rules: Path | None = None
    budgets: Path | None = None
    log: Path | None = None
    anew: bool = False
    dry_run: bool = False
    promotes: bool = True
    accept_data: str | None = None
    fleet: Path | None = None


def retrain(store: Store, name: str | None, options: RetrainOptions) -> Retrained:
    """Trains a model of the registry again if it is time to.

    The same champion, recipe and data lead to the same run: a killed call goes on, and a decision that was
    made is not made again. After a call that was killed between its promotion and its report, the next one
    reports that decision, and makes no other.

    Raises:
        TinymlError: there is no champion, a trigger lacks what it looks at, or see the stages.
    """
    accepted = checks.reason(options.accept_data, "--accept-data", 'Say why: --accept-data "two words more"')
    options = dataclasses.replace(options, accept_data=accepted)
    index, number = _champion(store, name)
    limits = limits_of(options.budgets)
    with temporary.folder("retrain") as folder:
        version = store.version(index, number)
        trained = Run(runs_dir() / Path(version.run).name)
        if (unreported := _unreported(index, trained.path)) is not None:
            console.info(f"An earlier call promoted {index.model}@{number} and was killed before its report.")
            return unreported if options.dry_run else _report(trained, unreported)
        champion = write_run(store, version, Path(folder, "champion"))
        data = options.data or _own_data(champion)
        recipe = challenger.recipe_of(champion, options.config, data)
        shares = snapshot.shares_of(recipe.model_dump())
        now = None if data is None else snapshot.take(data, shares)
        situation = Situation(
            version,
            champion,
            data,
            now,
            options.log,
            rules.load(options.rules),
            limits,
            options.fleet,
        )
        with told_of(store, champion.path, index.model, number):
            trigger = decide(options.when, situation)
        known = Retrained(
            model=index.model,
            champion=number,
            retrain=trigger.fires,
            reason=trigger.reason,
            dry_run=options.dry_run,
        )
        if not trigger.fires:
            return known
        if (strange := _strange(situation)) and not options.accept_data:
            return known.model_copy(update={"data_faults": strange, "stopped": True})
        digest = None if now is None else now.digest
        path = challenger.place_of(index.model, number, recipe, digest, options.anew)
        if (earlier := _decided(path)) is not None:
            console.info(f"Decided already, see {path / REPORT}. The champion now: {index.model}@{number}.")
            return earlier
        if options.dry_run:
            return known.model_copy(update={"data_faults": strange})
        with seam.stage("retrain", path, title=f"{index.model} retrain") as ended:
            made = challenger.make(path, recipe, None if options.anew else champion, limits)
            known = known.model_copy(update={"data_faults": strange})
            outcome = _decide(store, index, number, made, champion, limits, known, options)
            decided: Retrained = ended(_report(made, outcome))
        return decided


def _champion(store: Store, name: str | None) -> tuple[ModelIndex, int]:
    index, _ = find(store, name, CHAMPION)
    if index.champion is None:
        step = store.step("promote", index.model)
        raise TinymlError(f"`{index.model}` has no champion to compare with", str(store.path), f"Run {step}")
    return index, index.champion


def _own_data(champion: Run) -> Path | None:
    """Where the champion's data lay, if they lay in a folder.

    Raises:
        TinymlError: they are not there any more.
    """
    path = recipes.load(champion.file(RECIPE)).data_path
    if path is not None and not Path(path).exists():
        raise TinymlError("The champion's data are not there any more", path, "Give their folder: --data DIR")
    return None if path is None else Path(path)


def _strange(situation: Situation) -> list[str]:
    if situation.now is None or situation.data is None:
        return []
    before = earlier_snapshot(situation.run)
    found = data_gate.faults(before, situation.now, situation.rules)
    return [*found, *data_gate.bad_files(situation.data)]


def _decide(
    store: Store,
    index: ModelIndex,
    number: int,
    made: Run,
    champion: Run,
    limits: Budgets,
    known: Retrained,
    options: RetrainOptions,
) -> Retrained:
    """Adds the challenger, judges it, and promotes it where it passes."""
    added = add(store, made, index.model, limits.board)
    gates = [
        *judge(store, store.index(index.model), added.number, limits),
        *on_new_items(champion, made, limits.board),
    ]
    outcome = known.model_copy(
        update={
            "challenger": added.number,
            "run": str(made.path),
            "int8_sha256": added.int8_sha256,
            "gates": gates,
            "promoted": False,
            "accepted": options.accept_data,
            "report": str(made.file(REPORT)),
        }
    )
    if not passed(gates) or not options.promotes:
        return outcome
    write_atomic(made.file(_PENDING), _text(outcome))
    promoted = promote(store, f"{index.model}@{added.number}", options.budgets).promoted
    return outcome.model_copy(update={"promoted": promoted})


def _report(made: Run, outcome: Retrained) -> Retrained:
    """Writes the decision for people, and last for the next call."""
    rows = [(*row, gate.reason) for row, gate in zip(check.rows(outcome.gates), outcome.gates, strict=True)]
    text = markdown("tinyml_cli.retraining:retrain.md", outcome=outcome, rows=rows, verdict=sentence(outcome))
    write_atomic(made.file(REPORT), text)
    write_atomic(made.file(DECISION), _text(outcome))
    made.file(_PENDING).unlink(missing_ok=True)
    return outcome


def _text(outcome: Retrained) -> str:
    return json.dumps(outcome.as_dict(), indent=2, ensure_ascii=False) + "\n"


def _decided(path: Path, name: str = DECISION) -> Retrained | None:
    """The decision that was made about this very challenger; None for none that can be read."""
    try:
        return Retrained.model_validate(load_json(path / name))
    except (UnreadableError, ValidationError):
        return None


def _unreported(index: ModelIndex, path: Path) -> Retrained | None:
    """The decision that made the champion, where its call was killed before the report was whole."""
    pending = _decided(path, _PENDING)
    if pending is None or (pending.model, pending.challenger) != (index.model, index.champion):
        return None
    last = next((change for change in reversed(index.history) if change.number == index.champion), None)
    if last is None or (last.action, last.champion_before) != ("promote", pending.champion):
        return None
    return pending.model_copy(update={"promoted": True})


def sentence(outcome: Retrained) -> str:
    """The decision and its reason, in a line."""
    if not outcome.retrain:
        return f"Not trained: {outcome.reason}."
    if outcome.stopped:
        return (
            f"Stopped before training ({outcome.reason}): {'; '.join(outcome.data_faults)}. If that is as it "
            'should be: --accept-data "why".'
        )
    if outcome.dry_run:
        return f"It is time to train: {outcome.reason}."
    called = f"{outcome.model}@{outcome.challenger}"
    if outcome.promoted:
        return f"{called} became the champion, instead of {outcome.champion}: {outcome.reason}."
    if passed(outcome.gates):
        return f"{called} passes and stays the challenger: {outcome.reason}."
    return f"{called} stays the challenger: {reasons(outcome.gates)}."
