"""Paths that a request names: inside the served folder, or refused."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.refusals import NotThereError
from tinyml_cli.user_text import is_printable

_LONGEST = 1000


def inside(root: Path, text: str) -> Path:
    """The path below `root` that a text with slashes means; it need not exist.

    Hidden names are refused too: locks, versions and undone changes lie under them.

    Args:
        root: an absolute folder without links.
        text: such as `recordings/yes/anna_nohash_0.wav`.

    Raises:
        TinymlError: it is absolute, leaves the folder, by a link too, or is hidden.
    """
    inner = PurePosixPath(text)
    names = inner.parts
    is_plain = 0 < len(text) <= _LONGEST and is_printable(text)
    if os.name == "nt":  # drives, streams, and a second kind of slash
        is_plain = is_plain and not set(text) & set(":\\")
    if not is_plain or not names or inner.is_absolute() or any(name.startswith(".") for name in names):
        raise _outside(text)
    path = root.joinpath(*names)
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:  # a circle of links
        raise _outside(text) from error
    if not real.is_relative_to(root):
        raise _outside(text)
    return path


def existing(root: Path, text: str) -> Path:
    """As `inside`, of what is there.

    Raises:
        NotThereError: it is not.
    """
    path = inside(root, text)
    try:
        is_there = path.exists()
    except OSError:  # a name that is too long for the system
        is_there = False
    if not is_there:
        raise NotThereError(f"`{text}` does not exist", text, "Reload the page: it may have been moved.")
    return path


def _outside(text: str) -> TinymlError:
    return TinymlError(
        f"`{text[:80]}` is not a path inside the served folder",
        "path",
        "Name it from that folder on, with slashes, without `..` and without hidden names.",
    )
