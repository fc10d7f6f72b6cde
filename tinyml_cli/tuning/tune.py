"""tinyml tune: a search from its options to the winner's run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyml_cli import checks, interrupt, recipes, registry
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import missing_parents, remove_empty
from tinyml_cli.outcomes.comparisons import Searched, Tuned
from tinyml_cli.profile.budget import Limit, parse_budget
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.run import Run, runs_dir
from tinyml_cli.stages import common as stages
from tinyml_cli.tracking import seam
from tinyml_cli.tuning import helpers, outcome
from tinyml_cli.tuning import study as studies
from tinyml_cli.tuning.worker import Search, work


def limits_of(flash: str | None, ram: str | None, ms: str | None) -> list[Limit]:
    """The limits given on the command line.

    Raises:
        TinymlError: a value that is not a size.
    """
    given = {"flash": flash, "ram": ram, "ms": ms}
    text = ",".join(f"{name}={value}" for name, value in given.items() if value is not None)
    return parse_budget(text) if text else []


def place_of(engine: str) -> helpers.Place:
    """The place of further workers.

    Raises:
        TinymlError: no such place.
    """
    match engine:
        case "local" | "ray":
            return engine
    raise TinymlError(f"Unknown engine `{engine}`", "--engine", f"Use {' or '.join(helpers.PLACES)}.")


def recipe_of(
    task: str,
    values: Mapping[str, Any],
    data: Path | None,
    config: Path | None,
    overrides: list[str],
    seed: int,
) -> BaseRecipe:
    """The recipe shared by all trials.

    Raises:
        TinymlError: an unknown task, an invalid recipe.
    """
    data_path = None if data is None else str(data.resolve())
    first = None if config is not None else registry.task(task).first_recipe(data is not None)
    config = Path(first) if first else config
    return recipes.resolve(task, config, overrides, {**values, "seed": seed, "data_path": data_path})


def tune(
    recipe: BaseRecipe,
    limits: list[Limit],
    trials: int,
    study_path: Path | None = None,
    winner: Path | None = None,
    workers: int = 1,
    only_work: bool = False,
    place: helpers.Place = "local",
) -> Tuned | Searched:
    """Searches until the study has enough trials.

    Args:
        recipe: shared by all trials.
        limits: of the board.
        trials: number to train.
        study_path: its journal; runs/tune-<task>/study.log by default. An existing one is joined.
        winner: the run of the best; `best` next to the journal by default.
        workers: processes, including this one.
        only_work: leave the conclusion to another process.
        place: where the other processes run.

    Returns:
        With `only_work`, not the winner.

    Raises:
        TinymlError: see `worker.work`, `study.open_study`, `helpers.start` and `outcome.conclude`; or a
            winner's folder that cannot be written or is something else.
    """
    path = study_path or runs_dir() / f"tune-{recipe.task}" / "study.log"
    checks.package("optuna", "Tuning", "Run: pip install 'tinyml-cli[tune]'")
    if place == "ray" and workers > 1:
        checks.package("ray", "A search on a Ray cluster", "Run: pip install 'tinyml-cli[ray]'")
    stages.check(recipe, path.parent)
    best = winner or path.parent / "best"
    if not only_work:
        Run.at(best).check_writable()
    search = Search(recipe, limits, trials, path.parent / f"{path.stem}-trials")
    if only_work:
        return _searched(search, path, workers, place)
    title = f"tune {recipe.task}"
    with seam.stage(
        "tune", best, recipe.model_dump(mode="json"), title=title, identity=search.identity
    ) as ended:
        _searched(search, path, workers, place)
        study = studies.open_study(path, search.about)
        # If a helper was lost, this process takes over its trial.
        if studies.revive(study):
            work(search, study)
        tuned: Tuned = ended(outcome.conclude(search, study, best, path))
    return tuned


def _searched(search: Search, path: Path, workers: int, place: helpers.Place) -> Searched:
    """Works until the study has enough trials; a new study without any is removed when that fails."""
    missing = [*([] if path.exists() else [path]), *missing_parents(path)]
    start = registry.task(search.recipe.task).search_start(search.recipe)
    study = studies.open_study(path, search.about, start)
    started = helpers.start(helpers.again(), workers - 1, place)
    try:
        with interrupt.resumable("in the search; its trials are kept"):
            work(search, study)
        for helper in started:
            helper.wait()
    except BaseException:
        for helper in started:
            helper.terminate()
        if path in missing and not studies.trained_trials(study):
            path.unlink()
            remove_empty([search.folder, *missing[1:]])
        raise
    return Searched(study=str(path), counts=outcome.counts(study))
