"""tinyml attack"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import board_options, learn_options, options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            metavar="LABEL",
            help="What items are to be taken for; by default anything but what they are.",
        ),
    ] = None,
    snr: Annotated[
        str,
        typer.Option(
            "--snr", metavar="DB,DB", help="How much weaker than an item its perturbation is, in dB."
        ),
    ] = "40,30,20,10",
    universal: Annotated[
        bool, typer.Option("--universal", help="One perturbation for all, judged on items not seen before.")
    ] = False,
    rooms: Annotated[
        bool, typer.Option("--rooms", help="Sound: made to survive random rooms and delays of up to 100 ms.")
    ] = False,
    black_box: Annotated[
        bool,
        typer.Option("--black-box", help="By the int8 model's scores alone, without gradients."),
    ] = False,
    static: Annotated[
        bool, typer.Option("--static", help="Sound: change plain noise instead of recordings.")
    ] = False,
    item: Annotated[
        Path | None,
        typer.Option(
            "--item",
            callback=options.given(checks.input_file),
            help="Change this file: a recording, an image, a stroke or motion.",
        ),
    ] = None,
    data: options.AnyDataOption = None,
    items: Annotated[
        int | None,
        typer.Option("--items", min=1, max=10_000, help="How many; 24 by default, 4 with --black-box."),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps", min=1, max=100_000, help="Of the descent; 50 by default, 100 with --black-box."
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="BOARD",
            callback=options.given(checks.board),
            help="Sound, images: give the attacked items to sim, native or a board, too.",
        ),
    ] = None,
    port: board_options.Port = None,
    engine: board_options.Engine = None,
    tflm: board_options.TflmDir = None,
    defend: Annotated[
        bool,
        typer.Option("--defend", help="Train a variant on attacked inputs, and attack that as well."),
    ] = False,
    epochs: Annotated[int, typer.Option("--epochs", min=1, max=1000, help="With --defend: epochs.")] = 6,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            callback=options.given(checks.output_file),
            help="The example: an attacked item, or the universal perturbation; in report/ by default.",
        ),
    ] = None,
    seed: learn_options.Seed = 1,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Attack your own model: how little has to be added until the board reports something else.

    Judged by the int8 model and the board's rule for reporting, beside noise of the same energy. Writes the
    curve, and an item to play or show to a board. Attack only models and devices that are yours.

    \b
    Examples:
      tinyml attack --target yes
      tinyml attack runs/kws-yes-no --target yes --snr 20,10 --universal --rooms --out attack.wav
      tinyml attack --target yes --static --on sim
      tinyml attack --black-box --items 2 --snr 15
      tinyml attack --defend --json
    """
    from tinyml_cli.attack import attack as stage
    from tinyml_cli.attack.options import AttackOptions, ratios
    from tinyml_cli.build.target import build_target
    from tinyml_cli.run import Run

    board = None if on is None else build_target(on, engine, tflm, port=port)
    wishes = AttackOptions(
        target, ratios(snr), universal, rooms, black_box, static, item, items, steps, seed, board,
        defend, epochs, out,
    )  # fmt: skip
    wishes.check()
    outcome = stage.attack(Run.open(run), wishes, data)
    stage.show(outcome)
    console.result(outcome, stage.sentence(outcome))
