"""What `tinyml recipes` lists, shows and copies."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from tinyml_cli import recipes, registry
from tinyml_cli.files import write_new
from tinyml_cli.outcomes.housekeeping import Recipe, RecipeCopied, RecipeShown
from tinyml_cli.recipes.packaged import files, find


def show(name: str) -> RecipeShown:
    """A recipe, comments included; the defaults of an installed task lie in no file.

    Raises:
        TinymlError: no such recipe, or its package cannot be used.
    """
    path = find(name)
    name = name.removesuffix(".yaml")
    if path is not None:
        return RecipeShown(name=name, path=str(path), text=path.read_text(encoding="utf-8"))
    return RecipeShown(name=name, path=None, text=recipes.resolve(name, None, [], {}).to_yaml())


def describe() -> list[Recipe]:
    """Every recipe, by task."""
    found = []
    for name, path in files().items():
        document = path.read_text(encoding="utf-8")
        found.append(Recipe(name=name, task=_task(document), summary=_summary(document), path=str(path)))
    found += [
        Recipe(name=name, task=name, summary=summary, path=None)
        for name, summary in registry.installed().items()
        if name not in files()
    ]
    return sorted(found, key=lambda recipe: (recipe.task, recipe.name))


def copy(name: str, to: Path | None) -> RecipeCopied:
    """Copies a recipe.

    Raises:
        TinymlError: no such recipe, or the file is there already.
    """
    recipe = show(name)
    file = f"{recipe.name}.yaml"
    target = Path(file) if to is None else to / file if to.is_dir() else to
    write_new(target, recipe.text.encode())
    return RecipeCopied(copy=str(target), task=_task(recipe.text))


def _task(text: str) -> str:
    match = re.search(r"^task: *(\w+)", text, re.MULTILINE)
    return match[1] if match else ""


def _summary(text: str) -> str:
    """The first sentence of the comment at the top."""
    lines = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
    comment = "\n".join(line.removeprefix("#").strip() for line in lines)
    return re.split(r"\.\s|[.:]$", comment, maxsplit=1, flags=re.MULTILINE)[0].replace("\n", " ")
