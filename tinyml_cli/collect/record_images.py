"""`tinyml data record images`: images for each class in turn, from a webcam or through a board's camera."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import checks, interrupt
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.collect.camera_source import BoardCamera
from tinyml_cli.connect import check_firmware, open_board
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image import area_average, centred
from tinyml_cli.files import write_atomic, writing_folder
from tinyml_cli.images.image_folder import NONE
from tinyml_cli.link.frames import half_blocks
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.data import RecordedClass, RecordedImages
from tinyml_cli.run import Run
from tinyml_cli.senses.webcam import Webcam
from tinyml_cli.wording import counted

# Larger ones would teach a model of 96 pixels nothing more.
_SHORT_SIDE = 240
_JPEG_QUALITY = 95
# Below this deviation, of 256 steps, a frame shows nothing: a covered lens, or one that has not woken up.
_EMPTY_DEVIATION = 4.0
_MOST_EMPTY = 50
_PREVIEW_SIDE = 48


class FrameSource(Protocol):
    """Where frames come from."""

    name: str

    def take(self) -> NDArray[np.uint8]:
        """The next frame, uint8 [rows, columns, 1 or 3].

        Raises:
            TinymlError: there is none.
        """


@dataclass(frozen=True)
class CameraPlan:
    """What is to be recorded.

    Attributes:
        classes: names of folders, one after another.
        folder: holds a folder for each class.
        count: images of each class, earlier ones included.
        every_s: seconds from one image to the next.
        countdown_s: seconds before each class begins.
    """

    classes: tuple[str, ...]
    folder: Path
    count: int = 200
    every_s: float = 0.3
    countdown_s: float = 3.0

    def images(self, name: str) -> int:
        """How many of a class there are."""
        return len(list((self.folder / name).glob("*.jpg")))

    def keep(self, name: str, frame: NDArray[np.uint8]) -> Path:
        """Stores a frame [rows, columns, 1 or 3] as an image of a class.

        Raises:
            TinymlError: it cannot be written.
        """
        path = _free_name(self.folder / name)
        write_atomic(path, _jpeg(frame))
        return path


def plan_of(
    classes: tuple[str, ...], out: Path | None, count: int | None, every_s: float, countdown_s: float
) -> CameraPlan:
    """The plan that options of the command line ask for; None where one was not given.

    Raises:
        TinymlError: names that are no folders, or a file in the place of the folder.
    """
    plan = CameraPlan(classes, out or Path("images"), count or CameraPlan.count, every_s, countdown_s)
    for name in classes:
        checks.file_name(name, "--classes", "folder name")
    if plan.folder.is_file():
        raise TinymlError("The target is a file", str(plan.folder), "Name a folder with --out.")
    return plan


def record(plan: CameraPlan, camera: FrameSource) -> RecordedImages:
    """Takes what is missing of each class; what was taken is kept whatever happens.

    Raises:
        TinymlError: a camera that breaks or shows nothing, or a full disk.
    """
    rows = []
    with (
        writing_folder(plan.folder),
        interrupt.resumable("in the recording; its images are kept"),
        console.live() if console.is_terminal else contextlib.nullcontext(None) as draw,
    ):
        for name in plan.classes:
            counts = {"kept": 0, "empty": 0}
            _record_class(plan, name, camera, draw, counts)
            rows.append(RecordedClass.model_validate({"class": name, **counts, "images": plan.images(name)}))
    return RecordedImages(
        folder=str(plan.folder),
        source=camera.name,
        classes=rows,
        n=sum(row.kept for row in rows),
        complete=all(row.images >= plan.count for row in rows),
    )


def text(document: RecordedImages) -> str:
    """The outcome for people."""
    counts = ", ".join(f"{row.images} of {row.class_}" for row in document.classes)
    if not document.complete:
        return f"{counts}; not complete yet. Run the same command to continue."
    classes = [row.class_ for row in document.classes]
    data = ("--data", Path(document.folder), "--classes", ",".join(classes))
    is_choice = len(classes) > 1 and NONE not in classes
    step = next_step("train", "images", *data) if is_choice else next_step("train", "vww", *data)
    return f"{counts} in {document.folder}. Train with them: {step}"


@contextlib.contextmanager
def open_camera(target: BuildTarget | None, run: str | None, device: str | None) -> Iterator[FrameSource]:
    """A board's camera, or this computer's.

    Args:
        target: the board; None takes a webcam.
        run: the run of visual wake words whose firmware the board runs; the latest by default.
        device: number of the webcam, or a file or address that OpenCV opens.

    Raises:
        TinymlError: no such camera, other firmware, or a package is missing.
    """
    if target is None:
        with contextlib.closing(Webcam(device)) as webcam:
            yield webcam
        return
    opened = Run.open(run)
    manifest = opened.manifest()
    with open_board(opened, target) as link:
        ready = link.wait_ready()
        check_firmware(ready, manifest, target.board.name)
        with contextlib.closing(BoardCamera(link, ready, manifest)) as camera:
            yield camera


def _record_class(
    plan: CameraPlan,
    name: str,
    camera: FrameSource,
    draw: Callable[[Any], None] | None,
    counts: dict[str, int],
) -> None:
    missing = plan.count - plan.images(name)
    if missing <= 0:
        return
    console.info(
        f"`{name}`: {counted(missing, 'image')}, one every {plan.every_s:g} s, in {plan.countdown_s:g} s …"
    )
    _wait(plan.countdown_s)
    empty_in_a_row = 0
    with contextlib.nullcontext(None) if draw else console.progress(missing, name) as bar:
        while counts["kept"] < missing:
            started = time.monotonic()
            frame = camera.take()
            if draw is not None:
                picture = half_blocks(centred(frame, 1, 1), _PREVIEW_SIDE)
                draw(picture.append(f"{name}: {counts['kept']} of {missing} (Ctrl-C stops)"))
            if is_blank(frame):
                counts["empty"] += 1
                empty_in_a_row += 1
                if empty_in_a_row >= _MOST_EMPTY:
                    raise TinymlError(
                        f"{_MOST_EMPTY} frames in a row are blank",
                        camera.name,
                        "Uncover the lens and turn on a light; the images so far are kept.",
                    )
                continue
            empty_in_a_row = 0
            plan.keep(name, frame)
            counts["kept"] += 1
            if bar is not None:
                bar.advance()
            _wait(plan.every_s - (time.monotonic() - started))


def is_blank(frame: NDArray[np.uint8]) -> bool:
    """Whether a frame shows nothing."""
    return bool(frame.std() < _EMPTY_DEVIATION)


def _jpeg(frame: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    rows, columns = frame.shape[:2]
    scale = min(1.0, _SHORT_SIDE / min(rows, columns))
    small = area_average(frame, max(1, round(rows * scale)), max(1, round(columns * scale)))
    stream = io.BytesIO()
    Image.fromarray(small[..., 0] if small.shape[2] == 1 else small).save(
        stream, "JPEG", quality=_JPEG_QUALITY
    )
    return stream.getvalue()


def _free_name(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    taken = time.time_ns() // 1_000_000
    while (path := folder / f"camera_{taken}.jpg").exists():
        taken += 1
    return path


def _wait(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)
