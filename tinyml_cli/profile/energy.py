"""Time and energy of estimated cycles on a real chip, from its datasheet. Estimates, never measurements."""

from __future__ import annotations

from tinyml_cli.boards.boards import Board, Power, load_board
from tinyml_cli.errors import TinymlError

STANDS_FOR = "nano33ble"
"""The board whose chip `sim` is linked for: its clock and currents are what estimates on `sim` take."""


def chip_board(board: Board) -> Board:
    """The board whose clock and currents estimates for `board` use.

    Raises:
        TinymlError: the board's description has no clock.
    """
    real = load_board(STANDS_FOR) if board.kind == "virtual" else board
    if real.clock_hz is None:
        raise TinymlError(
            f"The description of board `{real.name}` has no clock_hz to estimate time with",
            "--board",
            "Add `clock_hz` to its YAML file, or use --board sim.",
        )
    return real


def milliseconds(cycles: int, clock_hz: int) -> float:
    """Time of some cycles, in ms."""
    return 1000 * cycles / clock_hz


def microjoules(time_ms: float, power: Power) -> float:
    """Energy that the active processor takes in some time, in µJ: E = U · I · t (V · mA · ms = µJ)."""
    return power.supply_v * power.active_ma * time_ms
