"""report.html for sound clips: the results of evaluate, with the worst mistakes to listen to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyml_cli import registry
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.evaluation.embed import features_uri, wav_uri
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.evaluations import EvaluatedClips, Mistake
from tinyml_cli.pages import report
from tinyml_cli.pages.report import Shown

if TYPE_CHECKING:
    from markupsafe import Markup


def render(
    name: str,
    outcome: EvaluatedClips,
    manifest: Manifest,
    examples: EvaluationSet,
    streams: Markup | str = "",
) -> str:
    """The page as text.

    Args:
        name: the run.
        outcome: what was measured.
        manifest: gives hashes and sizes.
        examples: gives the sounds and features of the worst mistakes.
        streams: what is shown of hours of audio.
    """
    media = [shown(entry, manifest, examples) for entry in outcome.mistakes]
    return report.classifier(
        "kws.html",
        name,
        outcome,
        manifest,
        registry.task(manifest.task).items(manifest),
        media,
        corner="spoken ↓ predicted →",
        streams=streams,
    )


def shown(entry: Mistake, manifest: Manifest, examples: EvaluationSet) -> Shown:
    """A wrong answer as reports of sound show it: to see and to hear."""
    picture, sound = seen_and_heard(entry.index, manifest, examples)
    # Folders such as _silence_ are not words.
    same = entry.word == entry.label or entry.word.startswith("_")
    said = entry.label if same else f"{entry.word} ({entry.label})"
    return Shown(
        truth=said,
        about=f"{said}, classified as {entry.answer}",
        picture=picture,
        sound=sound,
        source=entry.speaker,
    )


def seen_and_heard(row: int, manifest: Manifest, examples: EvaluationSet) -> tuple[str, str]:
    """Data URIs of an item's features, and of its sound; the latter empty where there is none."""
    audio, features = examples.audio[row], manifest.features
    # A task without sound gives arrays too short to be a clip.
    is_sound = features is not None and features.frames(audio.size) > 0
    return features_uri(examples.features[row]), (
        wav_uri(audio, features.sample_rate_hz) if is_sound and features else ""
    )
