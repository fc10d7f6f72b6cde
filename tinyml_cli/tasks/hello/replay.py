"""One period of the curve as a file, and a board's own period compared with it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Wave
from tinyml_cli.manifest import Manifest
from tinyml_cli.monitor.task_monitor import OnEvent
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tasks.hello.curve import TOLERANCE, CurveModel, HelloSettings
from tinyml_cli.wording import counted

SINE = "sine"
_FOLDER, _FILE = "replay", "sine.csv"
_HEADER = ["x", "y"]
_MOST_BYTES = 1 << 20
_CLOSE = 1e-3


def write(run: Run) -> Path:
    """The period that the run's board shows, as `replay/sine.csv`; returns the folder."""
    x = run.manifest().settings_as(HelloSettings).period()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_HEADER, *((f"{at:.6f}", f"{np.sin(at):.6f}") for at in x)])
    write_atomic(run.file(_FOLDER) / _FILE, text.getvalue())
    return run.file(_FOLDER)


@dataclass(frozen=True)
class Period:
    """A curve that a board shall show.

    Attributes:
        file: where it comes from.
        y: float64 [points].
    """

    file: str
    y: NDArray[np.float64]


def read(source: Path, manifest: Manifest) -> Period:
    """The file, or the one in the folder, that `write` wrote.

    Raises:
        TinymlError: no such file, other columns, not the points that the board shows, or another curve.
    """
    path = source / _FILE if source.is_dir() else source
    wanted = manifest.settings_as(HelloSettings).period()
    refusal = TinymlError(
        f"This is not one period of {counted(len(wanted), 'point')} with the columns x and y",
        str(path),
        f"Use what the pipeline wrote: RUN/{_FOLDER}/{_FILE}.",
    )
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise refusal
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        x, y = np.array(rows, np.float64).T
    except OSError as error:
        raise TinymlError(f"Cannot read it ({error.strerror})", str(path), refusal.next_step) from error
    except (ValueError, csv.Error) as error:
        raise refusal from error
    if header != _HEADER or x.shape != wanted.shape or not np.allclose(x, wanted, atol=_CLOSE):
        raise refusal
    if not np.isfinite(y).all():
        raise refusal
    wrong = np.flatnonzero(np.abs(y - np.sin(wanted)) > _CLOSE)
    if len(wrong):
        first = wrong[0]
        raise TinymlError(
            f"{counted(len(wrong), 'point')} of the file off the sine, the first in line {first + 2}: "
            f"y is {y[first]:g}, the sine of x {np.sin(wanted[first]):.3f}",
            str(path),
            refusal.next_step,
        )
    return Period(path.name, y)


def play(link: Link, period: Period, run: Run, manifest: Manifest, show: OnEvent) -> PlayedClip:
    """Has a board show its period at once, and compares it with the curve and with this computer's bytes.

    Raises:
        TinymlError: the device stops answering, or was built for another period.
    """
    model = CurveModel(run.require(manifest, MODEL_INT8).read_bytes())
    expected, _ = model.reference(model.inputs(manifest.settings_as(HelloSettings).period()))
    link.reset()
    link.take_events()
    asked = 0
    answers: dict[int, int] = {}  # by point: until the host advances it, the curve goes on by itself
    while len(answers) < len(expected):
        if asked > 2 * len(expected):
            raise TinymlError(
                f"The board shows {counted(len(answers), 'point')} of a period, the run has {len(expected)}",
                link.url,
                "Build and flash its firmware again: tinyml build, tinyml flash",
            )
        asked += 1
        link.advance(1)
        for event in link.take_events():
            show(event)
            if isinstance(event, Wave):
                answers[event.point] = event.y
    found = np.array([answers[point] for point in sorted(answers)], np.int8)[:, None]
    error = float(np.abs(model.y(found) - period.y).mean())
    return PlayedClip.of(
        period.file,
        SINE,
        SINE if error <= TOLERANCE else None,
        mean_error=round(error, 4),
        mismatches=int((found != expected).sum()),
    )
