"""tinyml footprint"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options, registry_options
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError


def command(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="With --inferences-per-day: whose; the latest run by default."),
    ] = None,
    inferences_per_day: Annotated[
        float | None,
        typer.Option("--inferences-per-day", min=0, help="Of each device: compare its energy with training."),
    ] = None,
    devices: Annotated[int, typer.Option("--devices", min=1, max=10**9, help="How many devices.")] = 1,
    watts: Annotated[
        float | None,
        typer.Option("--watts", min=0, help="Power of the computer; measured, or 65, by default."),
    ] = None,
    grid: Annotated[
        float | None,
        typer.Option("--grid", min=0, help="Grams of CO2e per kWh; 480, the world average, by default."),
    ] = None,
    registry: registry_options.Registry = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Add up energy and emissions of all trainings, searches included, against inference on devices.

    A training's energy is measured where the processor counts it (RAPL) and may be read, else estimated from
    its time.

    \b
    Examples:
      tinyml footprint
      tinyml footprint runs/lamp --inferences-per-day 864000 --devices 1000
      tinyml footprint --watts 40 --grid 56 --json
    """
    from tinyml_cli.card.carbon import assumptions_of
    from tinyml_cli.footprint.footprint import DutyCycle, sentences, show, total
    from tinyml_cli.run import Run

    if inferences_per_day is None and (run is not None or devices > 1):
        raise TinymlError(
            "A run and --devices need a duty cycle, and none was given",
            "--devices" if run is None else run,
            "Give --inferences-per-day; without it, all trainings are added up.",
        )
    duty = None if inferences_per_day is None else DutyCycle(Run.open(run), inferences_per_day, devices)
    outcome = total(assumptions_of(watts, grid), registry, duty)
    show(outcome)
    console.result(outcome, sentences(outcome))
