"""pydantic's findings in the tool's own words: the key, its allowed values, and the given value."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tinyml_cli.documents import shown
from tinyml_cli.errors import UPGRADE, TinymlError

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "is": "a list",  # is_instance_of: a sequence
    "dict": "a mapping",
    "invalid": "text",  # a key of a mapping
    "model": "a mapping",
    "finite": "a number",
}
_BOUNDS = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
_LENGTHS = {"too_short": "at least", "too_long": "at most"}


@dataclass(frozen=True)
class Problem:
    """The first thing that is wrong.

    Attributes:
        key: its place, dotted; empty where the document as a whole is wrong.
        what: a sentence without full stop.
        advice: the way out; empty where `what` says it.
    """

    key: str
    what: str
    advice: str = ""


def refuse_newer(subject: str, version: object, known: int, path: Path) -> None:
    """Refuses a document that a newer tinyml wrote, before its unknown keys are complained about.

    Args:
        subject: with its verb: "The budgets have".
        version: as the document gives it; what is no whole number is left to the schema.
        known: the newest version that can be read.
        path: of the document.

    Raises:
        TinymlError: its version is above the known one.
    """
    if type(version) is int and version > known:
        raise TinymlError(
            f"{subject} version {shown(version)}; this tinyml reads versions up to {known}",
            str(path),
            UPGRADE,
        )


def first_problem(error: ValidationError, schema: type[BaseModel], name: str = "") -> Problem:
    """The first complaint of a validation.

    Args:
        error: what pydantic raised.
        schema: what was validated against.
        name: what to call the key, such as an option; the key itself by default.
    """
    found = error.errors(include_url=False)[0]
    path, kind = tuple(found["loc"]), str(found["type"])
    key = ".".join(str(part) for part in path if part != "[key]")
    called = f"`{shown(name or key, 80)}`" if key else "The document"
    if kind == "missing":
        return Problem(key, f"{called} is missing")
    if kind == "extra_forbidden":
        return Problem(key, f"Unknown key {called}", _neighbours(schema, path))
    if kind in ("value_error", "assertion_error"):
        text = str(found["ctx"]["error"])
        return Problem(key, f"{called}: {text}" if key else text)
    field = field_at(schema, path)
    limits = dict(limit for entry in (field.metadata if field else ()) for limit in _limits(entry))
    what = f"{called} must be {_wanted(found, field, limits)}, not {_given(found.get('input'))}"
    return Problem(key, what, _advice(found, field))


def option_problem(error: ValidationError, name: str, minimum: float | None, maximum: float | None) -> str:
    """The first complaint about the value of an option or argument of the command line."""
    found = error.errors(include_url=False)[0]
    limits = {name: value for name, value in (("ge", minimum), ("le", maximum)) if value is not None}
    return f"{name} must be {_wanted(found, None, limits)}, not {_given(found.get('input'))}"


def key_of(error: ValidationError) -> str:
    """The dotted key of the first complaint; empty for the document as a whole."""
    return ".".join(str(part) for part in error.errors(include_url=False)[0]["loc"])


def either(choices: Sequence[str]) -> str:
    """ "a, b or c"."""
    return " or ".join([", ".join(choices[:-1]), choices[-1]] if len(choices) > 1 else choices)


def field_at(schema: Any, path: Sequence[int | str]) -> FieldInfo | None:
    """The field that a key leads to or lies in; an index of a list leads to the list's own field."""
    field = None
    annotation: Any = schema
    for part in path:
        models = [model for model in _within(annotation) if part in model.model_fields]
        if models:
            field = models[0].model_fields[str(part)]
            annotation = field.annotation
    return field


def bounds(limits: Mapping[str, Any]) -> str:
    """ "from 1 to 100", "greater than 0 and at most 1" for limits ge, gt, le, lt; empty for none."""
    if "ge" in limits and "le" in limits:
        return f"from {limits['ge']:.10g} to {limits['le']:.10g}"
    words = {"ge": "at least", "gt": "greater than", "le": "at most", "lt": "less than"}
    return " and ".join(f"{word} {limits[name]:.10g}" for name, word in words.items() if name in limits)


def _limits(entry: Any) -> Iterator[tuple[str, Any]]:
    for name in ("ge", "gt", "le", "lt"):
        if getattr(entry, name, None) is not None:
            yield name, getattr(entry, name)


def _within(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation: Model, Model | None, dict[str, Model], list[Model]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _within(inner)


def _choices(annotation: Any) -> list[str]:
    if typing.get_origin(annotation) is typing.Literal:
        return [str(value) for value in typing.get_args(annotation) if value is not None]
    return [choice for inner in typing.get_args(annotation) for choice in _choices(inner)]


def _neighbours(schema: type[BaseModel], path: Sequence[int | str]) -> str:
    field = field_at(schema, path[:-1])
    models = list(_within(field.annotation if field else schema))
    renamed = {old: new for model in models for old, new in getattr(model, "renamed", {}).items()}
    if path[-1] in renamed:
        return f"It is `{renamed[path[-1]]}` now."
    names = [name for model in models for name in model.model_fields]
    close = difflib.get_close_matches(str(path[-1]), names, n=1)
    return f"Did you mean `{close[0]}`?" if close else f"Valid keys: {', '.join(names)}."


def _wanted(found: Any, field: FieldInfo | None, limits: Mapping[str, Any]) -> str:
    """What the value must be: "a whole number from 1 to 100", "a, b or c"."""
    kind = str(found["type"])
    if kind == "literal_error" and field is not None:
        return either(_choices(field.annotation))
    if kind in _BOUNDS:
        return bounds(limits or found["ctx"])
    if kind in _LENGTHS:
        length = found["ctx"].get("min_length", found["ctx"].get("max_length"))
        return f"a list of {_LENGTHS[kind]} {length} values"
    if kind == "string_pattern_mismatch":
        return f"text matching {found['ctx']['pattern']}"
    name = _KINDS.get(kind.split("_")[0], "of another type")
    return f"{name} {bounds(limits)}".rstrip() if name.endswith("number") else name


def _given(value: object) -> str:
    if isinstance(value, str):
        return f"`{shown(value)}`" if value else "empty text"
    if value is None:
        return "null"
    return shown(value)


def _advice(found: Any, field: FieldInfo | None) -> str:
    if str(found["type"]) == "literal_error" and field is not None:
        close = difflib.get_close_matches(str(found.get("input")), _choices(field.annotation), n=1)
        return f"Did you mean `{close[0]}`?" if close else ""
    if str(found["type"]).startswith("string") and isinstance(found.get("input"), bool):
        return "YAML reads yes, no, on and off as true and false: quote the word."
    return ""
