"""The recipes that come with the package: found by name, described, copied."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tinyml_cli.errors import TinymlError, did_you_mean
from tinyml_cli.files import configs_dir, write_new


def names() -> list[str]:
    """The names of all packaged recipes: kws, kws_small, …"""
    return sorted(path.stem for path in configs_dir().glob("*.yaml"))


def find(given: str | Path) -> Path:
    """The file of a packaged recipe, by name with or without `.yaml`.

    Raises:
        TinymlError: there is none of this name; similar ones are named.
    """
    wanted = Path(given)
    name = wanted.name.removesuffix(".yaml")
    if wanted.name == str(given) and name in names():
        return configs_dir() / f"{name}.yaml"
    hint = did_you_mean(name, names())
    raise TinymlError(
        f"No recipe file or packaged recipe `{given}`",
        "",
        f"{hint}Packaged: {', '.join(names())}.",
    )


def describe() -> list[dict[str, Any]]:
    """name, task, summary and path of every packaged recipe, by task."""
    recipes = []
    for name in names():
        path = configs_dir() / f"{name}.yaml"
        text = path.read_text(encoding="utf-8")
        recipes.append({"name": name, "task": _task(text), "summary": _summary(text), "path": str(path)})
    return sorted(recipes, key=lambda recipe: (recipe["task"], recipe["name"]))


def copy(name: str, to: Path | None) -> tuple[Path, str]:
    """Copies a packaged recipe, and returns the copy's path and the recipe's task.

    Raises:
        TinymlError: no such recipe, or the file is there already.
    """
    source = find(name)
    target = Path(source.name) if to is None else to / source.name if to.is_dir() else to
    content = source.read_bytes()
    write_new(target, content)
    return target, _task(content.decode("utf-8"))


def _task(text: str) -> str:
    match = re.search(r"^task: *(\w+)", text, re.MULTILINE)
    return match[1] if match else ""


def _summary(text: str) -> str:
    """The first sentence of the comment at the top."""
    first = text.partition("\n")[0].removeprefix("#").strip()
    return re.split(r"\.(?: |$)|:$", first)[0]
