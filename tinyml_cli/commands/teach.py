"""tinyml teach"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options, record_options
from tinyml_cli.console import console


def command(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run that was taught, or the path or name of a new one.")
    ],
    takes: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[TAKES]...",
            help="3 to 5 recordings of the word by one person, or one with pauses between them.",
        ),
    ] = None,
    word: Annotated[str | None, typer.Option("--word", help="The word that the takes say.")] = None,
    forget: Annotated[
        str | None, typer.Option("--forget", metavar="WORD", help="Remove a word and its takes.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Only list the words of the run.")] = False,
    microphone: Annotated[
        bool, typer.Option("--microphone", help="Record five takes from this computer's microphone.")
    ] = False,
    from_board: Annotated[
        str | None,
        typer.Option("--from-board", metavar="BOARD", help="Add the words that this board has learned."),
    ] = None,
    port: Annotated[str | None, typer.Option("--port", help="The board's serial port.")] = None,
    device: record_options.Device = None,
    speaker: Annotated[
        str, typer.Option("--speaker", help="Who says it, for the names of the kept takes.")
    ] = "me",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Teach a word in 3 to 5 takes, within seconds and without training.

    The run keeps the takes in taught/WORD and is an ordinary keyword run: build, flash, monitor, evaluate
    and evaluate-stream take it.

    \b
    Examples:
      tinyml teach home --word lumos lumos1.wav lumos2.wav lumos3.wav
      tinyml teach home --word nox --microphone
      tinyml teach home --from-board nano33ble
      tinyml teach home --list
      tinyml teach home --forget nox
      tinyml train kws --words yes,lumos --add-recordings runs/home/taught
    """
    from tinyml_cli.teaching import command as teaching

    asked = teaching.request(run, takes or [], word, forget, list_, microphone, from_board)
    outcome = teaching.answer(asked, device, speaker, port)
    teaching.show(outcome)
    console.result(outcome, teaching.sentence(outcome))
