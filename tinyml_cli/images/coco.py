"""COCO's annotations: which images count as showing an object, by the rule of the Visual Wake Words paper.

A. Chowdhery, P. Warden, J. Shlens, A. Howard, R. Rhodes, "Visual Wake Words Dataset", arXiv:1906.05721: an
image is positive when a box of the class covers more than 0.5 % of its area.
The format: cocodataset.org, "Data format".
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.errors import TinymlError

MINIMUM_AREA_SHARE = 0.005
# instances_train2017.json has 448 MB.
_MAX_BYTES = 2 << 30


@dataclass(frozen=True)
class CocoImage:
    """One photograph.

    Attributes:
        id: COCO's number.
        file_name: without folder.
        width, height: in pixels.
        boxes: (x, y, width, height) in pixels of every box of the class, crowds excluded.
    """

    id: int
    file_name: str
    width: int
    height: int
    boxes: tuple[tuple[float, float, float, float], ...]

    def largest_share(self, square: bool = False) -> float:
        """The largest box's share of the image's area, or of its centred square's; 0 without a box."""
        side = min(self.width, self.height)
        left = (self.width - side) / 2 if square else 0.0
        top = (self.height - side) / 2 if square else 0.0
        right, bottom = (left + side, top + side) if square else (self.width, self.height)
        area = (right - left) * (bottom - top)
        return max((_overlap(box, left, top, right, bottom) / area for box in self.boxes), default=0.0)


def read_annotations(path: Path, category: str) -> list[CocoImage]:
    """The images of an `instances_*.json`, each with the boxes of one category.

    Raises:
        TinymlError: no such file, not COCO's format, or no such category; similar names are told.
    """
    document = _load(path)
    try:
        names = {entry["id"]: str(entry["name"]) for entry in document["categories"]}
        wanted = [number for number, name in names.items() if name == category]
        if not wanted:
            raise _no_category(path, category, sorted(names.values()))
        boxes: dict[int, list[tuple[float, float, float, float]]] = {}
        for entry in document["annotations"]:
            if entry["category_id"] == wanted[0] and not entry.get("iscrowd"):
                x, y, width, height = (float(value) for value in entry["bbox"])
                boxes.setdefault(int(entry["image_id"]), []).append((x, y, width, height))
        return [
            CocoImage(
                int(entry["id"]),
                Path(str(entry["file_name"])).name,
                int(entry["width"]),
                int(entry["height"]),
                tuple(boxes.get(int(entry["id"]), ())),
            )
            for entry in document["images"]
            if int(entry["width"]) > 0 and int(entry["height"]) > 0
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise TinymlError(
            f"The file is not in COCO's format ({type(error).__name__}: {error})",
            str(path),
            "Give the folder that contains instances_train2017.json.",
        ) from error


def find_annotations(root: Path) -> list[Path]:
    """Every `instances_*.json` below a folder, sorted by name.

    Raises:
        TinymlError: there is none.
    """
    found = sorted(root.rglob("instances_*.json")) if root.is_dir() else []
    if not found:
        raise TinymlError(
            "No COCO annotations found (instances_*.json)",
            str(root),
            "Give the folder with COCO's images and annotations, 2014 or 2017.",
        )
    return found


def find_images(root: Path) -> dict[str, Path]:
    """File name -> path of every JPEG below a folder."""
    return {path.name: path for path in sorted(root.rglob("*.jpg"))}


def _overlap(
    box: tuple[float, float, float, float], left: float, top: float, right: float, bottom: float
) -> float:
    x, y, width, height = box
    across = min(x + width, right) - max(x, left)
    down = min(y + height, bottom) - max(y, top)
    return max(across, 0.0) * max(down, 0.0)


def _load(path: Path) -> dict[str, Any]:
    try:
        document = load_json(path, _MAX_BYTES)
    except UnreadableError as error:
        raise TinymlError(
            f"Cannot read the annotations ({error})",
            str(path),
            "Download them again; they may be truncated.",
        ) from error
    if not isinstance(document, dict):
        raise TinymlError(
            "The file is not in COCO's format (not a JSON object)",
            str(path),
            "Give an instances_*.json of COCO.",
        )
    return document


def _no_category(path: Path, category: str, names: list[str]) -> TinymlError:
    close = difflib.get_close_matches(category, names, n=3)
    known = f"Did you mean {', '.join(close)}?" if close else f"Some classes: {', '.join(names[:12])}."
    return TinymlError(f"COCO has no class `{category}`", str(path), known)
