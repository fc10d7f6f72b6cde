"""A recipe as a form: its settings one by one, and the words of the command that gives them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from tinyml_cli import recipes, registry
from tinyml_cli.documents import UnreadableError
from tinyml_cli.http_api.endpoints import Told
from tinyml_cli.recipes import catalogue
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.yaml_documents import load_yaml, parse_yaml

Control = Literal["number", "whole", "switch", "choice", "list", "path", "text"]

OPTIONS = {
    key: option for key, option in recipes.OPTIONS.items() if "." not in key or key == "recordings.path"
}
"""Key of a recipe -> the option of `train` that gives it, where the task has such a key; others by --set."""

_LISTS = ("words", "labels", "classes", "normal")
PATHS = ("data_path", "recordings.path")
_FIRST = ("list", "choice", "path", "number", "whole", "text", "switch")
_OFTEN_CHANGED = ("clips_per_word", "name", "backbone", "epochs", "learning_rate")
_RARELY_CHANGED = ("quantization", "distillation")
_MOST_FILES = 200
_RECIPE_BY_OPTIONS = ("kws",)  # tasks that begin with one recipe or another, by the other options


class Setting(Told):
    """A value of a recipe."""

    key: str = Field(description="dotted")
    control: Control
    value: str = Field(description="as it is typed: YAML, or a list with commas")
    about: str
    choices: list[str]
    low: float | None
    high: float | None
    first: bool = Field(description="whether it is among those that matter most")


class RecipeEntry(Told):
    """A recipe that can be chosen."""

    name: str = Field(description="as --config takes it")
    task: str
    about: str
    own: bool = Field(description="whether it lies in the folder")


def entries(root: Path) -> list[RecipeEntry]:
    """The packaged recipes, and the YAML files of the folder that are some."""
    own = []
    for path in sorted([*root.glob("*.yaml"), *root.glob("recipes/*.yaml")])[:_MOST_FILES]:
        try:
            document = load_yaml(path)
        except (UnreadableError, OSError):
            continue
        if isinstance(document, dict) and isinstance(task := document.get("task"), str):
            name = path.relative_to(root).as_posix()
            own.append(RecipeEntry(name=name, task=task, about="A recipe of this folder", own=True))
    packaged = [
        RecipeEntry(name=each.name, task=each.task, about=each.summary, own=False)
        for each in catalogue.describe()
    ]
    return own + packaged


def settings(recipe: BaseRecipe) -> list[Setting]:
    """Every value of a recipe that training takes; what matters most, and tells runs apart, comes first."""
    schema = type(recipe).model_json_schema()
    definitions = schema.get("$defs", {})
    found = _settings("", schema, recipe.model_dump(mode="json"), definitions)
    takes_data = bool(registry.task(recipe.task).data_kind) or type(recipe).data_may_be_file
    return sorted((each for each in found if takes_data or each.key != "data_path"), key=_rank)


def _rank(setting: Setting) -> tuple[bool, int, str]:
    """What is trained, by which data, by which network, for how long; then everything else by section."""
    section, _, leaf = setting.key.rpartition(".")
    if not setting.first:
        return True, 0, section
    rank = (
        len(_FIRST) + _OFTEN_CHANGED.index(leaf) if leaf in _OFTEN_CHANGED else _FIRST.index(setting.control)
    )
    return False, rank, ""


def overrides(given: Mapping[str, str]) -> list[str]:
    """The same settings as --set takes them all, for a check of the recipe before the command starts."""
    return [f"{key}={_yaml_text(key, text)}" for key, text in given.items()]


def words(task: str, recipe: str, given: Mapping[str, str]) -> list[str]:
    """What follows `tinyml train`: settings as their options, or by --set.

    Args:
        task: of the recipe.
        recipe: its name; the task's own needs no --config.
        given: key -> text, of those that were changed.
    """
    found = [task] if recipe == task and task not in _RECIPE_BY_OPTIONS else [task, "--config", recipe]
    for key, text in given.items():
        option, text = OPTIONS.get(key), text.strip()
        if not option or not text:
            found += ["--set", f"{key}={_yaml_text(key, text)}"]
        else:
            found += [f"{option}={text}"] if text.startswith("-") else [option, text]
    return found


def _yaml_text(key: str, text: str) -> str:
    """A setting as YAML: nothing is null, and an option's list has commas."""
    text = text.strip()
    if key in _LISTS:
        return yaml.safe_dump(
            [each.strip() for each in text.split(",") if each.strip()],
            default_flow_style=True,
            allow_unicode=True,
            width=10_000,
        ).strip()
    return (json.dumps(text, ensure_ascii=False) if key in PATHS else text) if text else "null"


def _settings(
    prefix: str, schema: Mapping[str, Any], values: Mapping[str, Any], definitions: Mapping[str, Any]
) -> Iterator[Setting]:
    for name, field in schema["properties"].items():
        key, value = f"{prefix}{name}", values[name]
        inner = _resolved(field, definitions)
        if "properties" in inner and isinstance(value, dict):
            yield from _settings(f"{key}.", inner, value, definitions)
        elif key != "task":
            yield _setting(key, {**inner, **field}, value)


def _resolved(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a field, without its references and without null."""
    if "anyOf" in field:
        kinds = [each for each in field["anyOf"] if each.get("type") != "null"]
        return _resolved(kinds[0], definitions) if len(kinds) == 1 else {}
    if "$ref" in field:
        found: Mapping[str, Any] = definitions[field["$ref"].rpartition("/")[2]]
        return found
    return field


def _setting(key: str, field: Mapping[str, Any], value: Any) -> Setting:
    control = _control(key, field)
    low, high = (
        field.get(name, field.get(other))
        for name, other in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
    )
    section, _, leaf = key.rpartition(".")
    is_first = (key in OPTIONS and key != "seed") or (
        leaf in _OFTEN_CHANGED and section.partition(".")[0] not in _RARELY_CHANGED
    )
    return Setting(
        key=key,
        control=control,
        value=_text(value, control),
        about=field.get("description", ""),
        choices=[str(each) for each in field.get("enum", ())],
        low=low,
        high=high,
        first=is_first,
    )


def _control(key: str, field: Mapping[str, Any]) -> Control:
    if key in PATHS:
        return "path"
    if "enum" in field:
        return "choice"
    if key in _LISTS:
        return "list"
    kinds: dict[str, Control] = {"integer": "whole", "number": "number", "boolean": "switch"}
    return kinds.get(str(field.get("type")), "text")


def _text(value: Any, control: Control) -> str:
    if value is None:
        return ""
    if control == "list" or isinstance(value, str):
        text = ",".join(map(str, value)) if isinstance(value, list) else value
        # What YAML would read as something else goes back as it came.
        return (
            text if control in ("list", "path", "choice") or parse_yaml(text or "''") == text else repr(value)
        )
    return (
        yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
        .removesuffix("...\n")
        .strip()
    )
