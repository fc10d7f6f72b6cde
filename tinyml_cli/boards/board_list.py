"""All known boards, for tables and for --json."""

from __future__ import annotations

from typing import Any

from tinyml_cli.boards.boards import board_names, load_board
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError

COLUMNS = ("board", "kind", "MHz", "flash/RAM", "sensors", "engines", "USB ids")


def describe() -> list[dict[str, Any]]:
    """One document per board, by name: what its YAML file says. A damaged file is a warning and left out."""
    documents = []
    for name in board_names():
        try:
            documents.append(load_board(name).model_dump(mode="json", exclude={"needs", "arduino"}))
        except TinymlError as error:
            console.warn(str(error))
    return documents


def row(board: dict[str, Any]) -> list[str]:
    """The cells of one board, in the order of COLUMNS; "-" where nothing applies."""
    clock_hz = board["clock_hz"]
    return [
        board["name"],
        board["kind"],
        f"{clock_hz / 1e6:g}" if clock_hz else "-",
        f"{_kib(board['flash_bytes'])}/{_kib(board['ram_bytes'])}",
        ", ".join(board["sensors"]) or "-",
        # The first is what a build takes by itself.
        ", ".join(sorted(board["engines"], key=lambda engine: engine != board["default_engine"])),
        ", ".join(usb_id["id"] for usb_id in board["usb_ids"]) or "-",
    ]


def _kib(number: int | None) -> str:
    return "-" if number is None else f"{number // 1024}K"
