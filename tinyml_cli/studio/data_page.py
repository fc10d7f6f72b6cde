"""Endpoints of the page Data: what there is, one item, the map, and what a check finds."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from starlette.responses import FileResponse, Response

from tinyml_cli.data.audio_file import Sound, UnreadableAudioError, read_sound
from tinyml_cli.data.clip_files import wav_bytes
from tinyml_cli.data.inventory import counts
from tinyml_cli.datasets import checks
from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.endpoints import Asked, Endpoint, Told
from tinyml_cli.http_api.refusals import NotThereError
from tinyml_cli.images import image_file
from tinyml_cli.studio import catalog, item_features, item_map
from tinyml_cli.studio.catalog import DataKindName, StoredItem
from tinyml_cli.studio.stored_motion import values_of
from tinyml_cli.studio.studio import Studio
from tinyml_cli.tasks.wand.strokes import read_strokes

PathText = Annotated[str, Field(min_length=1, max_length=1000)]
ItemId = Annotated[str, Field(min_length=1, max_length=1100, description="path; of a stroke with #number")]

_MOST_ITEMS = 500
_WAVE_POINTS = 600
_PICTURE_SIDE = 640


class LabelTold(Told):
    """A label of a data folder."""

    name: str
    n: int
    people: int


class FolderTold(Told):
    """A data folder."""

    name: str
    kind: DataKindName
    n: int
    labels: list[LabelTold]
    people: list[str]


class FoldersTold(Told):
    """Every data folder directly below the studio's folder."""

    folders: list[FolderTold]
    is_data: bool = Field(description="the studio's folder is a data folder itself")


class FolderAsked(Asked):
    """One of them."""

    folder: PathText


class ItemsAsked(Asked):
    """Some items of a data folder."""

    folder: PathText
    label: str | None = Field(default=None, max_length=300)
    person: str | None = Field(default=None, max_length=300)
    offset: int = Field(default=0, ge=0, le=10_000_000)
    limit: int = Field(default=60, ge=1, le=_MOST_ITEMS)


class ItemTold(Told):
    """A clip, a picture, a recording of motion, or a stroke."""

    id: ItemId
    label: str
    person: str
    version: str = Field(description="changes with its content; a change has to name it")
    time_s: float = Field(description="seconds since 1970")


class ItemsTold(Told):
    """Items, the newest first."""

    kind: DataKindName
    total: int = Field(description="with this label and person")
    items: list[ItemTold]


class ItemAsked(Asked):
    """One item."""

    id: ItemId


class LinesTold(Told):
    """A stroke, or a recording of motion, to be drawn."""

    lines: list[list[float]] = Field(description="x and y of a stroke; each axis of motion")
    names: list[str]


class PointTold(Told):
    """An item on the map."""

    id: ItemId
    version: str
    x: float
    y: float
    label: int = Field(description="index into the labels")
    outlier: bool = Field(description="far from the others of its label")
    stranger: int | None = Field(description="the label that nearly all its neighbours have")
    twin: int | None = Field(description="an earlier point with the same features")


class MapAsked(FolderAsked):
    """A data folder, and what brings its items beside each other."""

    by: item_map.Layout = "neighbours"


class MapTold(Told):
    """Items on a plane: alike lies beside alike."""

    labels: list[str]
    explained: float = Field(description="share of the variance that two principal components show")
    points: list[PointTold]
    unreadable: int


class FindingTold(Told):
    """Something that a check finds."""

    kind: str
    severity: Literal["bad", "note"]
    meaning: str
    place: str
    detail: str
    item: ItemTold | None = Field(description="what can be mended; null: a folder, or no item")


class CheckTold(Told):
    """What `tinyml data check` finds."""

    kind: str
    n: int
    bad_files: int
    findings: list[FindingTold]
    left_out: dict[str, int]


def _folders(studio: Studio) -> FoldersTold:
    folders = [_folder(*each) for each in catalog.data_folders(studio.root)]
    return FoldersTold(folders=folders, is_data=not folders and catalog.kind_of(studio.root) is not None)


def _folder(name: str, kind: DataKindName, items: Sequence[StoredItem]) -> FolderTold:
    amounts = Counter(item.label for item in items)
    people = {(item.label, item.person) for item in items if item.person}
    labels = [
        LabelTold(name=label, n=amounts[label], people=sum(each == label for each, _ in people))
        for label in sorted(amounts)
    ]
    names = sorted({person for _, person in people})
    return FolderTold(name=name, kind=kind, n=len(items), labels=labels, people=names)


def opened(studio: Studio, name: str) -> tuple[Path, DataKindName, list[StoredItem]]:
    """A data folder, its kind, and its items.

    Raises:
        NotThereError: there is none of that name.
    """
    path = studio.existing(name)
    found = catalog.opened(studio.root, path) if path.is_dir() else None
    if found is None:
        raise NotThereError(f"`{name}` is no data folder", name, "Record something into it first.")
    return path, *found


def _items(studio: Studio, asked: ItemsAsked) -> ItemsTold:
    _, kind, items = opened(studio, asked.folder)
    wanted = [
        item for item in items if asked.label in (None, item.label) and asked.person in (None, item.person)
    ]
    shown = wanted[asked.offset : asked.offset + asked.limit]
    return ItemsTold(kind=kind, total=len(wanted), items=[item_told(item) for item in shown])


def item_told(item: StoredItem) -> ItemTold:
    """An item as pages are told of it."""
    return ItemTold(
        id=item.id, label=item.label, person=item.person, version=item.version, time_s=item.time_s
    )


def _file(studio: Studio, asked: ItemAsked) -> Response:
    """A clip as WAV, a picture as JPEG: whatever the file is, a browser can show it and runs none of it."""
    path = studio.existing(asked.id)
    suffix, kinds = path.suffix.lower(), catalog.kinds()
    if suffix in kinds["sound"] and path.is_file():
        if suffix == ".wav":
            return FileResponse(path, media_type="audio/wav")
        sound = sound_of(path, asked.id)
        return Response(wav_bytes(sound.audio, sound.rate_hz), media_type="audio/wav")
    if suffix in kinds["images"] and path.is_file():
        return Response(_jpeg(path), media_type="image/jpeg")
    raise NotThereError(f"`{asked.id}` is neither sound nor an image", asked.id, "Reload the page.")


def sound_of(path: Path, item: str) -> Sound:
    """The sound of a clip.

    Raises:
        TinymlError: it cannot be read.
    """
    try:
        return read_sound(path)
    except UnreadableAudioError as error:
        raise TinymlError(f"Cannot be read: {error}", item, "Delete it.") from error


def _jpeg(path: Path) -> bytes:
    from PIL import Image

    try:
        pixels = image_file.decode(image_file.read_bytes(path), 1).pixels
    except image_file.UnreadableImageError as error:
        raise TinymlError(f"Cannot be read: {error}", path.name, "Delete it.") from error
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _lines(studio: Studio, asked: ItemAsked) -> LinesTold:
    place, _, number = asked.id.partition("#")
    path = studio.existing(place)
    if number:
        strokes = read_strokes(path)
        if not number.isdecimal() or int(number) >= len(strokes):
            raise NotThereError(f"There is no stroke {number[:20]}", place, "Reload the page.")
        return LinesTold(lines=strokes[int(number)].points.T.astype(float).tolist(), names=["x", "y"])
    values, names = values_of(path)
    rows = np.linspace(0, len(values) - 1, min(len(values), _WAVE_POINTS)).astype(int)
    lines = np.round(np.nan_to_num(values[rows].astype(float)), 4).T.tolist()
    return LinesTold(lines=lines, names=list(names))


def _map(studio: Studio, asked: MapAsked) -> MapTold:
    folder, kind, items = opened(studio, asked.folder)
    rows, vectors = item_features.features(studio.root, folder, kind, items)
    readable = [items[row] for row in rows]
    labels = sorted({item.label for item in items})
    of_label = {label: index for index, label in enumerate(labels)}
    numbers = [of_label[item.label] for item in readable]
    found = item_map.plane(vectors, numbers, asked.by)
    points = [
        PointTold.model_construct(
            id=item.id,
            version=item.version,
            x=round(float(found.at[index, 0]), 4),
            y=round(float(found.at[index, 1]), 4),
            label=numbers[index],
            outlier=bool(found.outliers[index]),
            stranger=None if found.strangers[index] < 0 else int(found.strangers[index]),
            twin=None if found.twins[index] < 0 else int(found.twins[index]),
        )
        for index, item in enumerate(readable)
    ]
    return MapTold(
        labels=labels, explained=found.explained, points=points, unreadable=len(items) - len(readable)
    )


def _check(studio: Studio, asked: FolderAsked) -> CheckTold:
    folder, _, found = opened(studio, asked.folder)
    report = checks.check(folder, checks.CheckSettings())
    items = {item.id: item for item in found}
    findings = []
    for finding in report.findings:
        severity, meaning = report.kind.findings[finding.kind]
        item = items.get(f"{asked.folder}/{finding.place.as_posix()}")
        findings.append(
            FindingTold(
                kind=finding.kind,
                severity=severity,
                meaning=meaning,
                place=finding.place.as_posix(),
                detail=finding.detail,
                item=item_told(item) if item else None,
            )
        )
    return CheckTold(
        kind=report.kind.name,
        n=len(report.items),
        bad_files=len(report.bad_files),
        findings=findings,
        left_out=counts(report.left_out),
    )


ENDPOINTS = (
    Endpoint("GET", "/api/data", _folders, "Every data folder", gives=FoldersTold),
    Endpoint("GET", "/api/data/items", _items, "Items of a data folder", takes=ItemsAsked, gives=ItemsTold),
    Endpoint("GET", "/api/data/file", _file, "A clip as WAV, a picture as JPEG", takes=ItemAsked),
    Endpoint(
        "GET", "/api/data/lines", _lines, "A stroke or motion to draw", takes=ItemAsked, gives=LinesTold
    ),
    Endpoint("GET", "/api/data/map", _map, "Items on a plane", takes=MapAsked, gives=MapTold),
    Endpoint("GET", "/api/data/check", _check, "What a check finds", takes=FolderAsked, gives=CheckTold),
)
