"""All known boards, for tables and for --json."""

from __future__ import annotations

from tinyml_cli.boards.boards import board_names, load_board
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.housekeeping import BoardDescription

COLUMNS = ("board", "kind", "MHz", "flash/RAM", "sensors", "engines", "USB ids")


def describe() -> list[BoardDescription]:
    """What the boards' YAML files say, by name. A damaged file is a warning and left out."""
    described = []
    for name in board_names():
        try:
            board = load_board(name)
        except TinymlError as error:
            console.warn(str(error))
        else:
            said = board.model_dump(mode="json", exclude={"needs", "arduino"})
            described.append(BoardDescription.model_validate(said))
    return described


def row(board: BoardDescription) -> list[str]:
    """The cells of one board, in the order of COLUMNS; "-" where nothing applies."""
    return [
        board.name,
        board.kind,
        f"{board.clock_hz / 1e6:g}" if board.clock_hz else "-",
        f"{_kib(board.flash_bytes)}/{_kib(board.ram_bytes)}",
        ", ".join(board.sensors) or "-",
        # The first is what a build takes by itself.
        ", ".join(sorted(board.engines, key=lambda engine: engine != board.default_engine)),
        ", ".join(usb_id.id for usb_id in board.usb_ids) or "-",
    ]


def _kib(number: int | None) -> str:
    return "-" if number is None else f"{number // 1024}K"
