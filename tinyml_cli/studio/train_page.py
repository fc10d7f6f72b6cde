"""Endpoints of the page Train: recipes, trainings that are started, stopped and resumed, and runs."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from tinyml_cli import checks, recipes, registry
from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.endpoints import Asked, Endpoint, Told
from tinyml_cli.http_api.refusals import ConflictError
from tinyml_cli.next_step import command_line, train_again
from tinyml_cli.outcomes.housekeeping import RunEntry
from tinyml_cli.run import default_name, runs_dir
from tinyml_cli.run_list import describe, info
from tinyml_cli.studio import recipe_form, trainings
from tinyml_cli.studio.general import JobTold, told
from tinyml_cli.studio.recipe_form import RecipeEntry, Setting
from tinyml_cli.studio.run_names import existing_run, run_path, unused_name
from tinyml_cli.studio.studio import Studio
from tinyml_cli.studio.trainings import TrainingState

_MOST_FOLDERS = 200


class RunsTold(Told):
    """The runs of the folder, the newest first."""

    runs: list[RunEntry]


class RecipesTold(Told):
    """What can be trained by."""

    recipes: list[RecipeEntry]


class RecipeAsked(Asked):
    """One of them."""

    recipe: str = Field(min_length=1, max_length=300)


class RecipeTold(Told):
    """A recipe's settings."""

    recipe: str
    task: str
    settings: list[Setting]
    folders: list[str] = Field(description="of the studio's folder, which may hold data")


class TrainingWanted(Asked):
    """A training to start."""

    recipe: str = Field(min_length=1, max_length=300)
    changed: dict[str, str] = Field(
        default_factory=dict, description="key of the recipe -> text", max_length=300
    )
    run: str = Field(default="", max_length=100, description="its name; by its task and labels where empty")


class TrainingChecked(Told):
    """Whether it can be started, and by which command."""

    run: str
    command: str


class RunAsked(Asked):
    """A run."""

    run: str = Field(min_length=1, max_length=300)


class TrainingTold(Told):
    """A training."""

    run: str
    task: str
    state: TrainingState
    epochs_done: int
    epochs: int = Field(description="planned; 0 where it is not known yet")
    history: list[dict[str, float]]
    labels: list[str]
    confusion: list[list[int]] = Field(description="of the validation examples, by the last epoch")
    job: JobTold | None
    problem: str = Field(default="", description="why the run is of no use, where that is so")
    holder: str = Field(description="the process that trains, where it is not this studio's")
    resume: str = Field(description="the command that goes on")


def _runs(studio: Studio) -> RunsTold:
    return RunsTold(runs=describe())


def _recipes(studio: Studio) -> RecipesTold:
    return RecipesTold(recipes=recipe_form.entries(studio.root))


def _recipe(studio: Studio, asked: RecipeAsked) -> RecipeTold:
    task = recipes.task_of(_config(studio, asked.recipe))
    resolved = recipes.resolve(task, _config(studio, asked.recipe), [], {})
    return RecipeTold(
        recipe=asked.recipe, task=task, settings=recipe_form.settings(resolved), folders=_folders(studio)
    )


def _check(studio: Studio, asked: TrainingWanted) -> TrainingChecked:
    name, words = _wanted(studio, asked)
    return TrainingChecked(run=name, command=command_line("tinyml", *words))


def _train(studio: Studio, asked: TrainingWanted) -> TrainingTold:
    name, words = _wanted(studio, asked)
    studio.jobs.start(*words)
    return _told(studio, name)


def _training(studio: Studio, asked: RunAsked) -> TrainingTold:
    return _told(studio, asked.run)


def _resume(studio: Studio, asked: RunAsked) -> TrainingTold:
    run = existing_run(studio, asked.run)
    training = trainings.read(studio, run)
    if training.state != "stopped":
        raise ConflictError(
            f"The training of `{asked.run}` is {training.state}, so there is nothing to resume",
            "run",
            "Reload.",
        )
    task = recipes.task_of(trainings.recipe_path(run))
    place = studio.named(run.path)
    recipe = studio.named(trainings.recipe_path(run))
    studio.jobs.start("train", task, "--config", recipe, "--run", place, "--resume")
    return _told(studio, asked.run)


def _stop(studio: Studio, asked: RunAsked) -> TrainingTold:
    run = existing_run(studio, asked.run)
    training = trainings.read(studio, run)
    if training.holder:
        raise TinymlError(
            f"The training was not started by this studio, but by {training.holder}",
            asked.run,
            "Stop it where it was started, by Ctrl-C.",
        )
    if training.job is None or training.state != "running":
        raise ConflictError(f"The training of `{asked.run}` is not running", "run", "Reload the page.")
    studio.jobs.stop(training.job.number)
    return _told(studio, asked.run)


def _wanted(studio: Studio, asked: TrainingWanted) -> tuple[str, list[str]]:
    """(name of the run, words behind `tinyml`), checked as far as the recipe goes."""
    config = _config(studio, asked.recipe)
    task = recipes.task_of(config)
    words = recipe_form.words(task, asked.recipe, asked.changed)
    recipe = recipes.resolve(task, config, recipe_form.overrides(asked.changed), {})
    for key in recipe_form.PATHS:
        if text := asked.changed.get(key, "").strip():
            path = studio.existing(text)
            (checks.data if type(recipe).data_may_be_file else checks.data_folder)(path)
    name = asked.run.strip() or unused_name(studio, default_name(task, recipe.title))
    checks.file_name(name, "run", "run name")
    place = run_path(studio, name)
    if place.exists():
        raise ConflictError(f"There is a run `{name}` already", "run", "Choose another name.")
    registry.task(task).check(recipe)
    return name, ["train", *words, "--run", studio.named(place)]


def _config(studio: Studio, recipe: str) -> Path:
    """A recipe by name: of the folder, or a packaged one."""
    if recipe.endswith(".yaml"):
        return studio.existing(recipe)
    if (studio.root / recipe).exists():
        raise TinymlError(f"`{recipe[:80]}` is not a recipe", "recipe", "Choose one of the list.")
    return Path(recipe)


def _told(studio: Studio, name: str) -> TrainingTold:
    place = run_path(studio, name)
    job = trainings.job_of(studio, studio.named(place))
    if not place.is_dir() and job is not None:  # it has not come so far as to make the folder, or never did
        return TrainingTold(
            run=name,
            task=job.words[1],
            state="running" if job.state == "running" else "failed",
            epochs_done=0,
            epochs=0,
            history=[],
            labels=[],
            confusion=[],
            job=told(job),
            holder="",
            resume="",
        )
    run = existing_run(studio, name)
    training = trainings.read(studio, run)
    progress = training.progress
    task = run.recipe_task()
    return TrainingTold(
        run=name,
        task=task,
        state=training.state,
        epochs_done=progress.epochs_done if progress else 0,
        epochs=progress.epochs if progress else 0,
        history=progress.history if progress else [],
        labels=training.labels,
        confusion=progress.judged.get("confusion", []) if progress else [],
        job=told(training.job) if training.job else None,
        problem=info(run).problem,
        holder=training.holder,
        resume=train_again(Path(studio.named(run.path)), task, "--resume"),
    )


def _folders(studio: Studio) -> list[str]:
    """Folders of the root that may hold data, and those in them."""
    runs = runs_dir().name
    found = [
        studio.named(path)
        for path in sorted(studio.root.iterdir())
        if path.is_dir() and not path.name.startswith(".") and path.name != runs
    ]
    return found[:_MOST_FOLDERS]


ENDPOINTS = (
    Endpoint("GET", "/api/runs", _runs, "The runs of the folder", gives=RunsTold),
    Endpoint("GET", "/api/recipes", _recipes, "Recipes to train by", gives=RecipesTold),
    Endpoint("GET", "/api/recipe", _recipe, "The settings of a recipe", takes=RecipeAsked, gives=RecipeTold),
    Endpoint(
        "POST",
        "/api/train/check",
        _check,
        "What a training would be",
        takes=TrainingWanted,
        gives=TrainingChecked,
    ),
    Endpoint("POST", "/api/train", _train, "Start a training", takes=TrainingWanted, gives=TrainingTold),
    Endpoint("GET", "/api/training", _training, "A run's training", takes=RunAsked, gives=TrainingTold),
    Endpoint("POST", "/api/training/stop", _stop, "Stop a training", takes=RunAsked, gives=TrainingTold),
    Endpoint(
        "POST", "/api/training/resume", _resume, "Resume a training", takes=RunAsked, gives=TrainingTold
    ),
)
