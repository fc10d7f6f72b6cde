"""An open link to a board that runs a run's firmware, verified by its banner."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from functools import partial

from tinyml_cli.boards.boards import Board
from tinyml_cli.build.emulated import plugged_in
from tinyml_cli.build.project import project_dir
from tinyml_cli.build.target import LEARNER, BuildTarget
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Ready, printable
from tinyml_cli.link.usb import link_url
from tinyml_cli.link.virtual import VirtualDevice, flash_file
from tinyml_cli.manifest import Manifest
from tinyml_cli.next_step import on_this_run
from tinyml_cli.run import Run, board_model

_RECONNECT_S = 10.0


@contextlib.contextmanager
def open_board(
    run: Run, target: BuildTarget, on_lost: Callable[[], None] | None = None, *, keeps_flash: bool = False
) -> Iterator[Link]:
    """An open link to a board: a virtual or modelled one boots the run's firmware, unless the target's `port`
    names it.

    Args:
        on_lost: told when the port vanishes while it is in use; given, the link waits for it for ever.
        keeps_flash: a virtual board keeps what is written to its flash, also where it has kept nothing yet.

    Raises:
        TinymlError: no firmware, no board, or a port that cannot be opened.
    """
    board = target.board.name
    if target.port or target.is_usb:
        with plugged_in(run, target), open_port(target.board, target.port, on_lost) as link:
            yield link
    else:
        elf = project_dir(run, board, target.application(run)) / "firmware.elf"
        kept = flash_file(elf) if keeps_flash or flash_file(elf).is_file() else None
        with VirtualDevice(board, elf, flash=kept) as device, Link(device.url) as link:
            yield link


def open_port(board: Board, port: str | None, on_lost: Callable[[], None] | None = None) -> Link:
    """An open link to a board that has a port, whatever firmware runs on it.

    Args: as of `open_board`.

    Raises:
        TinymlError: no board, or a port that cannot be opened.
    """
    reconnect_s = math.inf if on_lost else _RECONNECT_S
    # A name that the user gave is kept; a board that was looked for may come back under another one.
    locate = None if port else partial(link_url, board)
    return Link(link_url(board, port), reconnect_s=reconnect_s, locate=locate, on_lost=on_lost)


def check_firmware(ready: Ready, manifest: Manifest, board: str) -> None:
    """Refuses a board whose firmware was made from another model than the run's.

    Raises:
        TinymlError: another model, or other labels.
    """
    name = board_model(manifest)
    model = manifest.artifacts.get(name)
    if model is None:
        raise TinymlError(f"`{name}` is missing", "manifest.json", f"Run `{on_this_run('convert')}` first.")
    flash = ["flash", "--board", board, *(["--app", LEARNER] if ready.app == LEARNER else [])]
    if not ready.model or not model.sha256.startswith(ready.model):
        raise TinymlError(
            f"Stale firmware: the board runs model {printable(ready.model)[:12]}, "
            f"the run has {model.sha256[:12]}",
            board,
            f"Run `{on_this_run(*flash)}`.",
        )
    if ready.labels != manifest.labels:
        raise TinymlError(
            f"The board has the labels {', '.join(map(printable, ready.labels))}, "
            f"the run has {', '.join(manifest.labels)}",
            board,
            f"Run `{on_this_run('export-c-array')}`, then `{on_this_run(*flash)}`.",
        )
