"""tinyml data snapshot"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options, training_options
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_FAILURE


def command(
    data: Annotated[
        Path,
        typer.Argument(
            callback=options.given(checks.data), help="A data folder, a file of data, or a snapshot's file."
        ),
    ],
    config: training_options.Config = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            callback=options.given(checks.output_file),
            help="Write the snapshot; a file that holds the same stays untouched.",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="EARLIER",
            callback=options.given(checks.data),
            help="Compare with an earlier snapshot or another folder.",
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Take a snapshot of data: hash, label and split of each file, and licences; compare it with another.

    A run's manifest names the snapshot that it was trained on. Splits are those of folders and official
    lists; with --config, of speakers by the recipe's shares, too. Exits with 1 where a file or a speaker is
    in training and test at once.

    \b
    Examples:
      tinyml data snapshot recordings/
      tinyml data snapshot recordings/ --config recipe.yaml --out data-snapshot.json
      tinyml data snapshot recordings/ --against data-snapshot.json --json
    """
    from tinyml_cli.datasets import snapshots

    outcome = snapshots.take(data, config, out, against)
    snapshots.show(outcome)
    console.result(outcome, snapshots.sentence(outcome))
    if snapshots.all_leaked(outcome):
        raise typer.Exit(EXIT_FAILURE)
