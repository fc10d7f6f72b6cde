"""Options that `data record words`, `images` and `strokes` share, declared once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyml_cli import checks
from tinyml_cli.commands.options import given

if TYPE_CHECKING:
    from tinyml_cli.build.target import BuildTarget

_MOST_TAKES = 10_000


def out(default: str) -> Any:
    """`--out`, whose help names the folder that is taken without it."""
    return typer.Option(
        "--out", callback=given(checks.output_folder), help=f"The data folder; {default} by default."
    )


def count(per: str, default: int) -> Any:
    """`--count` of takes per word, class or gesture."""
    text = f"How many per {per}, existing ones included; {default} by default."
    return typer.Option("--count", min=1, max=_MOST_TAKES, help=text)


Speaker = Annotated[
    str | None,
    typer.Option("--speaker", help="Who speaks or waves the wand; any name or pseudonym."),
]
Board = Annotated[
    str | None,
    typer.Option(
        "--board",
        callback=given(checks.board),
        help="Record with a board instead of this computer.",
    ),
]
Run = Annotated[
    str | None,
    typer.Option("--run", help="The run whose firmware a virtual board boots; the latest by default."),
]
Device = Annotated[
    str | None, typer.Option("--device", help="The input device: a number or part of its name.")
]


def target(board: str | None, port: str | None) -> BuildTarget | None:
    """The board to record with; None is this computer.

    Raises:
        TinymlError: no such board.
    """
    from tinyml_cli.build.target import build_target

    return None if board is None and port is None else build_target(board or "nano33ble", port=port)
