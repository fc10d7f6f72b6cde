"""report.html: one layout for every task; a task provides its template and its own data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tinyml_cli import __version__
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.anomalies import EvaluatedRecordings
from tinyml_cli.outcomes.curves import EvaluatedCurve
from tinyml_cli.outcomes.evaluations import EvaluatedClips, EvaluatedLabels
from tinyml_cli.pages import charts
from tinyml_cli.pages.items import Items
from tinyml_cli.pages.templates import html
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class Shown:
    """A mistake's item on the page.

    Attributes:
        truth: what it is, in the task's words.
        about: what picture and sound are, for those who do not see or hear them.
        picture, sound: data URIs; empty where there is none.
        style: of the picture: `features` are stretched, a `photo` keeps its sides.
        source: whom or what it comes from.
    """

    truth: str
    about: str
    picture: str = ""
    sound: str = ""
    style: str = "features"
    source: str = ""


def classifier(
    template: str,
    name: str,
    outcome: EvaluatedLabels,
    manifest: Manifest,
    items: Items,
    media: Sequence[Shown],
    corner: str = "true ↓ predicted →",
    **more: Any,
) -> str:
    """The page of a task that tells classes apart; equal figures of one day give equal bytes.

    Args:
        template: the task's, as `templates.html` takes it.
        name: the run.
        outcome: what was measured.
        manifest: gives hashes, sizes and the data's origin.
        items: what is counted.
        media: pictures and sounds of `outcome.mistakes`.
        corner: what rows and columns of the confusion matrix are.
        more: further values of the template.
    """
    drawn: dict[str, Markup] = {}
    if outcome.curves:
        drawn |= {"roc": charts.roc(outcome.curves), "det": charts.det(outcome.curves)}
    if outcome.calibration is not None:
        drawn["reliability"] = charts.reliability(outcome.calibration)
    if isinstance(outcome, EvaluatedClips) and outcome.noise is not None:
        drawn["noise"] = charts.noise(outcome.noise, outcome.labels)
    return render(template, name, outcome, manifest, items, charts=drawn, media=media, corner=corner, **more)


def render(
    template: str,
    name: str,
    outcome: EvaluatedLabels | EvaluatedRecordings | EvaluatedCurve,
    manifest: Manifest,
    items: Items,
    **more: Any,
) -> str:
    """A report's page."""
    files = [
        {"name": file, "bytes": manifest.artifacts[file].bytes, "sha256": manifest.artifacts[file].sha256}
        for file in (MODEL_INT8, MODEL_FLOAT32)
        if file in manifest.artifacts
    ]
    return html(
        template,
        command="tinyml evaluate",
        title=name,
        about="evaluation",
        lead=f"{outcome.note}.",
        date=today(),
        version=__version__,
        outcome=outcome,
        manifest=manifest,
        items=items,
        int8_bytes=manifest.artifacts[MODEL_INT8].bytes,
        files=files,
        **more,
    )


def today() -> str:
    """The day, as ISO 8601; SOURCE_DATE_EPOCH overrides, as in other tools that make files anew."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(given), UTC) if given.isdecimal() else datetime.now().astimezone()
    return now.date().isoformat()
