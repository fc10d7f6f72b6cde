"""The recipes that come with the package, and those of installed tasks, by name."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli import registry
from tinyml_cli.errors import TinymlError, did_you_mean
from tinyml_cli.files import configs_dir


def names() -> list[str]:
    """The names of all packaged recipes, kws, kws_small, …, and of the tasks that other packages bring."""
    return [*files(), *(name for name in registry.installed() if name not in files())]


def find(given: str | Path) -> Path | None:
    """The file of a recipe, by name with or without `.yaml`; None for the defaults of an installed task.

    Raises:
        TinymlError: there is none of this name; similar ones are named.
    """
    wanted = Path(given)
    name = wanted.name.removesuffix(".yaml")
    if wanted.name == str(given) and name in names():
        return files().get(name)
    hint = did_you_mean(name, names())
    raise TinymlError(
        f"No recipe file or packaged recipe `{given}`",
        "",
        f"{hint}Packaged: {', '.join(names())}.",
    )


def files() -> dict[str, Path]:
    """Name -> file of the recipes that come with the package."""
    return {path.stem: path for path in sorted(configs_dir().glob("*.yaml"))}
