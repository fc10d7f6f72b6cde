"""Strokes: the path of a wand's tip, as stored in files and as computed by the board."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import inventory
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.data.series.read import collecting
from tinyml_cli.data.series.sources import files_in
from tinyml_cli.documents import MAX_DATA_BYTES, UnreadableError, load_json
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic

# As many as the course's firmware keeps and sends.
MAX_POINTS = 160
# Coordinates are int8 in 128ths, as the course's Bluetooth characteristic carries them.
UNITS = 128
_SUFFIXES = (".json",)
_LAYOUT = (
    'A stroke file contains {"strokes": [{"label": "0", "strokePoints": [{"x": 0.1, "y": -0.2}, …]}]}; '
    "raw motion, as CSV or Edge Impulse JSON, needs --input imu."
)

Points = NDArray[np.int8]


@dataclass(frozen=True)
class LabelledStroke:
    """One stroke.

    Attributes:
        points: int8 [2..160, 2], x to the right and y up, in 128ths.
        label: what it shows; empty where nobody said.
        source: the file it stands in, or the writer who drew it.
        person: who drew it; empty where nobody said.
    """

    points: Points
    label: str
    source: str
    person: str = ""


def to_points(path: NDArray[np.floating[Any]]) -> Points:
    """float [n, 2] around 0 -> int8 [2..160, 2]; longer paths are thinned evenly."""
    if len(path) > MAX_POINTS:
        path = path[np.linspace(0, len(path) - 1, MAX_POINTS).round().astype(int)]
    points: Points = np.clip(np.rint(path * UNITS), -128, 127).astype(np.int8)
    return points


def read_strokes(path: Path) -> list[LabelledStroke]:
    """The strokes of one JSON file.

    Raises:
        TinymlError: an unreadable file, or a stroke without two finite points; its number is named.
    """
    try:
        document = load_json(path, MAX_DATA_BYTES)
    except UnreadableError as error:
        raise TinymlError(f"Cannot read the strokes: {error}", str(path), _LAYOUT) from error
    entries = document.get("strokes") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise TinymlError("The file contains no strokes", str(path), _LAYOUT)
    return [_stroke(entry, number, path) for number, entry in enumerate(entries)]


def read_folder(
    path: Path, refused: dict[Path, TinymlError] | None = None
) -> tuple[list[LabelledStroke], list[LeftOut]]:
    """The strokes of a file, or of every JSON file of a folder, and the files that hold none.

    Args:
        path: file or folder.
        refused: collects what is wrong with single files, which are then left out.

    Raises:
        TinymlError: nothing there, or a file that `read_strokes` refuses; with `refused`, only where no other
            is left.
    """
    files, strokes = files_in(path, _SUFFIXES), []
    for file in files:
        with collecting(refused, file):
            strokes += read_strokes(file)
    inventory.check_any_left(strokes, refused)
    why = {file: error.what for file, error in (refused or {}).items()}
    used = [file for file in files if file not in why]
    rest = inventory.left_out(
        path, used, "stroke", _SUFFIXES, lambda file: why.get(file, inventory.OF_THE_DATA_SET)
    )
    if not files:
        raise TinymlError(f"No stroke files found{inventory.explained(rest)}", str(path), _LAYOUT)
    return strokes, rest


def write_strokes(path: Path, strokes: Sequence[LabelledStroke]) -> None:
    """Writes strokes in the layout that `read_strokes` reads."""
    write_atomic(path, strokes_text(strokes))


def strokes_text(strokes: Sequence[LabelledStroke]) -> str:
    """The content of a file of strokes."""
    entries = [
        {
            "index": index,
            "strokePoints": [{"x": x / UNITS, "y": y / UNITS} for x, y in stroke.points.tolist()],
            "label": stroke.label,
            **({"person": stroke.person} if stroke.person else {}),
        }
        for index, stroke in enumerate(strokes)
    ]
    return json.dumps({"strokes": entries}) + "\n"


def _stroke(entry: Any, number: int, path: Path) -> LabelledStroke:
    try:
        points = [(float(point["x"]), float(point["y"])) for point in entry["strokePoints"]]
        label, person = str(entry.get("label", "")), str(entry.get("person", ""))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise TinymlError(f"Stroke {number} is invalid ({error!r})", str(path), _LAYOUT) from error
    if len(points) < 2 or not all(math.isfinite(value) for point in points for value in point):
        raise TinymlError(f"Stroke {number} has fewer than two finite points", str(path), _LAYOUT)
    return LabelledStroke(to_points(np.array(points)), label, path.name, person)
