"""tinyml recipes list"""

from __future__ import annotations

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(json: options.Json = False, quiet: options.Quiet = False) -> None:
    """List the recipes by name, with the task that each is for.

    \b
    Examples:
      tinyml recipes list
      tinyml recipes list --json
    """
    from tinyml_cli.recipes import packaged

    recipes = packaged.describe()
    console.table(
        "Recipes: --config NAME trains by one of them",
        ["Name", "Task", "What"],
        [[recipe["name"], recipe["task"], recipe["summary"]] for recipe in recipes],
    )
    console.result({"recipes": recipes})
