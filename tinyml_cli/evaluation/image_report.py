"""report.html of a model that looks: what evaluate found, as one file that needs nothing else."""

from __future__ import annotations

from html import escape

from tinyml_cli.evaluation import report_measures
from tinyml_cli.evaluation.contact_sheet import pixels_uri
from tinyml_cli.evaluation.report_parts import Figures, interval, level, page, percent, section, table
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8
from tinyml_cli.tasks.vww_held_out import LabelledImages


def render(name: str, outcome: Figures, manifest: Manifest, images: LabelledImages) -> str:
    """The page as text; equal figures give equal bytes.

    Args:
        name: the run.
        outcome: what `evaluate_images` returns.
        manifest: gives hashes, sizes, and what was left out of the data.
        images: gives the pictures of the worst mistakes.
    """
    sections = [
        _summary(outcome),
        report_measures.confusion(outcome, "is ↓ taken for →"),
        report_measures.curves(outcome),
        report_measures.calibration(outcome),
        _sizes(outcome),
        _low_light(outcome),
        report_measures.device(outcome),
        _mistakes(outcome, images),
        _origin(manifest),
    ]
    return page("tinyml evaluate", name, outcome["note"], "".join(sections), "evaluation")


def _summary(outcome: Figures) -> str:
    text = (
        f"Measured on a computer {level('host')}: the integer resampler and the int8 model that the board "
        "runs, image by image. Hysteresis over frames takes no part here."
    )
    return report_measures.summary(outcome, "image", text)


def _sizes(outcome: Figures) -> str:
    if not outcome["sizes"]:
        return ""
    rows = [
        [escape(row["name"]), percent(row["share"]), interval(row["ci95"]), str(row["n"])]
        for row in outcome["sizes"]
    ]
    text = "How many were found, by the share of the image that the largest box covers."
    return section("By size", table(["", "found", "95 %", "n"], rows), text)


def _low_light(outcome: Figures) -> str:
    labels = outcome["labels"]
    rows = [
        [
            escape(row["name"]),
            percent(row["share"]),
            interval(row["ci95"]),
            *(percent(row["recall"][label]) for label in labels),
        ]
        for row in outcome["low_light"]
    ]
    text = (
        "Simulated, not photographed: with each stop half the light, while the sensor's noise of two steps "
        f"stays. n = {outcome['low_light'][0]['n']}."
    )
    columns = ["light", "accuracy", "95 %", *(f"recall of {label}" for label in labels)]
    return section("In low light", table(columns, rows), text)


def _mistakes(outcome: Figures, images: LabelledImages) -> str:
    if not outcome["mistakes"]:
        return section("Worst mistakes", "<p>None.</p>")
    cards = "".join(
        f'<article><img alt="A misjudged image" src="{pixels_uri(images.pixels[entry["index"]])}">'
        f"<p><b>{escape(entry['label'])}</b> → <b>{escape(entry['answer'])}</b> {percent(entry['score'])}; "
        f"the truth got {percent(entry['true_score'])}</p></article>"
        for entry in outcome["mistakes"]
    )
    text = "Wrong and sure of it, as the model saw them. Look first: labels err too."
    return section("Worst mistakes", f'<div class="cards">{cards}</div>', text)


def _origin(manifest: Manifest) -> str:
    rows = [["Model", escape(manifest.model.name) if manifest.model else "–"]]
    for name in (MODEL_INT8, MODEL_FLOAT32):
        entry = manifest.artifacts[name]
        rows.append([escape(name), f"{entry.bytes:,} bytes, sha256 <code>{entry.sha256[:16]}…</code>"])
    if manifest.data is not None:
        kind = "drawn figures" if manifest.data.source == "procedural" else "a folder of images"
        rows.append(["Trained on", f"{kind}, split by {escape(manifest.data.split_by)}"])
        rows += [["Remark", escape(note)] for note in manifest.data.notes]
    rows.append(["Seed", str(manifest.seed)])
    return section("Where this comes from", table(["", ""], rows, "plain"))
