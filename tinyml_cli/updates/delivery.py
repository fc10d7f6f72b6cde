"""An update over the serial link: in pieces that are checked, resumed where an earlier attempt ended."""

from __future__ import annotations

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import CommandRefusedError, Link
from tinyml_cli.link.protocol import MAX_INPUT_BYTES, Slots
from tinyml_cli.updates import image

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


def deliver(link: Link, update: bytes, where: str) -> int:
    """Sends an update, whole; the board runs it from its next start on.

    Args:
        where: the board, as messages call it.

    Returns:
        How many bytes of it lay there already.

    Raises:
        RefusedUpdateError: the board refuses it, in a sentence that says why.
        TinymlError: it does not answer.
    """
    tables = update[image.HEADER_BYTES :]
    try:
        link.update(0, update[: image.HEADER_BYTES])
        resumed = link.slots().received
        with console.progress(len(tables), "model", "bytes") as bar:
            bar.advance(resumed)
            for offset in range(resumed, len(tables), MAX_INPUT_BYTES):
                piece = tables[offset : offset + MAX_INPUT_BYTES]
                link.update(image.HEADER_BYTES + offset, piece)
                bar.advance(len(piece))
    except CommandRefusedError as error:
        what, following = _REFUSALS.get(error.reason, (error.what, error.next_step))
        raise RefusedUpdateError(what, where, following) from error
    return resumed
