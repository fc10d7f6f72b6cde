"""tinyml export-library"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN|MODEL]",
            help="A run directory or its name below runs/ (the latest by default), or any .tflite model.",
        ),
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--for",
            callback=options.one_of("kind", "arduino", "platformio", "cmake"),
            help="Who takes it: arduino (a ZIP for Arduino's IDE), platformio or cmake.",
        ),
    ] = "arduino",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR|ZIP", help="Where to write it; NAME.zip or NAME by default."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Name of the library; the run's by default."),
    ] = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the model as a library for your own program: front end, engine aot, recognizer, and an example.

    \b
    Examples:
      tinyml export-library
      tinyml export-library runs/kws-yes-no --for arduino --out yes_no.zip
      tinyml export-library runs/wand --for platformio --out lib/wand
      tinyml export-library model.tflite --for cmake --name my_model
    """
    from tinyml_cli.build.library import Kind, export_library
    from tinyml_cli.stages.adopt import open_run

    outcome = export_library(open_run(run), cast(Kind, kind), out, name)
    is_archive = outcome.path.lower().endswith(".zip")
    following = {
        "arduino": "in Arduino's IDE, Sketch > Include Library > Add .ZIP Library",
        "platformio": f"pio run -d {outcome.path}/examples/{outcome.sketch} -t upload",
        "cmake": f"cmake -S {outcome.path} -B {outcome.path}/build",
    }[kind]
    if is_archive and kind != "arduino":
        following = "unpack it; README.md says how to build"
    elif kind == "arduino" and not is_archive:
        following = "move the folder into the libraries folder of Arduino's sketchbook"
    console.result(outcome, f"Wrote {outcome.path}: include <{outcome.header}>. Next: {following}")
