"""tinyml drift"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.commands.run_and_file import run_and_file
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_FAILURE


def command(
    run_and_log: Annotated[
        list[str],
        typer.Argument(
            metavar="[RUN] LOG",
            help="The run whose firmware the board ran (the latest by default), and a log from `tinyml "
            "monitor --log`.",
        ),
    ],
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="LOG",
            callback=options.given(checks.input_file),
            help="Compare with this older log instead of the training data.",
        ),
    ] = None,
    psi: Annotated[
        float,
        typer.Option("--psi", min=0.01, max=100, help="Index from which a quantity counts as drifting."),
    ] = 0.25,
    ks: Annotated[
        float,
        typer.Option("--ks", min=0.01, max=1, help="Distance from which a quantity counts as drifting."),
    ] = 0.2,
    share: Annotated[
        float, typer.Option("--share", min=0, max=1, help="Share of features allowed to drift.")
    ] = 0.1,
    feedback: Annotated[
        Path | None,
        typer.Option(
            "--feedback",
            metavar="CSV",
            callback=options.given(checks.input_file),
            help="Answers with their truth, columns heard,truth: tells concept drift from data drift.",
        ),
    ] = None,
    error_rate: Annotated[
        float | None,
        typer.Option(
            "--error-rate",
            min=0,
            max=0.9,
            help="Share of wrong answers in normal running; that of the validation data by default.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            callback=options.given(checks.picture),
            help="The picture; report/drift.png in the run by default.",
        ),
    ] = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Test whether a board's scores and features still match the training data; exits with 1 on drift.

    \b
    Examples:
      tinyml monitor --board nano33ble --trace scores,features --duration 600 --log today.jsonl
      tinyml drift today.jsonl
      tinyml drift runs/anomaly-autoencoder today.jsonl
      tinyml drift runs/kws-yes-no today.jsonl --baseline first_week.jsonl
      tinyml drift runs/kws-yes-no today.jsonl --feedback answers.csv
    """
    from tinyml_cli.drift.stage import drift, sentence
    from tinyml_cli.run import Run

    run, log = run_and_file("drift", run_and_log, "LOG")
    outcome = drift(Run.open(run), log, baseline, psi, ks, share, out, feedback, error_rate)
    console.result(outcome, sentence(outcome))
    if outcome.drift or (outcome.errors and outcome.errors.drifted):
        raise typer.Exit(code=EXIT_FAILURE)
