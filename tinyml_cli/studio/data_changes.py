"""Endpoints that change data: relabel, delete, trim, move away what is bad, and undo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tinyml_cli import checks as names
from tinyml_cli.collect.record_strokes import sheet
from tinyml_cli.data.clip_files import wav_bytes
from tinyml_cli.data.speakers import MARK, has_speaker, speaker_id, speaker_of
from tinyml_cli.datasets import checks, quarantine
from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.endpoints import Asked, Endpoint, Told
from tinyml_cli.http_api.refusals import ConflictError, NotThereError
from tinyml_cli.studio import catalog
from tinyml_cli.studio.data_page import FolderAsked, ItemId, opened, sound_of
from tinyml_cli.studio.history import Content, PastChange
from tinyml_cli.studio.studio import Studio
from tinyml_cli.tasks.wand.strokes import LabelledStroke, read_strokes, strokes_text
from tinyml_cli.wording import counted

_MOST_AT_ONCE = 5000
_SHORTEST_S = 0.05


class VersionedItem(Asked):
    """An item as the page shows it."""

    id: ItemId
    version: str = Field(max_length=100)


ItemList = Annotated[list[VersionedItem], Field(min_length=1, max_length=_MOST_AT_ONCE)]


class DeleteAsked(Asked):
    """Items to delete."""

    items: ItemList


class RelabelAsked(Asked):
    """Items that get another label, another person, or both."""

    items: ItemList
    label: str | None = Field(default=None, max_length=300)
    person: str | None = Field(default=None, max_length=300)


class TrimAsked(Asked):
    """A clip of which a part stays."""

    id: ItemId
    version: str = Field(max_length=100)
    start_s: float = Field(ge=0, le=1e6)
    end_s: float = Field(gt=0, le=1e6)


class UndoAsked(Asked):
    """A change to take back; the last by default."""

    number: int | None = Field(default=None, ge=1, le=10**9)


class ChangeTold(Told):
    """A change that was made."""

    number: int = Field(description="undo takes it")
    what: str
    time_s: float


class ChangesAsked(Asked):
    """How many changes are of interest."""

    most: int = Field(default=300, ge=1, le=1000)


class ChangesTold(Told):
    """What can be undone, the newest first."""

    changes: list[ChangeTold]


class MovedTold(Told):
    """How many files were moved out of a data folder, or back."""

    moved: int


def _delete(studio: Studio, asked: DeleteAsked) -> ChangeTold:
    files, strokes = _split(studio, asked.items)
    with studio.changing(_folder_of(studio, asked.items)):
        _check_versions(studio, asked.items)
        becomes: dict[Path, Content] = dict.fromkeys(files)
        for path, numbers in strokes.items():
            becomes |= _strokes_file(path, _without(read_strokes(path), numbers))
        return _made(studio, f"Deleted {counted(len(asked.items), 'item')}", becomes)


def _relabel(studio: Studio, asked: RelabelAsked) -> ChangeTold:
    if asked.label is None and asked.person is None:
        raise TinymlError("Neither a label nor a person is given", "label", "Give the new one.")
    if asked.label is not None:
        names.file_name(asked.label, "label", "label")
    person = None if asked.person is None else speaker_id(asked.person, "person")
    files, strokes = _split(studio, asked.items)
    with studio.changing(_folder_of(studio, asked.items)) as folder:
        _check_versions(studio, asked.items)
        becomes: dict[Path, Content] = {}
        for path in files:
            target = studio.checked(_target(folder, path, asked.label, person, becomes))
            if target != path:
                becomes |= {path: None, target: path}
        for path, numbers in strokes.items():
            becomes |= _relabelled_strokes(folder, path, numbers, asked.label, person, becomes)
        if not becomes:
            raise TinymlError("The items have this label already", asked.label or "", "Choose another one.")
        what = " and ".join(text for text in (asked.label, person) if text)
        return _made(studio, f"{counted(len(asked.items), 'item')} → {what}", becomes)


def _trim(studio: Studio, asked: TrimAsked) -> ChangeTold:
    path = studio.existing(asked.id)
    if path.suffix.lower() not in catalog.kinds()["sound"]:
        raise TinymlError("Only clips can be trimmed", asked.id, "Delete it and record it again.")
    with studio.changing(_folder_of(studio, [asked])):
        catalog.check_version(path, asked.version)
        sound = sound_of(path, asked.id)
        start, end = (round(seconds * sound.rate_hz) for seconds in (asked.start_s, asked.end_s))
        kept = sound.audio[start:end]
        if len(kept) < _SHORTEST_S * sound.rate_hz:
            raise TinymlError(
                f"Less than {_SHORTEST_S:g} s would be left",
                asked.id,
                "Choose a later end or an earlier start.",
            )
        content = wav_bytes(kept, sound.rate_hz)
        target = path.with_suffix(".wav")
        becomes: dict[Path, Content] = {target: content} if target == path else {path: None, target: content}
        if target != path and target.exists():
            raise ConflictError(f"`{target.name}` exists already", asked.id, "Rename one of them.")
        return _made(studio, f"Trimmed {path.name}", becomes)


def _undo(studio: Studio, asked: UndoAsked) -> ChangeTold:
    with studio.writing:
        change = studio.history.find(asked.number)
        with studio.changing(studio.root / Path(change.places[0]).parts[0] if change.places else studio.root):
            undone = studio.history.undo(change.number)
        return _told(undone)


def _changes(studio: Studio, asked: ChangesAsked) -> ChangesTold:
    with studio.writing:
        return ChangesTold(changes=[_told(each) for each in studio.history.past(asked.most)])


def _move_away(studio: Studio, asked: FolderAsked) -> MovedTold:
    folder, *_ = opened(studio, asked.folder)
    with studio.changing(folder):
        report = checks.check(folder, checks.CheckSettings())
        return MovedTold(moved=quarantine.move_away(folder, report.to_move))


def _move_back(studio: Studio, asked: FolderAsked) -> MovedTold:
    folder = studio.inside(asked.folder)
    if not quarantine.quarantine_of(folder).is_dir():
        raise NotThereError("No files were moved out of it", asked.folder, "There is nothing to undo.")
    with studio.changing(folder):
        return MovedTold(moved=quarantine.undo(folder).restored)


def _folder_of(studio: Studio, items: Sequence[VersionedItem | TrimAsked]) -> Path:
    """The one data folder that all items lie in."""
    folders = {studio.inside(item.id).relative_to(studio.root).parts[0] for item in items}
    if len(folders) != 1:
        raise TinymlError("The items lie in several data folders", "items", "Change one folder at a time.")
    name = folders.pop()
    if catalog.is_other(name):
        raise NotThereError(f"`{name}` is no data folder", name, "Reload the page.")
    return studio.root / name


def _split(studio: Studio, items: Sequence[VersionedItem]) -> tuple[list[Path], dict[Path, set[int]]]:
    """Files that are items themselves, and the numbers of strokes by file."""
    files: dict[Path, None] = {}
    strokes: dict[Path, set[int]] = defaultdict(set)
    known = frozenset().union(*catalog.kinds().values())
    for item in items:
        place, mark, number = item.id.partition("#")
        path = studio.existing(place)
        is_item = len(path.relative_to(studio.root).parts) >= (2 if mark else 3) and path.is_file()
        if not is_item or path.suffix.lower() not in known or (mark and not number.isdecimal()):
            raise NotThereError(f"`{item.id}` is no item", item.id, "Reload the page.")
        if mark:
            strokes[path].add(int(number))
        else:
            files[path] = None
    return list(files), dict(strokes)


def _check_versions(studio: Studio, items: Sequence[VersionedItem]) -> None:
    for item in items:
        catalog.check_version(studio.existing(item.id.partition("#")[0]), item.version)


def _made(studio: Studio, what: str, becomes: dict[Path, Content]) -> ChangeTold:
    return _told(studio.history.change(what, becomes))


def _told(change: PastChange) -> ChangeTold:
    return ChangeTold(number=change.number, what=change.what, time_s=change.time_s)


def _target(
    folder: Path, path: Path, label: str | None, person: str | None, taken: dict[Path, Content]
) -> Path:
    """Where a file lies under another label or person, under a name that is free."""
    *folders, name = path.relative_to(folder).parts
    at = folders.index(catalog.label_of(folders))
    folders[at] = label or folders[at]
    stem, suffix = Path(name).stem, path.suffix
    if person is not None and suffix.lower() in catalog.kinds()["motion"]:  # LABEL/PERSON/FILE
        folders[at + 1 :] = [person]
    elif person is not None or has_speaker(path):
        stem = f"{person or speaker_of(path)}{MARK}"
    start = folder.joinpath(*folders)
    if start == path.parent and (stem == path.stem or stem == f"{speaker_of(path)}{MARK}"):
        return path
    is_numbered = stem.endswith(MARK)
    candidate, number = start / (f"{stem}0{suffix}" if is_numbered else name), 0
    while candidate.exists() or candidate in taken:
        number += 1
        candidate = start / f"{stem}{'' if is_numbered else '-'}{number}{suffix}"
    return candidate


def _without(strokes: list[LabelledStroke], numbers: set[int]) -> list[LabelledStroke]:
    return [stroke for number, stroke in enumerate(strokes) if number not in numbers]


def _relabelled_strokes(
    folder: Path,
    path: Path,
    numbers: set[int],
    label: str | None,
    person: str | None,
    becoming: dict[Path, Content],
) -> dict[Path, Content]:
    """The file without these strokes, and the files of their new labels with them."""
    strokes = read_strokes(path)
    moved: dict[Path, list[LabelledStroke]] = defaultdict(list)
    for number in sorted(numbers & set(range(len(strokes)))):
        old = strokes[number]
        new = LabelledStroke(old.points, label or old.label, "", person or old.person)
        moved[folder / f"{new.label}_{new.person or 'me'}.json"].append(new)
    found: dict[Path, Content] = _strokes_file(path, _without(strokes, numbers))
    for target, added in moved.items():
        if target in becoming or target == path:
            raise TinymlError(
                "These strokes have to be changed one file at a time", path.name, "Choose fewer."
            )
        before = read_strokes(target) if target.exists() else []
        found |= _strokes_file(target, [*before, *added])
    return found


def _strokes_file(path: Path, strokes: list[LabelledStroke]) -> dict[Path, Content]:
    """A file of strokes and the picture beside it, as `data record strokes` writes them."""
    picture = path.with_suffix(".png")
    if not strokes:
        return {path: None, picture: None} if picture.exists() else {path: None}
    return {path: strokes_text(strokes).encode(), picture: sheet([stroke.points for stroke in strokes])}


ENDPOINTS = (
    Endpoint("POST", "/api/data/delete", _delete, "Delete items", takes=DeleteAsked, gives=ChangeTold),
    Endpoint(
        "POST", "/api/data/relabel", _relabel, "Give another label", takes=RelabelAsked, gives=ChangeTold
    ),
    Endpoint("POST", "/api/data/trim", _trim, "Keep a part of a clip", takes=TrimAsked, gives=ChangeTold),
    Endpoint("POST", "/api/data/undo", _undo, "Take back a change", takes=UndoAsked, gives=ChangeTold),
    Endpoint(
        "GET", "/api/data/changes", _changes, "What can be undone", takes=ChangesAsked, gives=ChangesTold
    ),
    Endpoint(
        "POST", "/api/data/move-away", _move_away, "Move bad files away", takes=FolderAsked, gives=MovedTold
    ),
    Endpoint("POST", "/api/data/move-back", _move_back, "Move them back", takes=FolderAsked, gives=MovedTold),
)
