"""Endpoints that store takes, exactly as `data record` does; a phone may call these and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tinyml_cli import checks, temporary
from tinyml_cli.collect import record_images, record_strokes, record_words
from tinyml_cli.collect.record_motion import MotionPlan
from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio
from tinyml_cli.data.clip_files import save_clip, takes_of
from tinyml_cli.data.speakers import speaker_id
from tinyml_cli.errors import TinymlError
from tinyml_cli.features import motion
from tinyml_cli.http_api.endpoints import Asked, Endpoint, Told, Upload
from tinyml_cli.images import image_file
from tinyml_cli.studio import catalog
from tinyml_cli.studio.catalog import DataKindName
from tinyml_cli.studio.studio import Studio

RATE_HZ = 16_000
"""Of stored clips, as of `data record words`."""

Name = Annotated[str, Field(min_length=1, max_length=120)]

# 30 s of stereo at 48 kHz; a picture of 12 megapixels as PNG; ten minutes of motion at 400 Hz.
_SOUND = Upload("audio/wav", 6 << 20)
_PICTURE = Upload("image/png", 24 << 20)
_MOTION = Upload("application/octet-stream", 4 << 20)
_AXES = 6


class WordAsked(Asked):
    """Where a take of a word goes."""

    folder: Name
    word: Name
    speaker: Name
    keep: Literal["good", "always", "never"] = Field(
        default="good", description="good: a take without faults; the others are only judged"
    )


class WordTold(Told):
    """A judged take of a word."""

    kept: bool
    id: str | None = Field(description="of the clip")
    version: str | None
    faults: list[str]
    start_s: float = Field(description="of the word in the take")
    end_s: float
    level_dbfs: float
    floor_dbfs: float
    clips: int = Field(description="of this word by this speaker, now")


class SoundAsked(Asked):
    """Where a take of a machine goes."""

    folder: Name
    label: Name
    source: Name


class PictureAsked(Asked):
    """Where a picture goes."""

    folder: Name
    label: Name


class MotionAsked(Asked):
    """Where a take of motion goes."""

    folder: Name
    label: Name
    person: Name
    rate_hz: float = Field(ge=10, le=1000)
    strokes: bool = Field(default=False, description="store the strokes between rests, not the motion")


class StoredTold(Told):
    """What was stored."""

    kept: int = Field(description="takes stored now")
    n: int = Field(description="of this label, now; strokes and motion: by this person")
    strokes: list[list[list[float]]] = Field(description="x and y of each stroke, to be drawn")


def _word(studio: Studio, asked: WordAsked, content: bytes) -> WordTold:
    folder = _folder(studio, asked.folder, "sound")
    plan = record_words.plan_of([asked.word], asked.speaker, folder, None, 2.0, 0.0, 1000, True)
    take = _decoded(content)
    cut = plan.cut(take, RATE_HZ)
    path = None
    studio.checked(folder / asked.word)
    if asked.keep == "always" or (asked.keep == "good" and not cut.faults):
        with studio.changing(folder):
            path = plan.keep(asked.word, cut, RATE_HZ)
    return WordTold(
        kept=path is not None,
        id=studio.named(path) if path else None,
        version=catalog.version_of(path) if path else None,
        faults=list(cut.faults),
        start_s=cut.word_start / RATE_HZ,
        end_s=cut.word_end / RATE_HZ,
        level_dbfs=cut.level_dbfs,
        floor_dbfs=cut.floor_dbfs,
        clips=plan.clips(asked.word),
    )


def _sound(studio: Studio, asked: SoundAsked, content: bytes) -> StoredTold:
    folder = _folder(studio, asked.folder, "sound")
    checks.file_name(asked.label, "label")
    source = speaker_id(asked.source, "source")
    take = _decoded(content)
    place = studio.checked(folder / asked.label)
    is_silent = not take.size or bool((take == take[0]).all())
    if not is_silent:
        with studio.changing(folder):
            save_clip(place, source, take, RATE_HZ)
    return StoredTold(kept=int(not is_silent), n=len(takes_of(place, source)), strokes=[])


def _decoded(content: bytes) -> NDArray[np.int16]:
    with temporary.folder("take") as name:
        path = Path(name) / "take.wav"
        path.write_bytes(content)
        try:
            return read_audio(path, RATE_HZ)
        except UnreadableAudioError as error:
            raise TinymlError(f"The take cannot be read: {error}", "take", "Record it again.") from error


def _picture(studio: Studio, asked: PictureAsked, content: bytes) -> StoredTold:
    folder = _folder(studio, asked.folder, "images")
    plan = record_images.plan_of((asked.label,), folder, None, 0.0, 0.0)
    try:
        frame = image_file.decode(content).pixels
    except image_file.UnreadableImageError as error:
        raise TinymlError(f"The picture cannot be read: {error}", "picture", "Take it again.") from error
    studio.checked(folder / asked.label)
    is_blank = record_images.is_blank(frame)
    if not is_blank:
        with studio.changing(folder):
            plan.keep(asked.label, frame)
    return StoredTold(kept=int(not is_blank), n=plan.images(asked.label), strokes=[])


def _motion(studio: Studio, asked: MotionAsked, content: bytes) -> StoredTold:
    if not content or len(content) % (2 * _AXES):
        raise TinymlError(
            f"{len(content)} bytes are no whole samples", "take", f"Send int16 in rows of {_AXES}."
        )
    samples = np.frombuffer(content, "<i2").reshape(-1, _AXES).astype(np.int16)
    person = speaker_id(asked.person, "person")
    if not asked.strokes:
        folder = _folder(studio, asked.folder, "motion")
        motions = MotionPlan(asked.label, person, folder)
        studio.checked(folder / asked.label / person)
        with studio.changing(folder):
            motions.keep(samples, asked.rate_hz)
        return StoredTold(kept=1, n=motions.takes(), strokes=[])
    folder = _folder(studio, asked.folder, "strokes")
    plan = record_strokes.plan_of((asked.label,), person, folder, None)
    found = [points for points in motion.strokes_of(samples, asked.rate_hz) if len(points)]
    if found:
        with studio.changing(folder):
            for points in found:
                plan.keep(asked.label, points)
    drawn = [points.T.astype(float).tolist() for points in found]
    return StoredTold(kept=len(found), n=len(plan.strokes(asked.label)), strokes=drawn)


def _folder(studio: Studio, name: str, kind: DataKindName) -> Path:
    """The data folder that takes go to; it need not be there.

    Raises:
        TinymlError: a name that no folder can have, or one that holds other data.
    """
    checks.file_name(name, "folder", "folder name")
    folder = studio.inside(name)
    if catalog.is_other(name):
        raise TinymlError(f"`{name}` is no place for data", "folder", "Choose another name.")
    if folder.is_file():
        raise TinymlError("The target is a file", name, "Choose another name.")
    if folder.is_dir() and (other := catalog.kind_of(folder)) not in (None, kind):
        raise TinymlError(f"`{name}` holds {other}", "folder", f"Choose another folder for {kind}.")
    return folder


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/take/word",
        _word,
        "Store a take of a word",
        takes=WordAsked,
        gives=WordTold,
        upload=_SOUND,
        role="recorder",
    ),
    Endpoint(
        "POST",
        "/api/take/sound",
        _sound,
        "Store the sound of a machine, as it is",
        takes=SoundAsked,
        gives=StoredTold,
        upload=_SOUND,
        role="recorder",
    ),
    Endpoint(
        "POST",
        "/api/take/picture",
        _picture,
        "Store a picture",
        takes=PictureAsked,
        gives=StoredTold,
        upload=_PICTURE,
        role="recorder",
    ),
    Endpoint(
        "POST",
        "/api/take/motion",
        _motion,
        "Store motion, or the strokes in it",
        takes=MotionAsked,
        gives=StoredTold,
        upload=_MOTION,
        role="recorder",
    ),
)
