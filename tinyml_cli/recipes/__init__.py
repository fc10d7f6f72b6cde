"""The recipe: what to train. One schema per task, one validator for YAML files and --set options."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import configs_dir
from tinyml_cli.manifest import first_problem
from tinyml_cli.recipes.base import BaseRecipe

# task -> its schema; a task of another package has the schema that its task object names.
SCHEMAS = {
    "kws": "tinyml_cli.recipes.kws:KwsRecipe",
    "wand": "tinyml_cli.recipes.wand:WandRecipe",
    "anomaly": "tinyml_cli.recipes.anomaly:AnomalyRecipe",
    "vww": "tinyml_cli.recipes.vww:VwwRecipe",
    "mask": "tinyml_cli.recipes.vww:MaskRecipe",
}


def schema_of(task: str) -> type[BaseRecipe]:
    """The class of a task's recipes.

    Raises:
        TinymlError: there is no such task.
    """
    if task in SCHEMAS:
        module, _, name = SCHEMAS[task].partition(":")
        schema: type[BaseRecipe] = getattr(importlib.import_module(module), name)
        return schema
    from tinyml_cli.tasks import get_task

    return getattr(get_task(task), "recipe_schema", BaseRecipe)


def resolve(task: str, config: Path | None, overrides: list[str], values: Mapping[str, Any]) -> BaseRecipe:
    """Builds a recipe: defaults, then the YAML file, then `values` that are not None, then `key=value`s.

    Args:
        task: picks the schema, and `configs/<task>.yaml` when `config` is None.
        config: a YAML recipe.
        overrides: `dotted.key=value`, the value in YAML syntax.
        values: dotted key -> value, from options of the command line.

    Raises:
        TinymlError: unreadable YAML, unknown key, value out of range; the key and file are named.
    """
    schema = schema_of(task)
    path = config or configs_dir() / f"{task}.yaml"
    document = _read(path) if config or path.is_file() else {}
    document["task"] = task
    for key, value in values.items():
        if value is not None:
            _put(document, key, value)
    for override in overrides:
        _apply(document, override)
    return _validate(schema, document, str(path))


def load(path: Path) -> BaseRecipe:
    """Reads the resolved recipe of a run.

    Raises:
        TinymlError: it is missing, damaged or names no known task.
    """
    document = _read(path)
    task = document.get("task")
    if not isinstance(task, str):
        raise TinymlError(
            "The recipe does not say what it trains", str(path), "Write for example `task: kws` into it."
        )
    return _validate(schema_of(task), document, str(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TinymlError(
            "There is no such recipe", str(path), "Give an existing YAML file to --config."
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TinymlError(f"The recipe cannot be read ({error})", str(path), "Mend the YAML.") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise TinymlError(
            "The recipe is not a mapping of keys to values", str(path), "Start from configs/kws.yaml."
        )
    return document


def _apply(document: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise TinymlError(
            f"`{override}` is not key=value", "--set", "Write for example --set training.epochs=40"
        )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TinymlError(f"The value of `{key}` cannot be read", "--set", "Quote the value.") from error
    _put(document, key, value)


def _put(document: dict[str, Any], key: str, value: Any) -> None:
    *parents, leaf = key.split(".")
    node = document
    for parent in parents:
        node = node.setdefault(parent, {})
        if not isinstance(node, dict):
            raise TinymlError(
                f"`{parent}` in `{key}` holds a value, not a section", "--set", "Check the key."
            )
    node[leaf] = value


def _validate(schema: type[BaseRecipe], document: dict[str, Any], where: str) -> BaseRecipe:
    try:
        return schema.model_validate(document)
    except ValidationError as error:
        problem = error.errors()[0]
        advice = f"See configs/{document['task']}.yaml for every key and its range."
        if problem["type"] == "extra_forbidden":
            names = _sibling_names(schema, problem["loc"])
            close = difflib.get_close_matches(str(problem["loc"][-1]), names, n=1)
            advice = f"Did you mean `{close[0]}`?" if close else f"Known keys here: {', '.join(names)}."
        raise TinymlError(f"The recipe is not valid ({first_problem(error)})", where, advice) from error


def _sibling_names(schema: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    model: Any = schema
    for part in location[:-1]:
        field = model.model_fields.get(str(part)) if isinstance(part, str) else None
        if (
            field is None
            or not isinstance(field.annotation, type)
            or not issubclass(field.annotation, BaseModel)
        ):
            return []
        model = field.annotation
    return list(model.model_fields)
