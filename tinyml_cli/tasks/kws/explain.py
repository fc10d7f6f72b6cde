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
from tinyml_cli.tasks.kws.hearing import Hearing, hear, hear_place
from tinyml_cli.tasks.kws.recognizer import FIRST_WORD
from tinyml_cli.wording import counted

MAX_SECONDS = 60


def explain(clip: Path, run: Run, out: Path | None = None, at_s: float | None = None) -> ExplainedClip:
    """Runs a recording through the pipeline, draws the result, and gives the reason.

    Args:
        clip: a recording, of at most a minute without `at_s`.
        run: a keyword-spotting run with an int8 model.
        out: the picture; report/explain-CLIP.png in the run by default.
        at_s: a place in the recording, of which the seconds around it are explained.

    Returns:
        Times count from the start of the recording.

    Raises:
        TinymlError: an unreadable or too long recording, or a place that it does not have.
    """
    manifest = run.manifest()
    features = section(run, manifest.features, "features")
    model = Int8Model(run.require(manifest, MODEL_INT8).read_bytes())
    audio = _read(clip, features.sample_rate_hz)
    if at_s is None:
        _check_short(clip, audio, features.sample_rate_hz)
        hearing = hear(audio, model, manifest)
    else:
        _check_place(at_s, len(audio) / features.sample_rate_hz, manifest.clip_ms / 1000)
        hearing = hear_place(audio, round(at_s * 1000), model, manifest)
    name = clip.stem if at_s is None else f"{clip.stem}-{at_s:g}s"
    picture = out or run.file(f"report/explain-{name}.png")
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
            t_ms=step.time_ms - hearing.zero_ms,
        )
        for step in hearing.steps
        if step.reported is not None
    ]
    best = max(detections, key=lambda word: word.score, default=None)
    return HeardClip(
        labels=labels,
        threshold=manifest.recognizer.threshold,
        heard=best.label if best else None,
        why=_why_heard(best, hearing.zero_ms) if best else _why_not(hearing, manifest),
        detections=detections,
        inferences=[
            Inference(
                t_ms=step.time_ms - hearing.zero_ms,
                scores=scores.tolist(),
                averages=[value / 1000 for value in step.averages_permille],
                reason=step.reason,
            )
            for step, scores in zip(hearing.steps, hearing.scores, strict=True)
        ],
    )


def _why_heard(best: Word, zero_ms: int) -> str:
    """Gives the time in the recording, and in the board's stream, which begins with the lead-in."""
    replayed = f" (monitor --replay: @{best.t_ms + zero_ms}ms)" if zero_ms else ""
    return (
        f"Heard `{best.label}`: its average reached {best.score:.0%} at {best.t_ms / 1000:.2f} s of "
        f"the recording{replayed}."
    )


def _why_not(hearing: Hearing, manifest: Manifest) -> str:
    """The highest average of a word and the condition it failed, or the word that waited in vain."""
    steps, zero_ms = hearing.steps, hearing.zero_ms
    waiting = next((step for step in steps if step.reason == "waits"), None)
    if waiting is not None:
        return (
            f"Nothing was heard: `{manifest.labels[waiting.best]}` passed at "
            f"{(waiting.time_ms - zero_ms) / 1000:.2f} s of the recording, but had to wait because "
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
        f"at {(step.time_ms - zero_ms) / 1000:.2f} s of the recording"
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
    return audio


def _check_short(clip: Path, audio: npt.NDArray[np.int16], sample_rate_hz: int) -> None:
    if len(audio) > MAX_SECONDS * sample_rate_hz:
        raise TinymlError(
            f"The recording lasts {len(audio) / sample_rate_hz:.0f} s; at most {MAX_SECONDS} s can be drawn",
            str(clip),
            "Say which place to explain: --at SECONDS",
        )


def _check_place(at_s: float, lasts_s: float, window_s: float) -> None:
    if lasts_s < window_s:
        raise TinymlError(
            f"The recording lasts {lasts_s:.2f} s, but the model needs {window_s:g} s", "--at", "Omit --at."
        )
    if not 0 <= at_s <= lasts_s:
        raise TinymlError(
            f"There is no place at {at_s:g} s: the recording lasts {lasts_s:.2f} s",
            "--at",
            "Give a time in seconds from its start.",
        )
