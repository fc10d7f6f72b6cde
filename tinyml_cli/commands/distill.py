"""tinyml distill"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options, shrink_options, tracking_options, training_options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            "--teacher",
            metavar="RUN",
            help="A larger trained run; repeatable: the teachers' scores are averaged.",
        ),
    ] = None,
    share: Annotated[
        float | None, typer.Option("--share", min=0, max=1, help="Weight of the teachers in the targets.")
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            "--temperature", min=0.01, max=20, help="Temperature; above 1 softens the teachers' scores."
        ),
    ] = None,
    variant: shrink_options.Variant = None,
    resume: training_options.Resume = False,
    profile: shrink_options.CountInstructions = True,
    accept_partial: options.AcceptPartial = False,
    track: tracking_options.Track = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train a run's network again with larger models as teachers; the result is a variant of the run.

    Data, epochs and seed are the run's own, so the run itself is the baseline without teachers.

    \b
    Examples:
      tinyml distill runs/kws-small --teacher runs/kws-large
      tinyml distill runs/kws-small --teacher runs/a --teacher runs/b --share 0.8 --as taught
    """
    from tinyml_cli.compression.command import check_teachers
    from tinyml_cli.run import Run

    opened = Run.open(run)
    check_teachers(opened, teacher or [])
    from tinyml_cli.compression import stage
    from tinyml_cli.compression.distill import distill

    outcome = distill(opened, teacher or [], variant, share, temperature, profile, resume)
    stage.show(outcome)
    console.result(outcome, stage.sentence(outcome))
