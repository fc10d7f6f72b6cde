"""The speaker, from a file name: `WORD/SPEAKER_nohash_N.wav`, as in Speech Commands."""

from __future__ import annotations

import re
from pathlib import PurePath

from tinyml_cli.errors import TinymlError

MARK = "_nohash_"

_SPEAKER = re.compile(rf"^(?P<speaker>.+?){MARK}(?P<take>\d+)$")
_UNSAFE = re.compile(r"[^\w+.-]+")
_LONGEST = 80


def speaker_of(path: PurePath) -> str:
    """`SPEAKER` of `SPEAKER_nohash_N.wav`; any other file is a speaker of its own."""
    match = _SPEAKER.match(path.stem)
    return match["speaker"] if match else f"{path.parent.name}/{path.name}"


def speaker_in(stem: str) -> str:
    """`SPEAKER` of a file name without its ending; empty where it names none."""
    match = _SPEAKER.match(stem)
    return match["speaker"] if match else ""


def has_speaker(path: PurePath) -> bool:
    """Whether the file name says who speaks."""
    return _SPEAKER.match(path.stem) is not None


def take_of(path: PurePath) -> int:
    """The number of a speaker's take of a word; -1 where the name has none."""
    match = _SPEAKER.match(path.stem)
    return int(match["take"]) if match else -1


def speaker_id(name: str, where: str = "--speaker") -> str:
    """A speaker's name as used in file names: characters that some file system forbids become hyphens.

    Raises:
        TinymlError: nothing usable is left.
    """
    safe = _UNSAFE.sub("-", name.strip()).strip("-._")
    if not safe or MARK in safe or len(safe) > _LONGEST:
        raise TinymlError(
            f"`{name}` is not a valid speaker name",
            where,
            "Use letters and digits; a pseudonym keeps the recordings anonymous.",
        )
    return safe
