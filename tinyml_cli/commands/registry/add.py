"""tinyml registry add"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options, registry_options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="The model that it is a version of; the run's name by default."),
    ] = None,
    registry: registry_options.Registry = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Add a run as a new version, the challenger: recipe, manifest, models, metrics, card, SBOM.

    A run that is in the registry already is not added again.

    \b
    Examples:
      tinyml registry add
      tinyml registry add runs/kws-yes-no --name lamp
      tinyml registry add runs/lamp --registry /mnt/models --json
    """
    from tinyml_cli.model_registry.store import Store
    from tinyml_cli.model_registry.versions import add, added_text
    from tinyml_cli.run import Run

    outcome = add(Store.make(registry), Run.open(run), name)
    console.result(outcome, added_text(outcome))
