"""tinyml card"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted


def _place(path: Path, where: str) -> None:
    is_file = path.suffix.lower() in (".md", ".markdown")
    if path.suffix.lower() in (".html", ".htm", ".pdf", ".txt", ".json") and not path.is_dir():
        raise TinymlError(
            f"A card is Markdown, not {path.suffix}", f"{where} {path}", "Give a file ending in .md."
        )
    (checks.output_file if is_file else checks.output_folder)(path, where)


def command(
    run: options.RunArgument = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            callback=options.given(_place),
            help="A file ending in .md, or a folder; report/card.md in the run by default.",
        ),
    ] = None,
    train_seconds: Annotated[
        float | None,
        typer.Option("--train-seconds", min=0, help="Training time; taken from the run by default."),
    ] = None,
    watts: Annotated[
        float | None,
        typer.Option("--watts", min=0, help="Power of the training computer; measured, or 65, by default."),
    ] = None,
    grid: Annotated[
        float | None,
        typer.Option(
            "--grid", min=0, help="Grams of CO2e per kWh of electricity; 480, the world average, by default."
        ),
    ] = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a model card: purpose, data, quality by group and in noise, limits, size, speed, carbon, hashes.

    Questions that only people can answer are marked TODO(human); answers are kept when the card is rewritten.

    \b
    Examples:
      tinyml card
      tinyml card runs/kws-yes-no --out docs/
      tinyml card --watts 40 --grid 56 --json
    """
    from tinyml_cli.card.carbon import assumptions_of
    from tinyml_cli.card.card import write_card
    from tinyml_cli.run import Run

    outcome = write_card(Run.open(run), out, assumptions_of(watts, grid, train_seconds))
    console.result(
        outcome,
        f"{outcome.markdown}: {counted(len(outcome.open), 'open question')}: search for TODO(human)."
        if outcome.open
        else f"{outcome.markdown}: every question is answered.",
    )
