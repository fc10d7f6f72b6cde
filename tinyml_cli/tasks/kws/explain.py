"""`tinyml explain`: why a recording triggers or not, by the firmware's front end, model and recogniser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.evaluation.frame import section
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.explanations import ExplainedClip, HeardClip, Inference, Word
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tasks.kws.hearing import Hearing, hear
from tinyml_cli.tasks.kws.recognizer import FIRST_WORD, RecognizerStep
from tinyml_cli.tasks.kws.replay import LEAD_IN_MS
from tinyml_cli.wording import counted

MAX_SECONDS = 60


def explain(clip: Path, run: Run, out: Path | None = None) -> ExplainedClip:
    """Runs a recording through the pipeline, draws the result, and gives the reason.

    Args:
        clip: a recording of at most a minute.
        run: a keyword-spotting run with an int8 model.
        out: the picture; report/explain-CLIP.png in the run by default.

    Returns:
        Times count from the start of the recording.

    Raises:
        TinymlError: an unreadable or too long recording.
    """
    manifest = run.manifest()
    features = section(run, manifest.features, "features")
    model = Int8Model(run.require(manifest, MODEL_INT8).read_bytes())
    hearing = hear(_read(clip, features.sample_rate_hz), model, manifest)
    picture = out or run.file(f"report/explain-{clip.stem}.png")
    outcome = ExplainedClip.extending(
        describe(hearing, manifest), clip=str(clip), run=str(run.path), picture=str(picture)
    )
    from tinyml_cli.tasks.kws.explain_picture import draw

    with run.writing_to(picture):
        draw(picture, hearing, manifest, outcome)
    return outcome


def describe(hearing: Hearing, manifest: Manifest) -> HeardClip:
    """The result of `explain` without clip, run and picture."""
    labels = manifest.labels
    detections = [
        Word(
            label=labels[step.reported.label],
            score=step.reported.score_permille / 1000,
            t_ms=step.time_ms - LEAD_IN_MS,
        )
        for step in hearing.steps
        if step.reported is not None
    ]
    best = max(detections, key=lambda word: word.score, default=None)
    return HeardClip(
        labels=labels,
        threshold=manifest.recognizer.threshold,
        heard=best.label if best else None,
        why=_why_heard(best) if best else _why_not(hearing.steps, manifest),
        detections=detections,
        inferences=[
            Inference(
                t_ms=step.time_ms - LEAD_IN_MS,
                scores=scores.tolist(),
                averages=[value / 1000 for value in step.averages_permille],
                reason=step.reason,
            )
            for step, scores in zip(hearing.steps, hearing.scores, strict=True)
        ],
    )


def _why_heard(best: Word) -> str:
    """Gives the time in the recording, and in the board's stream, which begins with the lead-in."""
    return (
        f"Heard `{best.label}`: its average reached {best.score:.0%} at "
        f"{best.t_ms / 1000:.2f} s of "
        f"the recording (monitor --replay: @{best.t_ms + LEAD_IN_MS}ms)."
    )


def _why_not(steps: list[RecognizerStep], manifest: Manifest) -> str:
    """The highest average of a word and the condition it failed, or the word that waited in vain."""
    waiting = next((step for step in steps if step.reason == "waits"), None)
    if waiting is not None:
        return (
            f"Nothing was heard: `{manifest.labels[waiting.best]}` passed at "
            f"{(waiting.time_ms - LEAD_IN_MS) / 1000:.2f} s of the recording, but had to wait because "
            "another word starts with it, and that word won in the end."
        )
    threshold = round(manifest.recognizer.threshold * 1000)
    step, word = max(
        ((step, label) for step in steps for label in range(FIRST_WORD, len(manifest.labels))),
        key=lambda pair: pair[0].averages_permille[pair[1]],
    )
    value = step.averages_permille[word]
    start = (
        f"Nothing was heard: `{manifest.labels[word]}` came closest, with an average of "
        f"{value / 1000:.0%} "
        f"at {(step.time_ms - LEAD_IN_MS) / 1000:.2f} s of the recording"
    )
    if value < threshold:
        other = f"; `{manifest.labels[step.best]}` was higher" if step.best != word else ""
        return f"{start}, below the threshold of {threshold / 1000:.0%}{other}."
    if step.best != word:
        return f"{start}, but `{manifest.labels[step.best]}` was higher."
    return (
        f"{start}, but after {counted(step.count, 'inference')}; {manifest.recognizer.minimum_count} are "
        "needed."
    )


def _read(clip: Path, sample_rate_hz: int) -> npt.NDArray[np.int16]:
    if not clip.is_file():
        raise TinymlError("The recording does not exist", str(clip), "Give a WAV, FLAC or OGG file.")
    try:
        audio = read_audio(clip, sample_rate_hz)
    except UnreadableAudioError as error:
        raise TinymlError(
            f"Cannot read the recording: {error}", str(clip), "Give a WAV, FLAC or OGG file."
        ) from error
    if len(audio) > MAX_SECONDS * sample_rate_hz:
        raise TinymlError(
            f"The recording lasts {len(audio) / sample_rate_hz:.0f} s; at most {MAX_SECONDS} s can be drawn",
            str(clip),
            "Cut out the relevant part.",
        )
    return audio
