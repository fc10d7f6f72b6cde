"""`tinyml data record strokes`: strokes of a wand, shown in the terminal as they arrive."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import checks, interrupt
from tinyml_cli.collect.record_keys import Keys, terminal_keys
from tinyml_cli.collect.stroke_source import DrawnStroke, StrokeWand
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.raster import SIZE, rasterise
from tinyml_cli.files import write_atomic, writing_folder
from tinyml_cli.link.frames import half_blocks
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.data import RecordedGesture, RecordedStrokes
from tinyml_cli.tasks.wand.strokes import LabelledStroke, Points, read_strokes, write_strokes

_POLL_S = 0.1
_PATIENCE_S = 120.0
_COLUMNS = 10
_ENLARGED = 3
_HELP = "u undo, l next gesture, s skip, q quit"


@dataclass(frozen=True)
class GesturePlan:
    """What is to be collected.

    Attributes:
        gestures: in turn.
        person: who waves; splits keep people apart.
        folder: holds a file for each gesture and person.
        count: strokes of each gesture by this person, earlier ones included.
    """

    gestures: tuple[str, ...]
    person: str
    folder: Path
    count: int = 20

    def file(self, gesture: str) -> Path:
        """Where strokes of a gesture are kept."""
        return self.folder / f"{gesture}_{self.person}.json"

    def strokes(self, gesture: str) -> list[LabelledStroke]:
        """Those that there are.

        Raises:
            TinymlError: the file is damaged.
        """
        return read_strokes(self.file(gesture)) if self.file(gesture).exists() else []

    def keep(self, gesture: str, points: Points) -> None:
        """Stores a stroke of a gesture, behind those that there are.

        Raises:
            TinymlError: the file is damaged, or cannot be written.
        """
        stroke = LabelledStroke(points, gesture, "", self.person)
        self.save(gesture, [*self.strokes(gesture), stroke])

    def save(self, gesture: str, strokes: list[LabelledStroke]) -> None:
        """Makes these the strokes of a gesture, and draws them.

        Raises:
            TinymlError: the files cannot be written.
        """
        path = self.file(gesture)
        if not strokes:
            path.unlink(missing_ok=True)
            path.with_suffix(".png").unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_strokes(path, strokes)
        write_atomic(path.with_suffix(".png"), sheet([stroke.points for stroke in strokes]))


def plan_of(
    gestures: tuple[str, ...] | None, person: str | None, out: Path | None, count: int | None
) -> GesturePlan:
    """The plan that options of the command line ask for; None where one was not given.

    Raises:
        TinymlError: no gestures, names that cannot be files, or a file in the place of the folder.
    """
    if gestures is None:
        raise TinymlError("Recording needs the gestures", "--gesture", "Add --gesture wing,ring.")
    plan = GesturePlan(gestures, person or "me", out or Path("strokes"), count or GesturePlan.count)
    if len(set(gestures)) < len(gestures):
        raise TinymlError("A gesture is listed twice", "--gesture", "List each one once.")
    for name in (*gestures, plan.person):
        checks.file_name(name, "--gesture" if name in gestures else "--speaker")
    if plan.folder.is_file():
        raise TinymlError("The target is a file", str(plan.folder), "Name a folder with --out.")
    return plan


@dataclass
class _StrokeSession:
    """What has happened so far; the files are always up to date."""

    plan: GesturePlan
    at: int = 0
    taken: list[str] = field(default_factory=list)
    undone: int = 0
    is_quit: bool = False

    @property
    def gesture(self) -> str | None:
        """The one whose turn it is; None when nothing is missing."""
        left = self.plan.gestures[self.at :]
        return next((name for name in left if len(self.plan.strokes(name)) < self.plan.count), None)

    def keep(self, points: Points) -> None:
        if (gesture := self.gesture) is not None:
            self.plan.keep(gesture, points)
            self.taken.append(gesture)

    def undo(self) -> Points | None:
        """Takes back the last take of this session."""
        if not self.taken:
            return None
        gesture = self.taken.pop()
        *kept, last = self.plan.strokes(gesture)
        self.plan.save(gesture, kept)
        self.undone += 1
        return last.points

    def relabel(self) -> None:
        """The last take was meant as the next gesture."""
        if self.taken and len(self.plan.gestures) > 1:
            before = self.plan.gestures.index(self.taken[-1])
            points = self.undo()
            self.undone -= 1
            other = self.plan.gestures[(before + 1) % len(self.plan.gestures)]
            if points is not None:
                self.plan.keep(other, points)
                self.taken.append(other)

    def press(self, key: str) -> None:
        if key == "u":
            self.undo()
        elif key == "l":
            self.relabel()
        elif key == "s" and self.gesture is not None:
            self.at = self.plan.gestures.index(self.gesture) + 1
        elif key == "q":
            self.is_quit = True


def record(plan: GesturePlan, wand: StrokeWand) -> RecordedStrokes:
    """Collects what is missing; what was taken is kept whatever happens.

    Raises:
        TinymlError: the wand is lost or draws nothing for two minutes, or a full disk.
    """
    session = _StrokeSession(plan)
    patient_until = time.monotonic() + _PATIENCE_S
    console.info(f"Strokes from {wand.name}. Rest, draw, rest. {_HELP}.")
    with (
        writing_folder(plan.folder),
        _keys() as keys,
        console.live() if console.is_terminal else contextlib.nullcontext() as draw,
        interrupt.resumable("in the recording; its strokes are kept"),
    ):
        while session.gesture is not None and not session.is_quit:
            if drawing := wand.next(_POLL_S):
                _take(session, drawing, draw)
            elif keys is not None and (key := keys.read(0)):
                session.press(key)
            elif time.monotonic() < patient_until:
                continue
            else:
                raise _nothing_drawn(wand.name)
            patient_until = time.monotonic() + _PATIENCE_S
    rows = [
        RecordedGesture(gesture=name, kept=session.taken.count(name), strokes=len(plan.strokes(name)))
        for name in plan.gestures
    ]
    return RecordedStrokes(
        folder=str(plan.folder),
        source=wand.name,
        gestures=rows,
        n=len(session.taken),
        undone=session.undone,
        complete=all(row.strokes >= plan.count for row in rows),
        quit=session.is_quit,
    )


def text(document: RecordedStrokes) -> str:
    """The outcome for people."""
    counts = ", ".join(f"{row.strokes} of {row.gesture}" for row in document.gestures)
    if not document.complete:
        return f"{counts}; not complete yet. Run the same command to continue."
    labels = ",".join(row.gesture for row in document.gestures)
    step = next_step("train", "wand", "--data", Path(document.folder), "--labels", labels)
    return f"{counts} in {document.folder}. Train with them: {step}"


def sheet(strokes: list[Points]) -> bytes:
    """Every stroke as a small picture, PNG bytes."""
    from PIL import Image

    rows = -(-len(strokes) // _COLUMNS)
    canvas = np.zeros((rows * SIZE, _COLUMNS * SIZE, 3), np.uint8)
    for number, points in enumerate(strokes):
        row, column = divmod(number, _COLUMNS)
        canvas[row * SIZE : (row + 1) * SIZE, column * SIZE : (column + 1) * SIZE] = rasterise(points)
    stream = io.BytesIO()
    large: NDArray[np.uint8] = canvas.repeat(_ENLARGED, axis=0).repeat(_ENLARGED, axis=1)
    Image.fromarray(large).save(stream, "PNG")
    return stream.getvalue()


def _take(session: _StrokeSession, drawing: DrawnStroke, draw: Callable[[Any], None] | None) -> None:
    gesture = session.gesture
    if drawing.is_done:
        session.keep(drawing.points)
    if gesture is None:
        return
    count = len(session.plan.strokes(gesture))
    line = f"{gesture}: {count} of {session.plan.count} ({_HELP})"
    if draw is not None:
        draw(half_blocks(rasterise(drawing.points), SIZE).append(line))
    elif drawing.is_done:
        console.info(f"{gesture}: {count} of {session.plan.count}")


def _nothing_drawn(name: str) -> TinymlError:
    return TinymlError(
        f"No stroke arrived for {_PATIENCE_S:.0f} seconds",
        name,
        "Hold the board still, draw, hold it still. The strokes so far are kept; run the same command to "
        "continue.",
    )


@contextlib.contextmanager
def _keys() -> Iterator[Keys | None]:
    """The keyboard; None where nobody sits at one."""
    if not sys.stdin.isatty():
        yield None
        return
    with terminal_keys() as keys:
        yield keys
