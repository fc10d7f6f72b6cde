"""Which files of a folder form one recording: a table, a phone app's archive, or one file per sensor."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from tinyml_cli.data import inventory
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.data.series.text import TEXT_EXPANSION, check_size, decode, read_text
from tinyml_cli.errors import TinymlError

T = TypeVar("T")

TABLES = (".csv", ".tsv", ".txt", ".dat", ".log")
ARCHIVE = ".zip"

_SENSOR = re.compile(
    r"((?:total|linear|user)[ _-]?acceleration|accelerometer|acceleration|accel|acc"
    r"|gyroscope|gyrometer|gyro|gyr|gravity|magnetometer|magnetic|orientation|barometer|pressure|location|light"
    r"|annotation|metadata|device|time|pedometer|compass|heartrate|microphone|camera|brightness|battery)"
    r"(uncalibrated)?(?![a-z])",
    re.IGNORECASE,
)
_RATE = re.compile(r"_[\d.]+Hz.*$", re.IGNORECASE)
_PAPERS = ("README", "LICENSE", "LICENCE", "CHANGELOG")
_NO_MOTION = re.compile(r"annotation|metadata|device|^time$", re.IGNORECASE)
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
)


@dataclass(frozen=True)
class Part:
    """A table of one recording.

    Attributes:
        sensor: `acceleration`, `linear`, `rotation`, or empty where the name does not say it.
        where: path, for messages.
        text: gives the content.
    """

    sensor: str
    where: str
    text: Callable[[], str]


@dataclass(frozen=True)
class Source:
    """One recording.

    Attributes:
        path: the file, or the one that holds its acceleration.
        parts: its tables; empty for a format that is no table.
        whole: whether the folder, and not the file, names it.
        beside: the other files that belong to it, read or not.
    """

    path: Path
    parts: tuple[Part, ...] = ()
    whole: bool = False
    beside: tuple[Path, ...] = ()

    def place(self, root: Path) -> tuple[str, str, str]:
        """(name, label, person or machine) by where it lies: LABEL/PERSON/FILE, LABEL/FILE or LABEL.ID.csv.

        The last is empty where no folder names it.
        """
        if self.path == root:
            return self.path.name, self.path.name.partition(".")[0], ""
        inside = self.path.relative_to(root)
        name = (inside.parent if self.whole else inside).as_posix()
        *folders, last = name.split("/")
        if not folders:
            label = root.resolve().name if self.whole and last == "." else last.partition(".")[0]
            return name, label, ""
        return name, folders[0], folders[1] if len(folders) > 1 else ""


def files_in(root: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The files of a folder, or a file, that may be recordings."""
    found = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
    return [
        path
        for path in found
        if path.suffix.lower() in suffixes
        and path.name[0] != "."
        and not path.name.upper().startswith(_PAPERS)
    ]


def unused(
    root: Path, found: Iterable[Source], reasons: Mapping[Path, str], suffixes: tuple[str, ...]
) -> list[LeftOut]:
    """Every file of a folder that is part of no recording.

    Args:
        root: the folder.
        found: its recordings.
        reasons: why files that might be recordings are none.
        suffixes: of such files.
    """
    used = [path for source in found for path in (source.path, *(Path(part.where) for part in source.parts))]
    return inventory.left_out(
        root, used, "recording", suffixes, lambda path: reasons.get(path, inventory.OF_THE_DATA_SET)
    )


def sources(files: list[Path]) -> tuple[list[Source], dict[Path, str]]:
    """The recordings that files make, in their order, and why the others make none.

    Raises:
        TinymlError: a damaged archive.
    """
    tables = [path for path in files if path.suffix.lower() in TABLES]
    groups: dict[tuple[Path, tuple[str, str]], list[Path]] = defaultdict(list)
    for path in tables:
        if (match := _SENSOR.search(path.stem)) is not None:
            groups[path.parent, _key(path.stem, match)].append(path)
    taken: dict[Path, list[Path]] = {}
    beside: dict[Path, tuple[Path, ...]] = {}
    skipped: dict[Path, str] = {}
    for members in groups.values():
        chosen = _choose([(path.stem, path) for path in members])
        moved = bool(chosen) and _sensor(chosen[0].stem) in ("acceleration", "linear")
        if not moved or (len(chosen) < 2 and not any(_other(path.stem) for path in members)):
            continue
        taken[chosen[0]] = chosen
        about = chosen[0].parent / "meta"  # phyphox says there when it was started
        papers = [path for path in tables if path.parent == about]
        skipped |= dict.fromkeys(papers, "it describes the recording")
        beside[chosen[0]] = tuple(path for path in (*members, *papers) if path != chosen[0])
        for path in members:
            if path not in chosen:
                skipped[path] = "another sensor of the same recording"
    joined = {path for chosen in taken.values() for path in chosen[1:]}
    found = []
    for path in files:
        if path in skipped or path in joined:
            continue
        parts = taken.get(path, [path] if path in set(tables) else [])
        if path.suffix.lower() == ARCHIVE:
            found.append(Source(path, _members(path)))
        else:
            match = _SENSOR.search(path.stem) if len(parts) > 1 else None
            whole = match is not None and match.start() == 0
            found.append(Source(path, tuple(_part(each) for each in parts), whole, beside.get(path, ())))
    return found, skipped


def _key(stem: str, match: re.Match[str]) -> tuple[str, str]:
    """What stands before and after the sensor; MbientLab adds a rate of its own to each."""
    return stem[: match.start()], _RATE.sub("", stem[match.end() :])


def _part(path: Path) -> Part:
    return Part(_sensor(path.stem), str(path), lambda: read_text(path))


def _sensor(stem: str) -> str:
    match = _SENSOR.search(stem)
    word = match.group(1).lower() if match else ""
    if word.startswith(("linear", "user")):
        return "linear"
    if word.startswith(("acc", "total")):
        return "acceleration"
    return "rotation" if word.startswith("gyr") else ""


def _other(stem: str) -> bool:
    return _SENSOR.search(stem) is not None and not _sensor(stem)


def _choose(named: list[tuple[str, T]]) -> list[T]:
    """Acceleration (with gravity where a file has it), then rotation."""
    order = ("total", "accelerometer", "acceleration", "accel", "acc", "linear", "user")
    found: dict[str, tuple[int, T]] = {}
    for stem, item in named:
        kind = {"linear": "acceleration"}.get(_sensor(stem), _sensor(stem))
        if not kind or "uncalibrated" in stem.lower():
            continue
        word = _SENSOR.search(stem).group(1).lower()  # type: ignore[union-attr]
        rank = next((i for i, start in enumerate(order) if word.startswith(start)), len(order))
        if kind not in found or rank < found[kind][0]:
            found[kind] = (rank, item)
    return [found[kind][1] for kind in ("acceleration", "rotation") if kind in found]


def _members(path: Path) -> tuple[Part, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [
                name
                for name in archive.namelist()
                if PurePosixPath(name).suffix.lower() in TABLES
                and not _NO_MOTION.search(PurePosixPath(name).stem)
                and "meta" not in PurePosixPath(name).parts
            ]
    except _UNREADABLE as error:
        raise _damaged(path, error) from error
    chosen = _choose([(PurePosixPath(name).stem, name) for name in names]) or names[:1]
    if not chosen or (len(names) > 1 and not _sensor(PurePosixPath(chosen[0]).stem)):
        raise TinymlError(
            f"The archive contains {len(names)} tables, but none is named after an accelerometer",
            str(path),
            "Unpack it, and give the file with the recording.",
        )
    return tuple(
        Part(_sensor(PurePosixPath(name).stem), f"{path}: {name}", lambda name=name: _unpack(path, name))  # type: ignore[misc]
        for name in chosen
    )


def _unpack(path: Path, name: str) -> str:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as stream:
            promised = archive.getinfo(name).file_size
            check_size(promised, TEXT_EXPANSION, f"{path}: {name}")
            return decode(stream.read(promised), f"{path}: {name}")
    except _UNREADABLE as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> TinymlError:
    return TinymlError(
        f"Cannot read the archive: {str(error)[:120]}", str(path), "Export it again, or remove it."
    )
