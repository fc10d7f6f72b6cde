"""tinyml inspect"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_FAILURE


def command(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL.tflite|RUN]", help="Any .tflite file, or a run; the latest run by default."
        ),
    ] = None,
    tensors: Annotated[bool, typer.Option("--tensors", help="List every tensor and constant.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="List operators and tensors.")] = False,
    pictures: Annotated[
        bool,
        typer.Option("--pictures", help="Draw histograms into report/ of a run, or into the folder --out."),
    ] = False,
    activations: Annotated[
        Path | None,
        typer.Option(
            "--activations",
            metavar="ITEM",
            help="Draw what each layer makes of a clip, an image, a stroke, …",
        ),
    ] = None,
    diff: Annotated[
        str | None,
        typer.Option("--diff", metavar="OTHER", help="Show the differences from another model or run."),
    ] = None,
    exit_code: Annotated[
        bool,
        typer.Option("--exit-code", help="With --diff: exit with 1 if the models compute different results."),
    ] = False,
    edit: Annotated[bool, typer.Option("--edit", help="Write an edited copy to --out.")] = False,
    strip: Annotated[
        bool, typer.Option("--strip", help="Edit: drop names, signatures, metadata and description.")
    ] = False,
    description: Annotated[
        str | None, typer.Option("--set-description", metavar="TEXT", help="Edit: set the description.")
    ] = None,
    labels: Annotated[
        str | None, typer.Option("--set-labels", metavar="A,B,C", help="Edit: store labels as metadata.")
    ] = None,
    round_weights: Annotated[
        float | None,
        typer.Option(
            "--round-weights",
            min=1e-9,
            max=1e9,
            metavar="STEP",
            help="Edit: round weights to multiples of a step such as 0.02.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            callback=options.given(checks.output),
            help="Output for the edited model or pictures; never the source.",
        ),
    ] = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Inspect a model: operators, tensors, scales, weights, errors; compare two; write an edited copy.

    With --activations, what each layer of a run sees of one item; of images, Grad-CAM too.

    \b
    Examples:
      tinyml inspect
      tinyml inspect model.tflite --all
      tinyml inspect runs/kws-yes-no --activations yes.wav
      tinyml inspect model.tflite --diff other.tflite --json
      tinyml inspect model.tflite --edit --strip --round-weights 0.02 --out small.tflite
    """
    from tinyml_cli.stages import inspect as stage
    from tinyml_cli.tflite.edit import Edits

    names = options.word_list(labels, "--set-labels")
    edits = Edits(strip, description, None if names is None else tuple(names), round_weights)
    outcome = stage.run(model, edits, edit=edit, diff=diff, pictures=pictures, activations=activations,
                        out=out, tensors=tensors or everything, operators=everything)  # fmt: skip
    console.result(outcome.document, outcome.sentence)
    if exit_code and outcome.differs:
        raise typer.Exit(code=EXIT_FAILURE)
