"""tinyml watch-drift"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    false_alarms_per_day: Annotated[
        float,
        typer.Option(
            "--false-alarms-per-day",
            min=0.001,
            max=100,
            help="How often all tests together may report drift in normal running.",
        ),
    ] = 0.1,
    hours: Annotated[
        float,
        typer.Option(
            "--hours", min=0.2, max=100, help="Hours of normal running, where they are made for it."
        ),
    ] = 2.0,
    off: Annotated[bool, typer.Option("--off", help="The board no longer looks for drift.")] = False,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Have the board report by itself when its input or its scores leave normal running.

    Thresholds are chosen on validation data, never on the test set; build or flash again afterwards.

    \b
    Examples:
      tinyml watch-drift
      tinyml watch-drift runs/kws-yes-no --false-alarms-per-day 0.02
      tinyml watch-drift runs/anomaly-autoencoder
      tinyml watch-drift runs/kws-yes-no --off
    """
    from tinyml_cli.drift import watch_stage
    from tinyml_cli.run import Run

    opened = Run.open(run)
    outcome = (
        watch_stage.stop(opened) if off else watch_stage.watch_drift(opened, false_alarms_per_day, hours)
    )
    console.result(outcome, watch_stage.sentence(outcome))
