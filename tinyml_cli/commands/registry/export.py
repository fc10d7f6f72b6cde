"""tinyml registry export"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options, registry_options
from tinyml_cli.console import console


def command(
    version: registry_options.Version = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            callback=options.given(checks.output_folder),
            help="A new folder; runs/NAME-VERSION by default.",
        ),
    ] = None,
    mlflow: Annotated[
        bool, typer.Option("--mlflow", help="Register it in MLflow, with its alias, instead.")
    ] = False,
    registry: registry_options.Registry = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a version as a run, which every command takes; a name alone means the champion.

    \b
    Examples:
      tinyml registry export lamp
      tinyml registry export lamp@2 --out runs/lamp-2
      tinyml registry export lamp@challenger --json
      tinyml registry export lamp@champion --mlflow
    """
    from tinyml_cli.model_registry import mlflow_export, versions
    from tinyml_cli.model_registry.documents import CHAMPION
    from tinyml_cli.model_registry.store import Store
    from tinyml_cli.next_step import next_step

    store = Store.open(registry)
    index, number = versions.find(store, version, CHAMPION)
    if mlflow:
        checks.exclusive("--mlflow", {"--out": out})
        registered = mlflow_export.register(store, index, number)
        console.result(registered, mlflow_export.sentence(registered))
        return
    outcome = versions.export(store, index, number, out or versions.exported_to(index.model, number))
    step = next_step("flash", Path(outcome.run))
    console.result(outcome, f"{index.model}@{number} is in {outcome.run}. Next: {step}")
