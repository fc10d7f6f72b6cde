"""tinyml init"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import registry
from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    name: Annotated[Path, typer.Argument(metavar="NAME", help="The project's folder, which is made.")],
    task: Annotated[
        str,
        typer.Option(
            "--task", help=f"What the model does: {', '.join(registry.built_in())}, or another package's."
        ),
    ],
    ci: Annotated[
        str | None,
        typer.Option(
            "--ci", callback=options.one_of("CI system", "github", "gitlab"), help="github or gitlab."
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a project: recipe, data folder, budgets, Makefile, model card, and CI.

    `make` in the folder trains, builds, evaluates on the virtual board and checks the budgets, without a
    network. Existing folders are left alone.

    \b
    Examples:
      tinyml init lamp --task kws --ci github
      tinyml init pump --task anomaly --ci gitlab
      tinyml init first --task hello --json
    """
    from tinyml_cli.next_step import command_line
    from tinyml_cli.project.scaffold import make_project

    made = make_project(name, task, ci)
    console.info("\n".join(f"  {file}" for file in made.files))
    console.result(made, f"Made {made.project}. Next: {command_line('cd', name)} && git init && make")
