"""What `tinyml recipes` lists, shows and copies."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tinyml_cli import recipes, registry
from tinyml_cli.files import write_new
from tinyml_cli.recipes.packaged import files, find


def text(name: str) -> tuple[str, Path | None]:
    """A recipe, comments included, and its file; the defaults of an installed task lie in none.

    Raises:
        TinymlError: no such recipe, or its package cannot be used.
    """
    path = find(name)
    if path is not None:
        return path.read_text(encoding="utf-8"), path
    task = name.removesuffix(".yaml")
    return recipes.resolve(task, None, [], {}).to_yaml(), None


def describe() -> list[dict[str, Any]]:
    """name, task, summary and path of every recipe, by task; path is None where it lies in no file."""
    found: list[dict[str, Any]] = []
    for name, path in files().items():
        document = path.read_text(encoding="utf-8")
        found.append(
            {"name": name, "task": _task(document), "summary": _summary(document), "path": str(path)}
        )
    found += [
        {"name": name, "task": name, "summary": summary, "path": None}
        for name, summary in registry.installed().items()
        if name not in files()
    ]
    return sorted(found, key=lambda recipe: (recipe["task"], recipe["name"]))


def copy(name: str, to: Path | None) -> tuple[Path, str]:
    """Copies a recipe, and returns the copy's path and the recipe's task.

    Raises:
        TinymlError: no such recipe, or the file is there already.
    """
    document, _ = text(name)
    file = f"{name.removesuffix('.yaml')}.yaml"
    target = Path(file) if to is None else to / file if to.is_dir() else to
    write_new(target, document.encode())
    return target, _task(document)


def _task(text: str) -> str:
    match = re.search(r"^task: *(\w+)", text, re.MULTILINE)
    return match[1] if match else ""


def _summary(text: str) -> str:
    """The first sentence of the comment at the top."""
    first = text.partition("\n")[0].removeprefix("#").strip()
    return re.split(r"\.(?: |$)|:$", first)[0]
