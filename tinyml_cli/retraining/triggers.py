"""Whether it is time to train again: each trigger answers with its reason, in a line."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli import checks, registry
from tinyml_cli.data import snapshot
from tinyml_cli.datasets.snapshots import compare
from tinyml_cli.errors import TinymlError
from tinyml_cli.model_registry.documents import ModelVersion
from tinyml_cli.project.budgets import Budgets
from tinyml_cli.project.figures import RunFigures
from tinyml_cli.project.gates import BUDGET_KINDS, number
from tinyml_cli.project.rules import RetrainRules
from tinyml_cli.run import Run, board_model
from tinyml_cli.tracking import seam
from tinyml_cli.wording import counted

_OF_QUALITY = ("accuracy", "worst_recall", "auc", "mean_error")


@dataclass(frozen=True)
class Situation:
    """What the triggers look at.

    Attributes:
        champion: the version that is in the product.
        run: its files, in a folder of this command.
        data: the data there are now; None for a task that makes its own.
        now: their snapshot.
        log: of a board that runs the champion.
        rules, limits: the project's.
        fleet: the folder of a fleet whose devices run the champion.
    """

    champion: ModelVersion
    run: Run
    data: Path | None
    now: snapshot.DataSnapshot | None
    log: Path | None
    rules: RetrainRules
    limits: Budgets
    fleet: Path | None = None


@dataclass(frozen=True)
class Trigger:
    """A trigger's answer."""

    fires: bool
    reason: str


def decide(when: Sequence[str], situation: Situation) -> Trigger:
    """The first of the triggers that fires; else why none does.

    Raises:
        TinymlError: a trigger lacks what it looks at.
    """
    answers = [TRIGGERS[name](situation) for name in when]
    firing = next((answer for answer in answers if answer.fires), None)
    return firing or Trigger(False, "; ".join(answer.reason for answer in answers))


def earlier_snapshot(run: Run) -> snapshot.DataSnapshot | None:
    """What a run was trained on; None for one that made its data, or that kept no snapshot."""
    manifest = run.manifest()
    return snapshot.load(run.file(snapshot.SNAPSHOT)) if snapshot.SNAPSHOT in manifest.artifacts else None


def _always(situation: Situation) -> Trigger:
    return Trigger(True, "asked for by --when always")


def _age(situation: Situation) -> Trigger:
    created = datetime.datetime.fromisoformat(situation.champion.created)
    days = (datetime.datetime.now(datetime.UTC) - created).total_seconds() / 86_400
    most = situation.rules.age_days
    return Trigger(days > most, f"the champion is {days:.1f} days old, the limit {number(most)}")


def _new_data(situation: Situation) -> Trigger:
    if situation.now is None:
        raise TinymlError(
            "New files are looked for in a folder of data, and none was given",
            "--when new-data",
            "Give --data DIR.",
        )
    before = earlier_snapshot(situation.run)
    needed = situation.rules.new_files
    if before is None:
        n = len(situation.now.items)
        return Trigger(
            n >= needed,
            f"{counted(n, 'file')}, on none of which the champion was trained, the limit {needed}",
        )
    found = compare(before, situation.now)
    n = len(found.added) + len(found.changed) + len(found.relabelled)
    return Trigger(n >= needed, f"{counted(n, 'new, changed or relabelled file')}, the limit {needed}")


def _drift(situation: Situation) -> Trigger:
    from tinyml_cli.drift.stage import drift, no_rule

    manifest = situation.run.manifest()
    if manifest.reference is None and not registry.task(manifest.task).drift_kept_by:
        raise TinymlError(no_rule(manifest.task), "--when drift", "Use --when age, metric or always.")
    if situation.log is None:
        raise TinymlError(
            "Drift is found in a board's log", "--when drift", "Give --log FILE, from tinyml monitor --log."
        )
    checks.input_file(situation.log, "--log")
    champion, ended = situation.champion, _end(situation.log)
    # The log that the last challenger was trained for would fire again, against that challenger.
    if champion.parent is not None and ended and ended < datetime.datetime.fromisoformat(champion.created):
        return Trigger(False, f"the log ends before the champion, {champion.run}, was made")
    rules = situation.rules
    found = drift(situation.run, situation.log, psi_limit=rules.psi, ks_limit=rules.ks)
    return Trigger(found.drift, found.why.rstrip("."))


def _fleet(situation: Situation) -> Trigger:
    from tinyml_cli.fleet.database import FleetDatabase
    from tinyml_cli.fleet.listing import drift_of_model

    if situation.fleet is None:
        raise TinymlError("Its devices' drift is looked for in a fleet", "--when fleet", "Give --fleet DIR.")
    manifest = situation.run.manifest()
    model = manifest.artifacts[board_model(manifest)].sha256
    return Trigger(*drift_of_model(FleetDatabase.existing(situation.fleet), model))


def _end(log: Path) -> datetime.datetime | None:
    """When a log's last event was heard; None for a log without times."""
    last = b""
    with log.open("rb") as stream:
        for line in stream:
            last = line if line.strip() else last
    try:
        heard = datetime.datetime.fromisoformat(json.loads(last)["time"])
    except (ValueError, TypeError, KeyError):
        return None
    return heard if heard.tzinfo else None


def _metric(situation: Situation) -> Trigger:
    from tinyml_cli.evaluation.evaluate import evaluate

    limits = {name: getattr(situation.limits, name) for name in _OF_QUALITY}
    wanted = {name: limit for name, limit in limits.items() if limit is not None}
    if not wanted:
        raise TinymlError(
            "The budgets limit no measure of quality", "--when metric", "For example: accuracy: 0.9"
        )
    # The champion's own answers to its test items are still needed.
    asked = Run(Path(shutil.copytree(situation.run.path, situation.run.path.with_name("asked"))))
    with seam.paused():  # the champion's figures are none of the challenger's
        evaluate(asked, situation.data)
    figures = RunFigures(asked, situation.limits.board)
    said = []
    for name, limit in wanted.items():
        figure = figures.of_budget(name)
        if figure is None:
            raise TinymlError(
                f"`{name}` cannot be measured on these data", "--when metric", "Remove it from the budgets."
            )
        kind = BUDGET_KINDS[name]
        broken = kind.is_broken(figure.value, limit)
        side = kind.wrong_side if broken else "at most" if kind.at_most else "at least"
        said.append((broken, f"the champion's {name} is {number(figure.value)}, {side} {number(limit)}"))
    return Trigger(*next((each for each in said if each[0]), said[0]))


TRIGGERS: dict[str, Callable[[Situation], Trigger]] = {
    "drift": _drift,
    "fleet": _fleet,
    "new-data": _new_data,
    "age": _age,
    "metric": _metric,
    "always": _always,
}
