"""What can be known before work starts: one function for each question, asked by every command.

A check looks and touches nothing. It returns where all is well, and raises a TinymlError that says what is
wrong, where, and what to do. Commands hang checks of one value on the option itself (`commands/options.py`);
what needs several of them is asked at the top of the stage.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from tinyml_cli.errors import TinymlError, did_you_mean
from tinyml_cli.installed import spec_of
from tinyml_cli.user_text import is_printable

ROOM_FOR_A_RUN_BYTES = 64 << 20
NOT_IN_NAMES = set('\\/:*?"<>|')
"""Characters that some file system refuses in a name."""

DEVICE_NAMES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
"""In lower case; Windows opens the device, whatever the suffix."""

_LONGEST_NAME_BYTES = 200
DRAWN_BY = "Drawn by tinyml"
"""What every picture says of itself, near its start."""
_START_BYTES = 1024


def choice(value: str, choices: Iterable[str], where: str, what: str = "value") -> None:
    """A name out of a few; the nearest is suggested.

    Raises:
        TinymlError: another one.
    """
    known = list(choices)
    if value not in known:
        hint = did_you_mean(value, known)
        raise TinymlError(f"Unknown {what} `{value}`", where, f"{hint}Choose from: {', '.join(known)}.")


def exclusive(option: str, others: Mapping[str, object]) -> None:
    """Refuses options that a command would not heed beside another.

    Args:
        option: which was given.
        others: option -> its value; None where it was not given.
    """
    for other, value in others.items():
        if value is not None:
            raise TinymlError(f"{option} and {other} exclude each other", other, "Give one of them.")


def package(module: str, purpose: str, remedy: str) -> None:
    """A Python package that an optional part of the tool needs; it is looked for, not imported.

    Raises:
        TinymlError: it is not installed.
    """
    if spec_of(module) is None:
        raise TinymlError(f"{purpose} needs the package `{module}`, which is not installed", module, remedy)


def tensorflow(purpose: str = "Training") -> None:
    """TensorFlow, without the seconds that its import takes.

    Raises:
        TinymlError: it is not installed.
    """
    package("tensorflow", purpose, "Run: pip install 'tinyml-cli[train]'")


def board(name: str, where: str = "--board") -> None:
    """A board that is described, whole.

    Raises:
        TinymlError: see `load_board`.
    """
    from tinyml_cli.boards.boards import load_board

    load_board(name)


def file_name(name: str, where: str, what: str = "file name") -> None:
    """A name that a file or folder can have on every system, and that is not hidden.

    Raises:
        TinymlError: another text.
    """
    if name.partition(".")[0].strip().lower() in DEVICE_NAMES:
        raise TinymlError(
            f"`{name}` is not a valid {what}: Windows reserves it", where, "Choose another name."
        )
    is_plain = (
        is_printable(name) and not set(name) & NOT_IN_NAMES and len(name.encode()) <= _LONGEST_NAME_BYTES
    )
    if not is_plain or name.strip(" ") != name or name.strip(".") != name or not name:
        raise TinymlError(
            f"`{name:.60}` is not a valid {what}",
            where,
            "Use letters, digits, hyphens and underscores, with spaces or dots inside.",
        )


def data_folder(path: Path, where: str = "--data") -> None:
    """A folder of the user's.

    Raises:
        TinymlError: a file, or nothing.
    """
    if path.is_file():
        raise TinymlError(
            f"`{path.name}` is a file, not a folder", where, "Give the folder that contains it."
        )
    if not path.is_dir():
        raise TinymlError("The data folder does not exist", str(path), f"Give {where} an existing folder.")
    if not os.access(path, os.R_OK | os.X_OK):
        raise TinymlError("No permission to read the folder", str(path), "Change its permissions.")


def data(path: Path, where: str = "--data") -> None:
    """A file or a folder of the user's.

    Raises:
        TinymlError: nothing is there, or it may not be read.
    """
    if not path.exists():
        raise TinymlError(
            "There is no such file or folder", str(path), f"Give {where} an existing file or folder."
        )
    if path.is_dir():
        data_folder(path, where)
    elif path.is_file():
        input_file(path, where)
    else:
        raise TinymlError(
            f"`{path}` is neither a file nor a folder", where, f"Give {where} an existing file or folder."
        )


def input_file(path: Path, where: str) -> None:
    """A file of the user's.

    Raises:
        TinymlError: a folder, nothing, or it may not be read.
    """
    if path.is_dir():
        raise TinymlError(f"`{path}` is a folder, not a file", where, "Give a file.")
    if not path.exists():
        raise TinymlError("The file does not exist", str(path), f"Give {where} an existing file.")
    kind = path.stat().st_mode  # a device such as /dev/zero never ends; a pipe of the shell does
    if (stat.S_ISCHR(kind) or stat.S_ISBLK(kind)) and str(path) != os.devnull:
        raise TinymlError(f"`{path}` is a device, not a file", where, "Give a file.")
    if not os.access(path, os.R_OK):
        raise TinymlError("No permission to read the file", str(path), "Change its permissions.")


def output_file(path: Path, where: str = "--out") -> None:
    """A place for a new file; an existing one is overwritten.

    Raises:
        TinymlError: a folder, or the place cannot be written.
    """
    if path.is_dir():
        raise TinymlError(f"`{path}` is a folder", where, f"Give {where} a file name.")
    if path.exists() and not os.access(path, os.W_OK):
        raise TinymlError("No permission to overwrite the file", str(path), f"Give {where} another name.")
    output_folder(path.absolute().parent, where)


def new_file(path: Path, where: str = "--out") -> None:
    """A place for a file that is a user's from then on, so nothing may lie there.

    Raises:
        TinymlError: something does, or the place cannot be written.
    """
    output_file(path, where)
    if path.exists():
        raise TinymlError("The file exists; nothing was written", str(path), f"Give {where} another name.")


def drawing(path: Path, where: str = "--out") -> None:
    """A place for a new picture, or for one that takes the place of a picture of ours.

    Raises:
        TinymlError: a file that was not drawn here, or see `output_file`.
    """
    output_file(path, where)
    if not path.exists():
        return
    with path.open("rb") as stream:
        start = stream.read(_START_BYTES)
    if DRAWN_BY.encode() not in start:
        raise TinymlError(
            "A file that tinyml did not draw lies there; nothing was written",
            str(path),
            f"Give {where} another name.",
        )


def picture(path: Path, where: str = "--out", apart_from: Path | None = None) -> None:
    """A place for a new picture.

    Args:
        path: the place.
        where: the option that names it.
        apart_from: a user's file or folder that is only read.

    Raises:
        TinymlError: a name that is not that of a PNG file, a place among the data, or see `drawing`.
    """
    if apart_from is not None and path.resolve().is_relative_to(apart_from.resolve()):
        raise TinymlError("The picture would lie among the data", str(path), f"Give {where} another place.")
    if path.suffix.lower() != ".png":
        raise TinymlError(
            f"`{path.name}` is not the name of a PNG file",
            where,
            f"Give {where} a name that ends in .png.",
        )
    drawing(path, where)


def output(path: Path, where: str = "--out") -> None:
    """A place for a new file or folder.

    Raises:
        TinymlError: it cannot be written.
    """
    if path.is_file():
        output_file(path, where)
    else:
        output_folder(path, where)


def output_folder(path: Path, where: str = "--out") -> None:
    """A folder that files can be written to, or that can be made.

    Raises:
        TinymlError: a file, or a folder that cannot be written or made.
    """
    place = existing(path)
    if not place.is_dir():
        raise TinymlError(f"`{place}` is a file, not a folder", where, f"Give {where} another folder.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise TinymlError("No permission to write to the folder", str(place), f"Give {where} another folder.")


def reason(text: str | None, where: str, advice: str) -> str | None:
    """Why somebody overrides a check, in one line, so that it cannot pass for another entry of a history.

    Raises:
        TinymlError: an empty one.
    """
    line = None if text is None else " ".join(text.split())
    if line == "":
        raise TinymlError("The reason is empty", where, advice)
    return line


def room(path: Path, needed_bytes: int, what: str) -> None:
    """Room on the disk that a path is on, or will be.

    Raises:
        TinymlError: less than needed is free.
    """
    try:
        free = shutil.disk_usage(existing(path)).free
    except OSError:
        return
    if free < needed_bytes:
        raise TinymlError(
            f"The disk has {free >> 20:,} MB left; {what} need about {-(-needed_bytes >> 20):,} MB",
            str(path),
            "Free some space, or choose a folder on another disk.",
        )


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    place = path.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place
