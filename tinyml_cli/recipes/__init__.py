"""The recipe: what to train. One schema per task, one validator for YAML files and --set options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from tinyml_cli import registry
from tinyml_cli.documents import UnreadableError, shown
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import configs_dir
from tinyml_cli.next_step import next_step
from tinyml_cli.recipes import packaged
from tinyml_cli.recipes.base import BaseRecipe, migrate
from tinyml_cli.recipes.series import SeriesRecipe
from tinyml_cli.validation import first_problem, key_of
from tinyml_cli.yaml_documents import load_yaml, parse_yaml

R = TypeVar("R", bound=BaseRecipe)

_NEWER = "If a newer tinyml wrote it: pip install --upgrade tinyml-cli"

# Key of a recipe -> the option that gives it, for messages.
OPTIONS = {
    "seed": "--seed",
    "data_path": "--data",
    "words": "--words",
    "labels": "--labels",
    "classes": "--classes",
    "input": "--input",
    "model.name": "--model",
    "model.backbone": "--backbone",
    "model.options.alpha": "--alpha",
    "recordings.path": "--add-recordings",
    "synthesis.language": "--language",
    "synthesis.pronounce": "--pronounce",
    "distillation.teachers": "--teacher",
    "image.size": "--size",
    "image.colour": "--gray/--rgb",
    "method": "--method",
    "normal": "--normal",
    "rate_hz": "--rate",
    "threshold.fpr": "--fpr",
    "threshold.false_alarms_per_hour": "--false-alarms-per-hour",
    "federation.clients": "--clients",
    "federation.non_iid": "--non-iid",
    "federation.participation": "--participation",
    "federation.prox_mu": "--prox-mu",
    "federation.poisoned": "--poisoned",
    "federation.clip": "--clip",
    "federation.dp_noise": "--dp-noise",
    "federation.bits": "--bits",
}


def schema_of(task: str) -> type[BaseRecipe]:
    """The class of a task's recipes.

    Raises:
        TinymlError: there is no such task.
    """
    schema: type[BaseRecipe] = registry.trained_task(task).recipe_schema
    return schema


def resolve(task: str, config: Path | None, overrides: list[str], values: Mapping[str, Any]) -> BaseRecipe:
    """Builds a recipe: defaults, then the YAML file, then `values` that are not None, then `key=value`s.

    Args:
        task: picks the schema, and `configs/<task>.yaml` when `config` is None.
        config: a YAML recipe, or the name of a packaged one.
        overrides: `dotted.key=value`, the value in YAML syntax.
        values: dotted key -> value, from options of the command line.

    Raises:
        TinymlError: unreadable YAML, unknown key, value out of range; the key and file are named.
    """
    schema = schema_of(task)
    path = _config_file(task, config)
    document = read(path) if path else {}
    if document.get("task", task) != task:
        raise TinymlError(
            f"The recipe is for the task `{shown(document['task'])}`, not `{task}`",
            str(path),
            "Give --config a recipe of this task, or run the command for the recipe's task.",
        )
    document["task"] = task
    sources = {}
    for key, value in values.items():
        if value is not None:
            _put(document, key, value)
            sources[key] = OPTIONS.get(key, key)
    for override in overrides:
        sources[_apply(document, override)] = "--set"
    if document["task"] != task:
        raise TinymlError(
            f"`task` is `{task}` here, not `{shown(document['task'])}`",
            "--set",
            "Run the command for the other task.",
        )
    return _validate(schema, document, str(path or f"recipe {task}"), sources)


def series_options(overrides: list[str]) -> SeriesRecipe:
    """What `--set data.…` says about files of series, for commands that have no recipe.

    Raises:
        TinymlError: another key, or a value that it does not take.
    """
    from tinyml_cli.recipes.anomaly import AnomalyRecipe

    for override in overrides:
        if not override.startswith("data."):
            raise TinymlError(
                f"`{shown(override)}` is not about files",
                "--set",
                "Valid keys: data.units.accel, data.units.gyro, data.units.time, data.columns, "
                "data.decimal, data.rate_hz.",
            )
    recipe = resolve("anomaly", None, overrides, {})
    assert isinstance(recipe, AnomalyRecipe)
    return recipe.data


def task_of(config: Path) -> str:
    """The task of a YAML recipe, or of a packaged one's name.

    Raises:
        TinymlError: there is none, or it names no task.
    """
    path = _config_file("", config)
    return config.name if path is None else _task(read(path), str(path))


def load(path: Path) -> BaseRecipe:
    """Reads the resolved recipe of a run, whichever version wrote it.

    Raises:
        TinymlError: it is missing, damaged or names no known task.
    """
    document = read(path)
    return validate(migrate(document, schema_of(_task(document, str(path)))), str(path))


def load_as(path: Path, schema: type[R]) -> R:
    """The resolved recipe of a run of a task whose recipes have this class.

    Raises:
        TinymlError: as in `load`, or the recipe is another task's.
    """
    recipe = load(path)
    if not isinstance(recipe, schema):
        raise TinymlError(
            f"The recipe is for the task `{shown(recipe.task)}`", str(path), "Give a run of the right task."
        )
    return recipe


def validate(document: dict[str, Any], where: str) -> BaseRecipe:
    """The recipe of a document that names its task.

    Raises:
        TinymlError: an unknown task, a key or a value that its schema does not take.
    """
    return _validate(schema_of(_task(document, where)), document, where)


def _task(document: dict[str, Any], where: str) -> str:
    task = document.get("task")
    if not isinstance(task, str):
        raise TinymlError("The recipe has no `task`", where, "Add for example `task: kws`.")
    return task


def _config_file(task: str, config: Path | None) -> Path | None:
    """The YAML file of a recipe; None where a task of another package has its defaults alone."""
    if config is None:
        default = configs_dir() / f"{task}.yaml"
        return default if default.is_file() else None
    return config if config.exists() else packaged.find(config)


def read(path: Path) -> dict[str, Any]:
    if not path.exists() and (path.parent / "manifest.json").is_file():
        raise TinymlError(
            "The run has no recipe: nothing was trained in it",
            str(path.parent),
            "Use a run of `tinyml train`, or judge this one by recordings: --data FOLDER or --stream FILE.",
        )
    if not path.exists():
        raise TinymlError("The recipe does not exist", str(path), "Give an existing YAML file to --config.")
    try:
        document = load_yaml(path)
    except UnreadableError as error:
        raise TinymlError(
            f"Cannot read the recipe: {error}",
            str(path),
            "Fix the file, or start from a copy: tinyml recipes copy kws",
        ) from error
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise TinymlError(
            "The recipe is not a mapping of keys to values",
            str(path),
            "Start from a copy: tinyml recipes copy kws",
        )
    return document


def _apply(document: dict[str, Any], override: str) -> str:
    """Puts a `key=value` into the document; returns the key."""
    key, separator, text = override.partition("=")
    if not separator or not all(key.split(".")):
        raise TinymlError(
            f"`{shown(override)}` is not key=value", "--set", "For example: --set training.epochs=40"
        )
    try:
        value = parse_yaml(text)
    except UnreadableError as error:
        raise TinymlError(
            f"Cannot read the value of `{shown(key)}`: {error}", "--set", "Quote the value."
        ) from error
    _put(document, key, value)
    return key


def _put(document: dict[str, Any], key: str, value: Any) -> None:
    *parents, leaf = key.split(".")
    node = document
    for parent in parents:
        if node.get(parent) is None:
            node[parent] = {}
        node = node[parent]
        if not isinstance(node, dict):
            raise TinymlError(
                f"`{shown(parent)}` in `{shown(key)}` is a value, not a section", "--set", "Check the key."
            )
    node[leaf] = value


def _validate(
    schema: type[BaseRecipe], document: dict[str, Any], where: str, sources: Mapping[str, str] | None = None
) -> BaseRecipe:
    """The recipe of a document.

    Args:
        schema: its class.
        document: keys and values.
        where: the file it comes from.
        sources: key -> the option that gave its value instead of the file.
    """
    try:
        return schema.model_validate(document)
    except ValidationError as error:
        key = key_of(error)
        source = next((s for k, s in (sources or {}).items() if f"{key}.".startswith(f"{k}.")), None)
        problem = first_problem(error, schema, source if source and source != "--set" else "")
        if problem.advice.startswith("Valid keys"):
            problem = replace(problem, advice=f"{problem.advice} {_NEWER}")
        advice = (
            problem.advice or f"For every key and its range: {next_step('recipes', 'show', document['task'])}"
        )
        if source is None:
            raise TinymlError(f"The recipe is not valid: {problem.what}", where, advice) from error
        if source != "--set" and not problem.advice:
            advice = "See `--help` for valid values."
        raise TinymlError(problem.what, source, advice) from error
