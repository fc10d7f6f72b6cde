"""Which files of a folder form one recording: a table, a phone app's archive, or one file per sensor."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

from tinyml_cli.data import inventory
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.data.series.contents import HEAD_BYTES, sensor_in
from tinyml_cli.data.series.table import TABLES
from tinyml_cli.data.series.text import TEXT_EXPANSION, check_size, decode, read_text
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

T = TypeVar("T")

ARCHIVE = ".zip"

_SENSOR = re.compile(
    r"((?:total|linear|user)[ _-]?acceleration|accelerometer|acceleration|accel|acc"
    r"|gyroscope|gyrometer|gyro|gyr|gravity|magnetometer|magnetic|orientation|barometer|pressure|location|light"
    r"|annotation|metadata|device|time|pedometer|compass|heartrate|microphone|camera|brightness|battery)"
    r"(uncalibrated)?(?![a-z])",
    re.IGNORECASE,
)
_ORDER = ("total", "accelerometer", "acceleration", "accel", "acc", "linear", "user")
# An app writes no more tables of one recording; a folder of recordings has more.
_MOST_SENSORS = 16
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
class RecordedTable:
    """A table of one recording.

    Attributes:
        sensor: `acceleration`, `linear`, `gravity`, `rotation`, or empty where the name does not say it.
        where: path, for messages.
        text: gives the content.
    """

    sensor: str
    where: str
    text: Callable[[], str]


@dataclass(frozen=True)
class _Candidate(Generic[T]):
    """A table that may be part of a recording, and how it begins."""

    stem: str
    item: T
    head: Callable[[], bytes]

    def holds(self) -> str:
        return sensor_in(self.head(), self.stem, _sensor(self.stem))


@dataclass(frozen=True)
class SeriesSource:
    """One recording.

    Attributes:
        path: the file, or the one that holds its acceleration.
        parts: its tables; empty for a format that is no table.
        whole: whether the folder, and not the file, names it.
        beside: the other files that belong to it, read or not.
    """

    path: Path
    parts: tuple[RecordedTable, ...] = ()
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
    root: Path,
    found: Iterable[SeriesSource],
    reasons: Mapping[Path, str],
    suffixes: tuple[str, ...],
    refused: Mapping[Path, TinymlError] | None = None,
) -> list[LeftOut]:
    """Every file of a folder that is part of no recording.

    Args:
        root: the folder.
        found: its recordings.
        reasons: why files that might be recordings are none.
        suffixes: of such files.
        refused: what is wrong with files that could not be read; recordings that begin with them are unused.
    """
    why = dict(reasons)
    why |= {path: error.what for path, error in (refused or {}).items()}
    used: list[Path] = []
    for source in found:
        files = [source.path, *(Path(part.where) for part in source.parts)]
        if source.path in (refused or {}):
            why |= dict.fromkeys(files, why[source.path])
        else:
            used += files
    return inventory.left_out(
        root, used, "recording", suffixes, lambda path: why.get(path, inventory.OF_THE_DATA_SET)
    )


def sources(
    files: list[Path], refused: dict[Path, TinymlError] | None = None
) -> tuple[list[SeriesSource], dict[Path, str]]:
    """The recordings that files make, in their order, and why the others make none.

    Args:
        files: tables, archives and acquisitions.
        refused: collects what is wrong with single archives, which are then left out.

    Raises:
        TinymlError: a damaged archive.
    """
    tables = [path for path in files if path.suffix.lower() in TABLES]
    papers = _papers(tables)
    skipped = dict.fromkeys(papers, "it describes the recording")
    tables = [path for path in tables if path not in skipped]
    taken: dict[Path, list[Path]] = {}
    beside: dict[Path, tuple[Path, ...]] = {}
    for members, chosen in _groups(tables):
        about = [path for path in papers if path.parent.parent == chosen[0].parent]
        taken[chosen[0]] = chosen
        beside[chosen[0]] = tuple(path for path in (*members, *about) if path != chosen[0])
        for path in members:
            if path not in chosen:
                skipped[path] = "another sensor of the same recording"
    joined = {path for chosen in taken.values() for path in chosen[1:]}
    found = []
    for path in files:
        if path in skipped or path in joined:
            continue
        if path.suffix.lower() == ARCHIVE:
            try:
                found.append(SeriesSource(path, _members(path)))
            except TinymlError as error:
                if refused is None:
                    raise
                refused[path] = error
            continue
        parts = taken.get(path, [path] if path.suffix.lower() in TABLES else [])
        match = _SENSOR.search(path.stem) if len(parts) > 1 else None
        whole = len(parts) > 1 and (match is None or match.start() == 0)
        found.append(SeriesSource(path, tuple(_part(each) for each in parts), whole, beside.get(path, ())))
    return found, skipped


def _papers(tables: list[Path]) -> list[Path]:
    """Tables in a folder `meta`, in which phyphox says when and by what its recording was made."""
    return [path for path in tables if path.parent.name == "meta" and path.stem in ("device", "time")]


def _groups(tables: list[Path]) -> list[tuple[list[Path], list[Path]]]:
    """(all its tables, those to read) of each recording in several files: by names, else by contents."""
    named: dict[tuple[Path, tuple[str, str]], list[Path]] = defaultdict(list)
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for path in tables:
        by_folder[path.parent].append(path)
        if (match := _SENSOR.search(path.stem)) is not None:
            named[path.parent, _key(path.stem, match)].append(path)
    result = []
    for members in named.values():
        chosen = _choose([_of_path(path) for path in members])
        moved = bool(chosen) and _sensor(chosen[0].stem) in ("acceleration", "linear")
        if moved and (len(chosen) > 1 or any(_other(path.stem) for path in members)):
            result.append((members, chosen))
    done = {path.parent for members, _ in result for path in members}
    for folder, members in by_folder.items():
        if folder not in done and 1 < len(members) <= _MOST_SENSORS:
            chosen = _choose_by_contents([_of_path(path) for path in members])
            if len(chosen) > 1:
                result.append((members, chosen))
    return result


def _of_path(path: Path) -> _Candidate[Path]:
    return _Candidate(path.stem, path, lambda: _head(path))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError:
        return b""  # reading it says why


def _key(stem: str, match: re.Match[str]) -> tuple[str, str]:
    """What stands before and after the sensor; MbientLab adds a rate of its own to each."""
    return stem[: match.start()], _RATE.sub("", stem[match.end() :])


def _part(path: Path) -> RecordedTable:
    return RecordedTable(_sensor(path.stem), str(path), lambda: read_text(path))


def _sensor(stem: str) -> str:
    match = _SENSOR.search(stem)
    word = match.group(1).lower() if match else ""
    if word.startswith(("linear", "user")):
        return "linear"
    if word.startswith(("acc", "total")):
        return "acceleration"
    return "rotation" if word.startswith("gyr") else "gravity" if word == "gravity" else ""


def _other(stem: str) -> bool:
    return _SENSOR.search(stem) is not None and _sensor(stem) in ("", "gravity")


def _choose(named: list[_Candidate[T]]) -> list[T]:
    """Acceleration (with gravity where a file has it, else beside the file of gravity), then rotation."""
    found: dict[str, list[_Candidate[T]]] = defaultdict(list)
    for each in named:
        if kind := _sensor(each.stem):
            found["acceleration" if kind == "linear" else kind].append(each)
    chosen = {kind: _best(candidates) for kind, candidates in found.items()}
    if "gravity" in chosen and not ("acceleration" in chosen and chosen["acceleration"].holds() == "linear"):
        del chosen["gravity"]
    return [chosen[kind].item for kind in ("acceleration", "gravity", "rotation") if kind in chosen]


def _best(candidates: list[_Candidate[T]]) -> _Candidate[T]:
    several = len(candidates) > 1
    return min(candidates, key=lambda each: (several and each.holds() == "linear", _rank(each.stem)))


def _rank(stem: str) -> tuple[bool, int]:
    word = _SENSOR.search(stem).group(1).lower()  # type: ignore[union-attr]
    return "uncalibrated" in stem.lower(), next(
        (i for i, start in enumerate(_ORDER) if word.startswith(start)), len(_ORDER)
    )


def _choose_by_contents(candidates: list[_Candidate[T]]) -> list[T]:
    """Acceleration, then rotation; nothing where several tables may be either."""
    held: dict[str, list[_Candidate[T]]] = defaultdict(list)
    for each in candidates:
        held[each.holds()].append(each)
    forces = held["acceleration"] or held["linear"]
    if len(forces) != 1 or len(held["linear"]) > 1 or len(held["rotation"]) > 1:
        return []
    return [each.item for each in (*forces, *held["rotation"])]


def _members(path: Path) -> tuple[RecordedTable, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [PurePosixPath(name) for name in archive.namelist() if not name.endswith("/")]
    except _UNREADABLE as error:
        raise _damaged(path, error) from error
    names = [
        name
        for name in inside
        if name.suffix.lower() in TABLES
        and not _NO_MOTION.search(name.stem)
        and not {"meta", "__MACOSX"} & set(name.parts)
    ]
    named = [_Candidate(name.stem, name, lambda name=name: _unpack(path, name, HEAD_BYTES)) for name in names]  # type: ignore[misc]
    chosen = _choose(named)
    if not chosen or _sensor(chosen[0].stem) == "rotation":
        chosen = _choose_by_contents(named) or (names if len(names) == 1 else [])
    if not chosen or len({name.parent for name in names}) > 1:
        all_names = [f"`{name}`" for name in names or inside]
        holds = ", ".join([*all_names[:3], *(["…"] if len(all_names) > 3 else [])])
        raise TinymlError(
            f"The archive does not hold one recording of a phone, but "
            f"{counted(len(all_names), 'file')}{f' ({holds})' if holds else ''}",
            str(path),
            "Unpack it, and give the folder.",
        )
    return tuple(
        RecordedTable(
            _sensor(name.stem),
            f"{path}: {name}",
            lambda name=name: decode(_unpack(path, name), f"{path}: {name}"),  # type: ignore[misc]
        )
        for name in chosen
    )


def _unpack(path: Path, name: PurePosixPath, most: int | None = None) -> bytes:
    """What a member holds, up to `most` bytes."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(str(name)) as stream:
            promised = archive.getinfo(str(name)).file_size
            if most is None:
                check_size(promised, TEXT_EXPANSION, f"{path}: {name}")
            return stream.read(promised if most is None else most)
    except _UNREADABLE as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> TinymlError:
    return TinymlError(
        f"Cannot read the archive: {str(error)[:120]}", str(path), "Export it again, or remove it."
    )
