"""tinyml recipes list"""

from __future__ import annotations

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(json: options.Json = False, quiet: options.Quiet = False) -> None:
    """List the recipes and the task of each.

    \b
    Examples:
      tinyml recipes list
      tinyml recipes list --json
    """
    from tinyml_cli.outcomes.housekeeping import RecipeList
    from tinyml_cli.recipes import catalogue

    recipes = catalogue.describe()
    console.table(
        "Recipes: train with one using --config NAME",
        ["Name", "Task", "What"],
        [[recipe.name, recipe.task, recipe.summary] for recipe in recipes],
    )
    console.result(RecipeList(recipes=recipes))
