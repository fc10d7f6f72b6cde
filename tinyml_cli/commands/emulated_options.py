"""Options of the commands that a modelled board can serve instead of a real one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options

if TYPE_CHECKING:
    from tinyml_cli.emulator.recordings import Surroundings

Emulated = Annotated[
    bool, typer.Option("--emulated", help="A model of the board takes its place: nano33ble, nano33ble_rev2.")
]
Sound = Annotated[
    Path | None,
    typer.Option(
        "--sound",
        callback=options.given(checks.input_file),
        metavar="FILE",
        help="With --emulated: a recording that its microphone hears.",
    ),
]
Motion = Annotated[
    Path | None,
    typer.Option(
        "--motion",
        callback=options.given(checks.input_file),
        metavar="FILE",
        help="With --emulated: a recording of acceleration and rotation that moves it.",
    ),
]


def surroundings(
    emulated: bool, sound: Path | None = None, motion: Path | None = None
) -> Surroundings | None:
    """What surrounds an emulated board; None for all others.

    Raises:
        TinymlError: a recording without --emulated.
    """
    from tinyml_cli.emulator.recordings import Surroundings
    from tinyml_cli.errors import TinymlError

    for option, value in (("--sound", sound), ("--motion", motion)):
        if value is not None and not emulated:
            raise TinymlError(f"{option} is for emulated boards", option, "Add --emulated, or use --replay.")
    return Surroundings(sound, motion) if emulated else None


def require_board(emulated: bool, board: str | None, option: str) -> None:
    """Refuses --emulated without a board to be modelled.

    Raises:
        TinymlError: the option that names one was not given.
    """
    from tinyml_cli.errors import TinymlError

    if emulated and board is None:
        raise TinymlError("No board is named", "--emulated", f"Add {option} nano33ble.")
