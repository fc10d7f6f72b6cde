"""Tasks by name: those that come with tinyml, and those that other packages bring.

Modules that serve every task ask here and import none of them. What a task may be asked is declared in
`tasks/spec.py`; an object of another package is found by the entry-point group `tinyml.tasks`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tinyml_cli.errors import TinymlError, did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# In the order of help pages.
_TRAINED = {
    "hello": "tinyml_cli.tasks.hello.task:HELLO",
    "kws": "tinyml_cli.tasks.kws.task:KWS",
    "anomaly": "tinyml_cli.tasks.anomaly.task:ANOMALY",
    "vww": "tinyml_cli.tasks.vww.task:VWW",
    "mask": "tinyml_cli.tasks.vww.task:MASK",
    "images": "tinyml_cli.tasks.vww.task:IMAGES",
    "wand": "tinyml_cli.tasks.wand.task:WAND",
}
# A model file without a task, and two models on one board, of which each has its own.
_OTHERS = {
    "model": "tinyml_cli.tasks.model.task:MODEL",
    "cascade": "tinyml_cli.tasks.cascade.task:CASCADE",
}
_ENTRY_POINTS = "tinyml.tasks"


class Registered:
    """What the registry holds; `TaskSpec` extends it."""

    name: str

    def unmet(self) -> list[str]:
        """Names of the methods that a task which can be trained must have, and this one has not."""
        return []


def built_in() -> list[str]:
    """Names of the tasks that come with tinyml and can be trained, in the order of help pages."""
    return list(_TRAINED)


def installed() -> dict[str, str]:
    """Tasks of other packages: name -> what the package's metadata says of it. Imports none of them."""
    known = {*_TRAINED, *_OTHERS}
    return {name: _about(point) for name, point in sorted(_points().items()) if name not in known}


def task(name: str) -> Any:
    """The `TaskSpec` of a name; typed Any because a low module cannot know what lies above it.

    Raises:
        TinymlError: there is none; those that can be trained are named.
    """
    if name in _TRAINED or name in _OTHERS:
        return _load(_TRAINED.get(name) or _OTHERS[name])
    points = _points()
    if name not in points:
        raise _unknown(name, {*_TRAINED, *points})
    try:
        found = points[name].load()
    except (ImportError, AttributeError) as error:
        raise TinymlError(
            f"The package of the task `{name}` cannot be loaded ({error})",
            f"entry point {_ENTRY_POINTS}",
            "Install it again, with what it depends on.",
        ) from error
    if not isinstance(found, Registered):
        raise TinymlError(
            f"`{name}` is not a task: its object must extend tinyml_cli.tasks.spec.TaskSpec",
            f"entry point {_ENTRY_POINTS}",
            "Update its package.",
        )
    return found


def tasks_of(application: str) -> list[Any]:
    """The `TaskSpec`s of tinyml's own whose firmware starts an application."""
    return [each for each in map(task, (*_TRAINED, *_OTHERS)) if each.firmware_app == application]


def trained_task(name: str) -> Any:
    """The `TaskSpec` of a task that can be trained.

    Raises:
        TinymlError: there is none, see `task`; or its package lacks a part that training needs.
    """
    if name in _OTHERS:
        raise _unknown(name, {*_TRAINED, *_points()})
    found = task(name)
    if missing := found.unmet():
        raise TinymlError(
            f"The task `{name}` cannot be trained: its package lacks {', '.join(missing)}",
            f"entry point {_ENTRY_POINTS}",
            "Add what is missing; see docs/new-task.md.",
        )
    return found


def _points() -> dict[str, EntryPoint]:
    from importlib import metadata

    return {point.name: point for point in metadata.entry_points(group=_ENTRY_POINTS)}


def _about(point: EntryPoint) -> str:
    summary = point.dist.metadata["Summary"] if point.dist else ""
    return summary or f"A task of {point.module.partition('.')[0]}."


def _load(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _unknown(name: str, known: Iterable[str]) -> TinymlError:
    advice = f"Tasks: {', '.join(sorted(known))}; others need the package that brings them."
    return TinymlError(f"Unknown task `{name}`", "task", did_you_mean(name, known) + advice)
