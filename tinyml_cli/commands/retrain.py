"""tinyml retrain"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options, registry_options, tracking_options
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_FAILURE


def _triggers(given: list[str], where: str) -> None:
    for trigger in given:
        checks.choice(trigger, ("drift", "fleet", "new-data", "age", "metric", "always"), where, "trigger")


def command(
    when: Annotated[
        list[str],
        typer.Option(
            "--when",
            metavar="TRIGGER",
            callback=options.given(_triggers),
            help="drift, fleet, new-data, age, metric or always; repeatable, one that fires suffices.",
        ),
    ],
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A model of the registry; the only one by default.")
    ] = None,
    data: options.AnyDataOption = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="RECIPE", help="A recipe; by default the champion's."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="LOG",
            callback=options.given(checks.input_file),
            help="With --when drift: a log of tinyml monitor.",
        ),
    ] = None,
    fleet: Annotated[
        Path | None,
        typer.Option("--fleet", metavar="DIR", help="With --when fleet: the folder of tinyml fleet serve."),
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin with random weights instead of the champion's.")
    ] = False,
    promote: Annotated[
        bool, typer.Option("--promote/--no-promote", help="Promote a challenger that passes every gate.")
    ] = True,
    accept_data: Annotated[
        str | None,
        typer.Option("--accept-data", metavar="WHY", help="Train although the data look strange."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Decide and check the data; train nothing.")
    ] = False,
    rules: Annotated[
        Path | None,
        typer.Option(
            "--rules", metavar="FILE", help="The rules; retrain.yaml in this folder, if there is one."
        ),
    ] = None,
    budgets: Annotated[
        Path | None,
        typer.Option(
            "--budgets", metavar="FILE", help="The budgets; budgets.yaml in this folder, if there is one."
        ),
    ] = None,
    registry: registry_options.Registry = None,
    track: tracking_options.Track = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train a model of the registry again if it is time to, and promote the challenger if it is no worse.

    Checks the data first, trains from the champion's weights, evaluates both on the same test items and on
    new ones, and writes a report of the decision. Made for cron and CI: the same data are not trained on
    twice, and a killed call is resumed. Exits with 1 where the data look strange.

    \b
    Examples:
      tinyml retrain lamp --when new-data --when age --dry-run
      tinyml retrain lamp --when drift --log today.jsonl
      tinyml retrain lamp --when fleet --fleet fleet --data recordings/
      tinyml retrain lamp --when always --anew --json
    """
    from tinyml_cli.model_registry.store import Store
    from tinyml_cli.project.check import show
    from tinyml_cli.retraining.retrain import RetrainOptions, retrain, sentence

    chosen = RetrainOptions(
        when, data, config, rules, budgets, log, anew, dry_run, promote, accept_data, fleet
    )
    outcome = retrain(Store.open(registry), name, chosen)
    if outcome.gates:
        show(outcome.gates, f"{outcome.model}@{outcome.challenger}")
    console.result(outcome, sentence(outcome))
    if outcome.stopped:
        raise typer.Exit(EXIT_FAILURE)
