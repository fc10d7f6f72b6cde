"""An update over the serial link: in pieces that are checked, resumed where an earlier attempt ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import CommandRefusedError, Link
from tinyml_cli.link.protocol import MAX_INPUT_BYTES, Slots
from tinyml_cli.updates import image, packing

Form = Literal["whole", "packed", "changes"]

_CANNOT_UNPACK = ("command", "base")
"""Firmware from before there were packed tables; tables that are not those which the board runs."""
_REFUSALS = {
    "architecture": (
        "The update does not fit the board's firmware: its network has another architecture, or was compiled "
        "by another version of tinyml",
        "Build and flash the whole firmware: tinyml flash --update-key KEY",
    ),
    "older": (
        "The board runs a model of this release or a newer one",
        "To go back to an older model, sign it with a higher number: --release N.",
    ),
    "signature": (
        "The board does not accept the update's signature",
        "Sign it with the key that the firmware was built with: --update-key KEY.",
    ),
    "flash": ("The board cannot write its flash", "Reset the board and try again."),
    "no_update": ("This is no update", "Make it again: tinyml keys sign RUN --key KEY --out FILE"),
}


class RefusedUpdateError(TinymlError):
    """A board does not take an update, and would not take it if it were sent again."""


def slots_of(link: Link) -> Slots:
    """What lies in the board's slots.

    Raises:
        RefusedUpdateError: its firmware has none.
        TinymlError: it does not answer.
    """
    try:
        return link.slots()
    except CommandRefusedError as error:
        raise RefusedUpdateError(
            "The board's firmware takes no updates",
            link.url,
            "Flash it once as a whole with a key: tinyml flash --update-key KEY",
        ) from error


@dataclass(frozen=True)
class Delivery:
    """How an update came to a board.

    Attributes:
        form: of the tables: as they are, packed, or packed as changes of those that the board runs.
        sent_bytes: of the tables.
        resumed_bytes: of the tables, that an earlier attempt had left there.
    """

    form: Form
    sent_bytes: int
    resumed_bytes: int


def deliver(link: Link, update: bytes, where: str, base: bytes | None = None) -> Delivery:
    """Sends an update in its smallest form; the board runs it from its next start on.

    Args:
        where: the board, as messages call it.
        base: the tables that it runs, where they are known.

    Raises:
        RefusedUpdateError: the board refuses it, in a sentence that says why.
        TinymlError: it does not answer.
    """
    tables = update[image.HEADER_BYTES :]
    packed = packing.smallest(tables, base)
    try:
        link.update(0, update[: image.HEADER_BYTES])
        resumed = link.slots().received
        if packed is not None and len(packed) < len(tables) - resumed and _takes_packed(link, packed):
            return Delivery("changes" if packing.is_change(packed) else "packed", len(packed), resumed)
        with console.progress(len(tables), "model", "bytes") as bar:
            bar.advance(resumed)
            for offset in range(resumed, len(tables), MAX_INPUT_BYTES):
                piece = tables[offset : offset + MAX_INPUT_BYTES]
                link.update(image.HEADER_BYTES + offset, piece)
                bar.advance(len(piece))
    except CommandRefusedError as error:
        what, following = _REFUSALS.get(error.reason, (error.what, error.next_step))
        raise RefusedUpdateError(what, where, following) from error
    return Delivery("whole", len(tables) - resumed, resumed)


def _takes_packed(link: Link, packed: bytes) -> bool:
    """Sends packed tables; False where the board cannot unpack them, and has taken nothing."""
    with console.progress(len(packed), "model", "bytes") as bar:
        for offset in range(0, len(packed), MAX_INPUT_BYTES):
            piece = packed[offset : offset + MAX_INPUT_BYTES]
            try:
                link.update_packed(offset, piece)
            except CommandRefusedError as error:
                if offset == 0 and error.reason in _CANNOT_UNPACK:
                    return False
                raise
            bar.advance(len(piece))
    return True
