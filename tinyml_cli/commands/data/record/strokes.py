"""tinyml data record strokes"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import board_options, options, record_options
from tinyml_cli.console import console


def command(
    gesture: Annotated[
        str | None, typer.Option("--gesture", help="The gestures to draw, comma-separated.")
    ] = None,
    speaker: record_options.Speaker = None,
    out: Annotated[Path | None, record_options.out("strokes")] = None,
    count: Annotated[int | None, record_options.count("gesture", 20)] = None,
    board: Annotated[
        str | None,
        typer.Option(
            "--board", callback=options.given(checks.board), help="The wand's board; nano33ble by default."
        ),
    ] = None,
    port: board_options.Port = None,
    ble: Annotated[
        str | None,
        typer.Option("--ble", metavar="NAME", help="A wand over Bluetooth: its name, or any."),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Record strokes of a wand, by cable or over Bluetooth; resumes where it stopped.

    \b
    Examples:
      tinyml data record strokes --gesture wing,ring --count 20 --board nano33ble
      tinyml data record strokes --gesture wing --ble any
      tinyml data record strokes --gesture wing --speaker ada --json
    """
    from tinyml_cli.collect import record_strokes
    from tinyml_cli.collect.stroke_source import open_wand

    gestures = options.word_list(gesture, "--gesture")
    plan = record_strokes.plan_of(tuple(gestures) if gestures else None, speaker, out, count)
    with open_wand(board, port, ble) as wand:
        document = record_strokes.record(plan, wand)
    console.result(document, record_strokes.text(document))
