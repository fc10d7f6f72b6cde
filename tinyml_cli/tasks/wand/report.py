"""report.html of a wand: the results of evaluate, with the strokes of the worst mistakes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import registry
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.evaluations import EvaluatedGestures
from tinyml_cli.pages import report
from tinyml_cli.pages.contact_sheet import pixels_uri
from tinyml_cli.pages.report import Shown

_ENLARGED = 4


def render(
    name: str, outcome: EvaluatedGestures, manifest: Manifest, pictures: NDArray[np.uint8] | None
) -> str:
    """The page as text.

    Args:
        name: the run.
        outcome: what was measured.
        manifest: gives hashes and sizes.
        pictures: the strokes uint8 [n, rows, columns, 3], for the worst mistakes; None for raw motion.
    """
    media = [
        Shown(
            truth=entry.label,
            about=f"A stroke of {entry.label}, classified as {entry.answer}",
            picture="" if pictures is None else enlarged(pictures[entry.index]),
            style="photo",
        )
        for entry in outcome.mistakes
    ]
    return report.classifier(
        "wand.html", name, outcome, manifest, registry.task(manifest.task).items(manifest), media
    )


def enlarged(picture: NDArray[np.uint8]) -> str:
    """A data URI of a stroke's picture, its pixels repeated."""
    return pixels_uri(picture.repeat(_ENLARGED, axis=0).repeat(_ENLARGED, axis=1))
