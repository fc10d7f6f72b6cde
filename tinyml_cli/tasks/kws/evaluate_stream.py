"""`tinyml evaluate-stream`: false accepts, misses and latency of a run on long audio."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from tinyml_cli.console import console
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.outcomes.evaluations import Parity
from tinyml_cli.outcomes.streams import (
    Allowance,
    EvaluatedStream,
    FalseAccept,
    StreamTuning,
)
from tinyml_cli.run import MODEL_INT8, Run, writes
from tinyml_cli.tasks.kws import det_curve, stream_report, stream_source
from tinyml_cli.tasks.kws.operating_point import OperatingPointTrial, ScoredStream, Tally
from tinyml_cli.tasks.kws.stream_figures import allowance, figures, mlperf_rule
from tinyml_cli.tasks.kws.stream_options import StreamOptions
from tinyml_cli.tasks.kws.stream_scores import features_of, inferences, score_blocks
from tinyml_cli.tasks.kws.stream_summary import show
from tinyml_cli.tasks.kws.stream_triggers import save_triggers
from tinyml_cli.tasks.kws.tuned_settings import choose
from tinyml_cli.tflite.compare import tflm_mismatches
from tinyml_cli.tflite.interpret import reference_runtime
from tinyml_cli.wording import counted

DET = "report/stream_det.png"

# The two splits' streams never share a seed.
_SEEDS = {"validation": 1, "test": 2}
_NOT_IN_MANIFEST = ("run", "det", "det_snr_db", "false_accept_list", "scenes", "snr_db")


@writes
def evaluate_stream(run: Run, options: StreamOptions) -> EvaluatedStream:
    """Processes long audio with the firmware's front end, model and recogniser, and counts the errors.

    With `max_fa_per_hour` it first chooses the recogniser's settings on validation streams and writes them
    to the manifest, from which the next build takes them.

    Returns:
        Also written to report/stream.json, drawn in report/stream_det.png, and summarised in the manifest.

    Raises:
        TinymlError: a run without sound, a missing or stale model, unusable audio, truth or data.
    """
    manifest = run.manifest()
    features = features_of(manifest)
    model = Int8Model(run.require(manifest, MODEL_INT8).read_bytes())
    notes: list[str] = []
    if options.stream is None:
        parts = _built(run, manifest, options, "test", notes)
    else:
        parts = stream_source.recorded(options.stream, options.truth, manifest, features.sample_rate_hz)
        notes.append(f"{counted(len(parts), 'recording')} of {options.stream.name}")
    tuning = _tune(run, manifest, model, options, notes) if options.max_fa_per_hour is not None else None
    streams = _hear(parts, model, manifest, "Listening")
    trial = OperatingPointTrial(streams, model.output, manifest.labels)
    tally = trial.tally(manifest.recognizer)
    saved = {}
    if options.save_triggers is not None:
        saved["triggers"] = save_triggers(
            options.save_triggers, tally, parts, manifest.labels, features.sample_rate_hz, manifest.clip_ms
        )
    det, det_snr_db = det_curve.det_points(trial, manifest.recognizer)
    outcome = EvaluatedStream.extending(
        figures(tally, manifest.labels),
        run=str(run.path),
        source="built" if options.stream is None else "recordings",
        note="; ".join(notes),
        streams=[part.name for part in parts],
        recognizer=manifest.recognizer,
        mlperf_rule=mlperf_rule(tally, streams),
        allowance=_allowance(options, tally),
        tuning=tuning,
        tflm=_compare(model, streams),
        det=det,
        det_snr_db=det_snr_db,
        false_accept_list=_false_accepts(tally, parts, streams, manifest),
        **saved,
    )
    _write(run, manifest.recognizer, outcome, tuning is not None)
    stream_report.keep(run, outcome, parts, features.sample_rate_hz, manifest.clip_ms)
    show(outcome)
    return outcome


def _built(
    run: Run, manifest: Manifest, options: StreamOptions, split: str, notes: list[str]
) -> list[stream_source.StreamPart]:
    from tinyml_cli.tasks.kws.streams import load_material

    material = load_material(run, manifest, options.data, "validation" if split == "validation" else "test")
    notes.append(material.note)
    return stream_source.built(material, manifest.labels, options.seconds, [manifest.seed, _SEEDS[split]])


def _hear(
    parts: Sequence[stream_source.StreamPart], model: Int8Model, manifest: Manifest, description: str
) -> list[ScoredStream]:
    total = sum(inferences(part.samples, manifest) for part in parts)
    heard = []
    with console.progress(total, description) as bar:
        for part in parts:
            stream = part.open()
            scores = score_blocks(stream.blocks, model, manifest, bar.advance)
            heard.append(ScoredStream(scores, stream.targets, stream.said, stream.scenes))
    return heard


def _tune(
    run: Run, manifest: Manifest, model: Int8Model, options: StreamOptions, notes: list[str]
) -> StreamTuning:
    """Chooses the operating point on validation streams and sets it in `manifest`."""
    assert options.max_fa_per_hour is not None
    streams = _hear(_built(run, manifest, options, "validation", notes), model, manifest, "Validation")
    trial = OperatingPointTrial(streams, model.output, manifest.labels)
    best, tuning = choose(trial, manifest.recognizer, features_of(manifest), options.max_fa_per_hour)
    manifest.recognizer = best.recognizer
    if not tuning.allowance.met:
        console.warn(
            f"No settings reach {options.max_fa_per_hour:g} false accepts per hour on the validation "
            f"streams; the best reach {best.false_accepts_per_hour:.2f}. Train with more other words, or "
            "allow more."
        )
    elif best.misses > best.targets / 2:
        console.warn(
            f"The settings that reach {options.max_fa_per_hour:g} false accepts per hour miss "
            f"{best.misses} of {counted(best.targets, 'word')} on the validation streams. Train with "
            "more other words, or allow more."
        )
    return tuning


def _allowance(options: StreamOptions, tally: Tally) -> Allowance | None:
    if options.max_fa_per_hour is None:
        return None
    return allowance(options.max_fa_per_hour, tally.false_accepts, tally.hours)


def _compare(model: Int8Model, streams: Sequence[ScoredStream]) -> Parity:
    """The difference between LiteRT, which scored the streams, and TensorFlow Lite Micro on some windows."""
    inputs = np.concatenate([stream.scores.sample for stream in streams])
    outputs = np.concatenate([stream.scores.scores[stream.scores.sample_at] for stream in streams])
    mismatches, largest = tflm_mismatches(model.model, inputs, outputs)
    return Parity(
        oracle=reference_runtime(), compared=len(inputs), mismatches=mismatches, max_difference=largest
    )


def _false_accepts(
    tally: Tally,
    parts: Sequence[stream_source.StreamPart],
    streams: Sequence[ScoredStream],
    manifest: Manifest,
) -> list[FalseAccept]:
    return [
        FalseAccept(
            stream=part.name,
            t_s=detection.time_ms / 1000,
            label=manifest.labels[detection.label],
            score=detection.score_permille / 1000,
            said=stream.said_at(detection.time_ms - manifest.clip_ms, detection.time_ms),
            scene=stream.scene_at(detection.time_ms),
        )
        for part, stream, matched in zip(parts, streams, tally.matched, strict=True)
        for detection in matched.false_accepts
    ]


def _write(run: Run, recognizer: RecognizerSettings, outcome: EvaluatedStream, is_tuned: bool) -> None:
    document = outcome.as_dict()
    write_atomic(run.file(stream_report.STREAM), json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    manifest = run.manifest()
    made = [stream_report.STREAM]
    if outcome.false_rejects.of:
        title = (
            f"{run.path.resolve().name}: {outcome.hours:.2g} h, {counted(outcome.false_rejects.of, 'word')}"
        )
        det_curve.det_png(run.file(DET), outcome.det, recognizer.threshold, outcome.hours, title)
        made.append(DET)
    else:
        run.file(DET).unlink(missing_ok=True)
        manifest.artifacts.pop(DET, None)
    if is_tuned:
        manifest.recognizer = recognizer
    kept = {key: value for key, value in document.items() if key not in _NOT_IN_MANIFEST}
    manifest.metrics["stream"] = kept
    for name in made:
        run.record(manifest, name, "tinyml evaluate-stream", [MODEL_INT8])
    run.save(manifest)
