"""tinyml profile"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import board_options, options
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_FAILURE


def command(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN|MODEL.tflite]", help="A run or an int8 .tflite; the latest run by default."
        ),
    ] = None,
    board: Annotated[
        str,
        typer.Option(
            "--board",
            callback=options.given(checks.board),
            help="sim, native, or a real board (estimated from its clock and currents).",
        ),
    ] = "sim",
    engine: board_options.Engine = None,
    tflm: board_options.TflmDir = None,
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            metavar="LIMITS",
            help="Exit with 1 if a limit is exceeded: flash, ram, arena, stack (k: 1024 bytes), ms, "
            "instructions, cycles (k: 1000), energy_uj; comma-separated.",
        ),
    ] = None,
    engines: Annotated[
        str | None,
        typer.Option(
            "--compare",
            metavar="ENGINES",
            help="tflm,aot: both engines side by side for each operator; needs --tflm or TINYML_TFLM.",
        ),
    ] = None,
    port: Annotated[
        str | None,
        typer.Option("--port", help="A real board that already runs the model: also time its inferences."),
    ] = None,
    other: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="RUN",
            help="A run that looks at images after a word of this one: show what that saves.",
        ),
    ] = None,
    frames_per_second: Annotated[
        float, typer.Option("--frames-per-second", min=0.01, help="With --with: camera frames per second.")
    ] = 5.0,
    words_per_hour: Annotated[
        float,
        typer.Option("--words-per-hour", min=0, help="With --with: how often the word is heard, per hour."),
    ] = 20.0,
    camera_ma: Annotated[
        float | None,
        typer.Option("--camera-ma", min=0, help="With --with: the camera's current while on, in mA."),
    ] = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show the cost of each operator (instructions, cycles, time, energy) and the memory of the program.

    Instructions are counted on the virtual Cortex-M4 (emulated). Cycles, time and energy are estimated
    from them; docs/profile.md explains how, and how accurately. On native, time is measured on this computer.

    \b
    Examples:
      tinyml profile
      tinyml profile kws_ref_model.tflite --json
      tinyml profile model.tflite --board nano33ble --budget flash=900k,ram=200k,ms=200
      tinyml profile kws_ref_model.tflite --compare tflm,aot --tflm tflm-tree
      tinyml profile --board nano33ble --port /dev/ttyACM0
      tinyml profile runs/kws-yes-no --with runs/vww-person --words-per-hour 6 --camera-ma 20
    """
    from tinyml_cli.build.target import build_target
    from tinyml_cli.profile import cascade, compare, outcome
    from tinyml_cli.profile.budget import judge, parse_budget
    from tinyml_cli.profile.profile import profile
    from tinyml_cli.profile.text import render
    from tinyml_cli.stages.adopt import open_run

    limits = parse_budget(budget) if budget is not None else []
    target = build_target(board, engine, tflm, port=port)
    targets = compare.targets_of(engines, target) if engines is not None else None
    run = open_run(model)
    comparison = None
    if targets is None:
        report = profile(run, target)
    else:
        target = targets[1]
        report, comparison = compare.compare(run, targets)
    verdicts = judge(report, limits)
    scene = cascade.CascadeAssumptions(frames_per_second, words_per_hour, camera_ma)
    saving = None if other is None else cascade.compare(run, report, open_run(other), scene, target)
    document = outcome.record(run, report, verdicts, saving, comparison)
    console.info(render(report, console.width) + "\n")
    if comparison is not None:
        console.info(compare.text(comparison, console.width) + "\n")
    if saving is not None:
        console.info(cascade.text(saving) + "\n")
    console.result(document, outcome.sentence(document, verdicts))
    if any(verdict.over for verdict in verdicts):
        raise typer.Exit(code=EXIT_FAILURE)
