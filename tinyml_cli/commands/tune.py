"""tinyml tune"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options, tracking_options, training_options
from tinyml_cli.console import console


def command(
    task: Annotated[str, typer.Argument(metavar="TASK", help="The task to search for, such as kws.")],
    max_flash: Annotated[
        str | None,
        typer.Option(
            "--max-flash", metavar="BYTES", help="Limit for the flash that the firmware takes; k is 1024."
        ),
    ] = None,
    max_ram: Annotated[
        str | None,
        typer.Option(
            "--max-ram", metavar="BYTES", help="Limit for the RAM that the firmware takes; k is 1024."
        ),
    ] = None,
    max_ms: Annotated[
        str | None,
        typer.Option("--max-ms", help="Limit for one inference, estimated from counted instructions."),
    ] = None,
    trials: Annotated[
        int, typer.Option("--trials", min=1, max=100_000, help="Number of networks to try.")
    ] = 20,
    study: Annotated[
        Path | None,
        typer.Option(
            "--study",
            metavar="FILE",
            callback=options.given(checks.output_file),
            help="Journal to create or join, also from other computers.",
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Number of processes, this one included.")
    ] = 1,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            callback=options.one_of("engine", "local", "ray"),
            help="Where other workers run: local, or ray (a Ray cluster).",
        ),
    ] = "local",
    only_work: Annotated[
        bool, typer.Option("--only-work", help="Only train trials; another process draws the conclusion.")
    ] = False,
    words: training_options.Words = None,
    data: options.AnyDataOption = None,
    config: training_options.Config = None,
    set_: training_options.Set = None,
    run: Annotated[
        Path | None,
        typer.Option(
            "--run",
            callback=options.given(checks.output_folder),
            help="The winner's run; `best` next to the study by default.",
        ),
    ] = None,
    seed: training_options.Seed = None,
    track: tracking_options.Track = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Search for the most accurate and fastest networks that fit a board.

    Flash, RAM and time of each candidate are measured on its firmware before training; poor ones
    are stopped early. After a kill, the same command resumes; run it in several processes to share the work.
    Without --data, kws tries networks that stream; --config kws: those that take whole windows.

    \b
    Examples:
      tinyml tune kws --words yes,no --max-flash 80k --max-ram 40k --max-ms 10 --trials 20
      tinyml tune kws --words yes,no --max-ms 10 --trials 40 --study /shared/kws.log --workers 2
      tinyml tune kws --words yes,no --max-ms 10 --trials 80 --study /shared/k.log --workers 9 --engine ray
    """
    from tinyml_cli.outcomes.comparisons import Tuned
    from tinyml_cli.tuning import outcome
    from tinyml_cli.tuning.tune import limits_of, place_of, recipe_of, tune

    limits = limits_of(max_flash, max_ram, max_ms)
    values = {"words": options.word_list(words, "--words")}
    recipe = recipe_of(task, values, data, config, set_ or [], 1 if seed is None else seed)
    found = tune(recipe, limits, trials, study, run, workers, only_work, place_of(engine))
    if not isinstance(found, Tuned):
        console.result(found, f"The study already has enough trials: {found.study}")
        return
    outcome.show(found)
    console.result(found, outcome.sentence(found))
