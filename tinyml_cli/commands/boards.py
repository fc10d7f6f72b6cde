"""tinyml boards"""

from __future__ import annotations

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(json: options.Json = False, quiet: options.Quiet = False) -> None:
    """List the boards that firmware can be built for, your own included.

    A board is one YAML file; docs/boards.md explains how to add one.

    \b
    Examples:
      tinyml boards
      tinyml boards --json
      TINYML_BOARDS=~/my-boards tinyml boards
    """
    from tinyml_cli.boards.board_list import COLUMNS, describe, row
    from tinyml_cli.outcomes.housekeeping import BoardList

    boards = describe()
    console.table("Boards", COLUMNS, [row(board) for board in boards])
    console.result(BoardList(boards=boards))
