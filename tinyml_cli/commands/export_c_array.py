"""tinyml export-c-array"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console
from tinyml_cli.next_step import next_step


def command(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN|MODEL]",
            help="A run directory or its name below runs/ (the latest by default), or any .tflite model.",
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            "--engine", callback=options.one_of("engine", "tflm", "aot", "both"), help="tflm, aot or both."
        ),
    ] = "both",
    io: Annotated[
        str,
        typer.Option(
            "--io",
            callback=options.one_of("place", "arena", "caller"),
            help="Where engine aot puts inputs and outputs: arena, or caller for your own buffers.",
        ),
    ] = "arena",
    ram_limit: Annotated[
        int | None,
        typer.Option(
            "--ram-limit",
            metavar="BYTES",
            min=1,
            help="The most bytes of engine aot's arena: the first layers run in stripes of rows where they "
            "must, which costs some time.",
        ),
    ] = None,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Show the memory plan of engine aot, and draw it in report/."),
    ] = False,
    signature: Annotated[
        str | None,
        typer.Option(
            "--signature", metavar="NAME", help="The signature to export from a .tflite MODEL with several."
        ),
    ] = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the model as C: an array for TensorFlow Lite Micro, or plain C compiled ahead of time.

    \b
    Examples:
      tinyml export-c-array
      tinyml export-c-array runs/kws-yes-no --engine aot --plan
      tinyml export-c-array other_model.tflite --engine aot --io caller
      tinyml export-c-array vww_96_int8.tflite --engine aot --io caller --ram-limit 26000 --plan
      tinyml export-c-array two_heads.tflite --signature encode
    """
    from tinyml_cli.engines.aot import listing
    from tinyml_cli.engines.export import export
    from tinyml_cli.engines.freshness import Placement
    from tinyml_cli.stages.adopt import open_run

    opened = open_run(run, signature)
    outcome = export(opened, engine, Placement(io, ram_limit), picture=plan)
    if plan and outcome.plan is not None:
        console.table(*listing.table(outcome.plan))
    files = "\n".join(f"  {opened.path / name}" for name in outcome.files)
    step = next_step("build", opened.path, "--board", "sim")
    console.result(outcome, f"Wrote\n{files}\nNext: {step}")
