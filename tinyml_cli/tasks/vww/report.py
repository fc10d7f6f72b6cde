"""report.html of an image model: the results of evaluate, with the worst mistakes as the model saw them."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml_cli import registry
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.evaluations import Condition, EvaluatedImages
from tinyml_cli.pages import report
from tinyml_cli.pages.contact_sheet import pixels_uri
from tinyml_cli.pages.report import Shown
from tinyml_cli.pages.templates import percent
from tinyml_cli.tasks.vww.held_out import LabelledImages


def render(name: str, outcome: EvaluatedImages, manifest: Manifest, images: LabelledImages) -> str:
    """The page as text.

    Args:
        name: the run.
        outcome: what was measured.
        manifest: gives hashes, sizes, and what was left out of the data.
        images: gives the pictures of the worst mistakes.
    """
    media = [
        Shown(
            truth=entry.label,
            about=f"An image of {entry.label}, classified as {entry.answer}",
            picture=pixels_uri(images.pixels[entry.index]),
            style="photo",
        )
        for entry in outcome.mistakes
    ]
    note = low_light_note(outcome.low_light, outcome.labels)
    return report.classifier(
        "images.html",
        name,
        outcome,
        manifest,
        registry.task(manifest.task).items(manifest),
        media,
        low_light_note=note,
    )


def low_light_note(rows: Sequence[Condition], labels: Sequence[str]) -> str:
    """How to read a table in which accuracy rises while a recall falls; otherwise empty."""
    first = rows[0]
    for row in rows[1:]:
        lost = [label for label in labels if _fall(first, row, label) > 0]
        if row.share > first.share and lost:
            label = max(lost, key=lambda label: _fall(first, row, label))
            was, now = (percent((each.recall or {})[label]) for each in (first, row))
            return (
                f"The accuracy rises in the dark ({percent(first.share)} to {percent(row.share)}, "
                f"{row.name}) although {label} is found less often (recall {was} to {now}): the model "
                f"predicts {label} less often, which is correct for the other images. Judge by recall and "
                "precision together."
            )
    return ""


def _fall(before: Condition, after: Condition, label: str) -> float:
    was, now = (before.recall or {})[label], (after.recall or {})[label]
    return 0.0 if was is None or now is None else was - now
