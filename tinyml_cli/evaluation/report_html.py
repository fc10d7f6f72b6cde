"""report.html: what evaluate found, as one file that needs nothing else, on a phone or a screen."""

from __future__ import annotations

from html import escape

from tinyml_cli import __version__
from tinyml_cli.evaluation import report_measures, report_people
from tinyml_cli.evaluation.embed import features_uri, wav_uri
from tinyml_cli.evaluation.report_parts import Figures, level, page, percent, section, table
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8
from tinyml_cli.tasks import EvaluationSet


def render(name: str, outcome: Figures, manifest: Manifest, examples: EvaluationSet) -> str:
    """The page as text; equal figures give equal bytes.

    Args:
        name: the run.
        outcome: what `evaluate` returns.
        manifest: gives hashes and sizes.
        examples: gives the sounds and features of the worst mistakes.
    """
    sections = [
        _summary(outcome),
        _confusion(outcome),
        report_measures.curves(outcome),
        report_measures.calibration(outcome),
        report_measures.noise(outcome),
        report_people.speakers(outcome),
        report_people.fairness(outcome),
        report_measures.device(outcome),
        _mistakes(outcome, manifest, examples),
        _origin(outcome, manifest),
    ]
    return page("tinyml evaluate", name, outcome["note"], "".join(sections), "evaluation")


def _summary(outcome: Figures) -> str:
    text = (
        f"Measured on a computer {level('host')}: the integer features and the int8 model that the board "
        "runs, clip by clip. Smoothing over time and the threshold take no part here."
    )
    return report_measures.summary(outcome, "clip", text)


def _confusion(outcome: Figures) -> str:
    text = "Each row is what was said, each column what the int8 model answered."
    return report_measures.confusion(outcome, "said ↓ heard →", text)


def _mistakes(outcome: Figures, manifest: Manifest, examples: EvaluationSet) -> str:
    if not outcome["mistakes"]:
        return section("Worst mistakes", "<p>None.</p>")
    cards = "".join(_mistake(entry, manifest, examples) for entry in outcome["mistakes"])
    text = "Wrong and sure of it. Listen before you blame the model: some clips may be labelled wrongly."
    return section("Worst mistakes", f'<div class="cards">{cards}</div>', text)


def _mistake(entry: Figures, manifest: Manifest, examples: EvaluationSet) -> str:
    row = entry["index"]
    audio = examples.audio[row]
    sound = ""
    # A task without sound gives arrays too short to be a clip.
    if manifest.features is not None and manifest.features.frames(audio.size) > 0:
        uri = wav_uri(audio, manifest.features.sample_rate_hz)
        sound = f'<audio controls preload="none" src="{uri}"></audio>'
    # Folders such as _silence_ are no words.
    same = entry["word"] == entry["label"] or entry["word"].startswith("_")
    said = entry["label"] if same else f"{entry['word']} ({entry['label']})"
    return (
        f'<article><img alt="Features of the clip" src="{features_uri(examples.features[row])}">'
        f"<p><b>{escape(said)}</b> → <b>{escape(entry['answer'])}</b> at {percent(entry['score'])}; "
        f"the truth got {percent(entry['true_score'])}</p><p class='muted'>{escape(entry['speaker'])}</p>"
        f"{sound}</article>"
    )


def _origin(outcome: Figures, manifest: Manifest) -> str:
    rows = [["Model", escape(manifest.model.name) if manifest.model else "–"]]
    for name in (MODEL_INT8, MODEL_FLOAT32):
        entry = manifest.artifacts[name]
        rows.append([escape(name), f"{entry.bytes:,} bytes, sha256 <code>{entry.sha256[:16]}…</code>"])
    if manifest.data is not None:
        trained = "synthetic speech" if manifest.data.source == "synthetic" else "recordings"
        rows.append(["Trained on", f"{trained}, split by {escape(manifest.data.split_by)}"])
    rows.append(["Seed", str(manifest.seed)])
    rows.append(
        ["Made by", f"tinyml {escape(__version__)}; all figures are in <code>report/metrics.json</code>"]
    )
    return section("Where this comes from", table(["", ""], rows, "plain"))
