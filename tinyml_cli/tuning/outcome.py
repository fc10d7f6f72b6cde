"""The results of a study: the front, a picture, and the winner as a run."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml_cli import locks
from tinyml_cli.card import carbon
from tinyml_cli.card.carbon import CarbonAssumptions
from tinyml_cli.comparison import pareto
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.cards import Carbon
from tinyml_cli.outcomes.comparisons import FinishedTrial, TrialCounts, Tuned
from tinyml_cli.run import MANIFEST, Run, runs_dir
from tinyml_cli.tuning.worker import Search

if TYPE_CHECKING:
    import optuna

PICTURE = "tune.png"


def rows(study: optuna.Study) -> list[FinishedTrial]:
    """Every trial trained to the end, with those on the front marked; the best first."""
    done = [t for t in study.get_trials(deepcopy=False) if t.state.name == "COMPLETE" and t.values]
    front = pareto.front([(-t.values[0], t.values[1]) for t in done])
    found = [
        FinishedTrial(
            name=f"trial {trial.number}",
            number=trial.number,
            measure="balanced accuracy",
            value=trial.values[0],
            ci95=None,
            front=best,
            params=trial.params,
            run=trial.user_attrs["run"],
            bytes=trial.user_attrs["bytes"],
            flash_bytes=trial.user_attrs["flash_bytes"],
            ram_bytes=trial.user_attrs["ram_bytes"],
            instructions=trial.user_attrs["instructions"],
            time_ms=trial.user_attrs["time_ms"],
        )
        for trial, best in zip(done, front, strict=True)
    ]
    return sorted(found, key=lambda row: (-row.value, row.instructions or 0))


def counts(study: optuna.Study) -> TrialCounts:
    """Number of trials by outcome."""
    trials = study.get_trials(deepcopy=False)
    pruned = [trial for trial in trials if trial.state.name == "PRUNED"]
    return TrialCounts(
        complete=sum(trial.state.name == "COMPLETE" for trial in trials),
        over_limits=sum("over" in trial.user_attrs for trial in pruned),
        stopped_early=sum("over" not in trial.user_attrs for trial in pruned),
        taken_up_again=sum(trial.state.name == "FAIL" for trial in trials),
        running=sum(trial.state.name == "RUNNING" for trial in trials),
    )


def conclude(search: Search, study: optuna.Study, winner: Path, journal: Path) -> Tuned:
    """Makes the winner's run, including its int8 model, and draws the front.

    The winner is the best on the validation split; a tie goes to the faster one.

    Raises:
        TinymlError: no trial was trained to the end.
    """
    from tinyml_cli.comparison.picture import draw
    from tinyml_cli.conversion.convert import convert
    from tinyml_cli.stages.calibrate import quantize

    found = rows(study)
    if not found:
        raise TinymlError(
            "No trial finished training",
            str(search.folder),
            "Run more trials, or loosen the limits.",
        )
    run = Run.at(winner)
    with run.making(latest=run.path.absolute().parent == runs_dir().absolute()):
        unlocked = shutil.ignore_patterns(*locks.NAMES)
        shutil.copytree(found[0].run, run.path, ignore=unlocked, dirs_exist_ok=True)
        quantize(run)
        convert(run)
        manifest = run.manifest()
        kept = {"number", "params", "value", "instructions"}
        manifest.metrics["tune"] = found[0].model_dump(include=kept)
        run.save(manifest)
    picture = search.folder / PICTURE
    draw(picture, found)
    return Tuned(
        study=str(journal),
        counts=counts(study),
        run=str(run.path),
        trials=found,
        picture=str(picture),
        spent=_spent(search.folder),
    )


def _spent(folder: Path) -> Carbon | None:
    """What the trainings of all trials took, by their manifests."""
    found = []
    for path in folder.rglob(MANIFEST):
        with contextlib.suppress(TinymlError):
            figures = Manifest.load(path).metrics.get("train") or {}
            found += [part for part in [carbon.of_training(figures, CarbonAssumptions())] if part is not None]
    return carbon.total(found, CarbonAssumptions()) if found else None


def show(outcome: Tuned) -> None:
    """The trials as a table."""
    console.table(
        "Finished trials; * on the Pareto front of balanced accuracy and instructions (emulated)",
        ["Trial", "", "Balanced accuracy", "Instructions", "ms (estimated)", "Flash", "RAM"],
        [
            [
                row.name,
                "*" if row.front else "",
                f"{row.value:.4f}",
                row.instructions,
                round(row.time_ms or 0.0, 1),
                row.flash_bytes,
                row.ram_bytes,
            ]
            for row in outcome.trials
        ],
    )


def sentence(outcome: Tuned) -> str:
    """The outcome in two lines."""
    count, spent = outcome.counts, outcome.spent
    took = "" if spent is None else f" It took {carbon.sentence(spent)}."
    return (
        f"{count.complete} trained, {count.stopped_early} stopped early, {count.over_limits} "
        f"over the limits and not trained.{took} Picture: {outcome.picture}\nThe best: {outcome.run}. "
        f"Next: {next_step('evaluate', Path(outcome.run))}"
    )
