"""Tasks by name: those that come with tinyml, and those that other packages bring.

Modules that serve every task ask here and import none of them. What a task may be asked is declared in
`tasks/spec.py`; an object of another package is found by the entry-point group `tinyml.tasks`.
"""

from __future__ import annotations

import importlib
from abc import ABC
from collections.abc import Iterable
from importlib import metadata
from typing import Any

from tinyml_cli.errors import TinymlError, did_you_mean

_TRAINED = {
    "kws": "tinyml_cli.tasks.kws.task:KWS",
    "vww": "tinyml_cli.tasks.vww.task:VWW",
    "mask": "tinyml_cli.tasks.vww.task:MASK",
    "wand": "tinyml_cli.tasks.wand.task:WAND",
    "anomaly": "tinyml_cli.tasks.anomaly.task:ANOMALY",
}
# A model file without a task, and two models on one board, of which each has its own.
_OTHERS = {
    "model": "tinyml_cli.tasks.model.task:MODEL",
    "cascade": "tinyml_cli.tasks.cascade.task:CASCADE",
}
_ENTRY_POINTS = "tinyml.tasks"


class Registered(ABC):
    """What the registry holds; `TaskSpec` extends it."""

    name: str


def built_in() -> list[str]:
    """Names of the tasks that come with tinyml and can be trained."""
    return list(_TRAINED)


def task(name: str) -> Any:
    """The `TaskSpec` of a name; typed Any because a low module cannot know what lies above it.

    Raises:
        TinymlError: there is none; those that can be trained are named.
    """
    if name in _TRAINED or name in _OTHERS:
        return _load(_TRAINED.get(name) or _OTHERS[name])
    points = {point.name: point for point in metadata.entry_points(group=_ENTRY_POINTS)}
    if name not in points:
        raise _unknown(name, {*_TRAINED, *points})
    found = points[name].load()
    if not isinstance(found, Registered):
        raise TinymlError(
            f"`{name}` is not a task: its object must extend tinyml_cli.tasks.spec.TaskSpec",
            f"entry point {_ENTRY_POINTS}",
            "Update its package.",
        )
    return found


def trained_task(name: str) -> Any:
    """The `TaskSpec` of a task that can be trained.

    Raises:
        TinymlError: there is none, see `task`.
    """
    if name in _OTHERS:
        raise _unknown(name, _TRAINED)
    return task(name)


def _load(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _unknown(name: str, known: Iterable[str]) -> TinymlError:
    advice = f"Tasks: {', '.join(sorted(known))}; others need the package that brings them."
    return TinymlError(f"Unknown task `{name}`", "task", did_you_mean(name, known) + advice)
