"""`tinyml data preview`: some items of a folder, and random variations of each, as training makes them."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli import checks, recipes, registry
from tinyml_cli.datasets.checks import kind_of
from tinyml_cli.outcomes.data import Previewed, PreviewedItem
from tinyml_cli.pages import augmented
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.wording import counted


def preview(
    root: Path,
    config: Path | None,
    overrides: list[str],
    seed: int | None,
    most: int,
    variations: int,
    out: Path | None,
) -> Previewed:
    """Draws a sheet.

    Args:
        root: a data folder.
        config: a recipe, which says what is varied and how much; None: that of the task for such data.
        overrides: `key=value`s of --set.
        seed: of the variations.
        most: how many items, at most.
        variations: of each.
        out: the picture; NAME-preview.png in the current folder by default.

    Raises:
        TinymlError: nothing that can be read, a task that varies nothing, or a picture inside the folder.
    """
    picture = Path(f"{root.resolve().name}-preview.png") if out is None else out
    checks.picture(picture, apart_from=root)
    recipe = _recipe(root, config, overrides, seed)
    found = registry.task(recipe.task).augmented(recipe, root, most, variations)
    title = f"{root.resolve().name}, varied by {f'the recipe {config}' if config else recipe.task}"
    augmented.draw(picture, found.items, found.look, title)
    return Previewed(
        folder=str(root),
        task=recipe.task,
        items=[PreviewedItem(label=item.label, name=item.name) for item in found.items],
        left_out=dict(found.left_out),
        variations=variations,
        picture=str(picture),
    )


def sentence(outcome: Previewed) -> str:
    """What was drawn."""
    return (
        f"{counted(len(outcome.items), 'item')}, {counted(outcome.variations, 'variation')} of each, as "
        f"`{outcome.task}` trains on them. Picture: {outcome.picture}"
    )


def _recipe(root: Path, config: Path | None, overrides: list[str], seed: int | None) -> BaseRecipe:
    task = _task_for(root) if config is None else recipes.task_of(config)
    recipe = recipes.resolve(task, config, overrides, {"seed": seed})
    # Not an option here: a recipe that takes no data is refused for what it cannot vary.
    return recipe.model_copy(update={"data_path": str(root.resolve())})


def _task_for(root: Path) -> str:
    """The first task for data of the kind that the folder holds."""
    kind = kind_of(root).name
    return next(name for name in registry.built_in() if registry.task(name).data_kind == kind)
