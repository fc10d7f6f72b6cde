"""`tinyml evaluate`: how many clips are judged right, and how well claps are counted in streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clap_counter.recipe import CLAP, CLIP_MS, LABELS, ClapRecipe
from clap_counter.sounds import STREAM_MS, Stream, streams
from tinyml_cli import registry
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.evaluation import on_device
from tinyml_cli.evaluation.answers import Int8Model, answer
from tinyml_cli.evaluation.embed import features_uri, wav_uri
from tinyml_cli.evaluation.measures import measure
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.evaluation.outcome_files import write_outcome
from tinyml_cli.manifest import Manifest
from tinyml_cli.pages import report
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.statistics.rates import poisson_interval
from tinyml_cli.tasks.kws.detection_errors import Target, match
from tinyml_cli.tasks.kws.recognizer import RecognizerConfig
from tinyml_cli.tasks.kws.stream_recognizer import detections, smooth
from tinyml_cli.tasks.kws.stream_scores import score_stream


def evaluate(
    run: Run, recipe: ClapRecipe, examples: EvaluationSet, options: EvaluationOptions
) -> dict[str, Any]:
    """Judges both flatbuffers by clips; the int8 model, with the board's recogniser, by streams."""
    manifest = run.manifest()
    float_model = run.require(manifest, MODEL_FLOAT32).read_bytes()
    model = Int8Model(run.require(manifest, MODEL_INT8).read_bytes())
    device = on_device.answers_to_some(
        run,
        options,
        model,
        examples.features,
        examples.labels,
        "Play it: tinyml monitor",
    )
    counts = count(model, manifest, streams(recipe, recipe.sound.streams))
    outcome: dict[str, Any] = {
        "run": str(run.path),
        "data": None,
        "note": examples.note,
        "n": len(examples.labels),
        "labels": manifest.labels,
        **measure(tuple(manifest.labels), examples, answer(float_model, model, examples.features)),
        "counts": counts,
        "device": device,
        "verdict": _verdict(counts),
    }
    media = [_shown(entry, examples, recipe.features.sample_rate_hz) for entry in outcome["mistakes"]]
    name, items = run.path.resolve().name, registry.task(manifest.task).items(manifest)
    page = report.classifier("clap_counter:claps.html", name, outcome, manifest, items, media)
    write_outcome(run, outcome, page)
    return outcome


def count(model: Int8Model, manifest: Manifest, heard: Sequence[Stream]) -> dict[str, Any]:
    """True and counted claps of each stream, in the integers of the firmware."""
    settings = RecognizerConfig.of(manifest.recognizer, manifest.labels, model.output)
    pairs, found, extra = [], 0, 0
    for stream in heard:
        scores = score_stream(stream.audio, model, manifest)
        reported = detections(smooth(scores.times_ms, scores.scores, settings), settings)
        targets = [Target(at_ms, at_ms, LABELS.index(CLAP)) for at_ms in stream.claps_ms]
        matched = match(targets, reported, CLIP_MS + manifest.recognizer.average_window_ms)
        pairs.append((len(targets), len(reported)))
        found += len(matched.hits)
        extra += len(matched.repeats) + len(matched.false_accepts)
    true, counted = np.array(pairs).T
    right, claps, minutes = int((true == counted).sum()), int(true.sum()), len(heard) * STREAM_MS / 60_000
    by_claps = {int(number): counted[true == number] for number in np.unique(true)}
    return {
        "streams": len(heard),
        "right": right,
        "right_ci95": list(wilson_interval(right, len(heard))),
        "claps": claps,
        "found": found,
        "found_ci95": list(wilson_interval(found, claps)),
        "extra": extra,
        "minutes": minutes,
        "extra_per_minute_ci95": list(poisson_interval(extra, minutes)),
        "by_claps": [
            {
                "claps": claps,
                "streams": len(some),
                "right": int((some == claps).sum()),
                "mean": float(some.mean()),
            }
            for claps, some in by_claps.items()
        ],
    }


def _verdict(counts: dict[str, Any]) -> str:
    low, high = counts["right_ci95"]
    return (
        f"Claps were counted right in {counts['right']} of {counts['streams']} streams (95 % interval "
        f"{low:.1%}–{high:.1%}): {counts['found']} of {counts['claps']} claps found, "
        f"{counts['extra']} too many."
    )


def _shown(entry: dict[str, Any], examples: EvaluationSet, rate_hz: int) -> report.Shown:
    row, about = entry["index"], f"{entry['label']}, classified as {entry['answer']}"
    picture, sound = features_uri(examples.features[row]), wav_uri(examples.audio[row], rate_hz)
    return report.Shown(entry["label"], about, picture, sound, source=entry["speaker"])
