"""Recall of real words in streams, by noise, against false accepts an hour.

python benchmarks/kws_streams.py RUN [RUN …] --data speech_commands/ [--json FILE]

Every clip of the run's words follows two seconds of background: faint noise, or recordings at 15 and 5 dB
below the word. False accepts are counted in all other clips, joined with 0.3 s of faint noise, and in the
background recordings. The front end runs through each stream without a reset, as on a board.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import folder
from tinyml_cli.data.noise import unit_rms
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.statistics.rates import poisson_interval
from tinyml_cli.tasks.kws.detection_errors import Target
from tinyml_cli.tasks.kws.noise_sweep import speech_rms
from tinyml_cli.tasks.kws.operating_point import OperatingPointTrial, ScoredStream
from tinyml_cli.tasks.kws.stream_audio import word_bounds
from tinyml_cli.tasks.kws.stream_scores import score_stream

NOISE_DB = {"clean": None, "15 dB": 15.0, "5 dB": 5.0}
ALLOWED_PER_HOUR = (10.0, 2.0, 0.5)
CLIP_S = 1.0  # of the recordings, whatever the network's window is
_LEAD_IN_S, _TAIL_S, _GAP_S = 2.0, 1.0, 0.3
_FAINT_LSB = 4.0
_STREAM_S = 600
_THRESHOLDS = np.arange(0.20, 0.996, 0.01)

Audio = NDArray[np.int16]


@dataclass(frozen=True)
class Material:
    """Spoken clips of the run's words with their labels, other sound, and recordings of background."""

    words: list[tuple[Audio, int]]
    others: list[Audio]
    backgrounds: list[Audio]


def load(data: Path, manifest: Manifest, limit: int | None) -> Material:
    """The material of a folder in the Speech Commands layout."""
    assert manifest.features is not None
    rate_hz = manifest.features.sample_rate_hz
    samples = round(CLIP_S * rate_hz)
    targets = manifest.labels[2:]
    clips = folder.read_recordings(folder.list_recordings(data, targets), rate_hz, samples)
    spoken = [np.flatnonzero(clips.labels == word)[:limit] for word in targets]
    words = [(clips.audio[row], 2 + index) for index, rows in enumerate(spoken) for row in rows]
    others = list(clips.audio[~np.isin(clips.labels, targets)])
    backgrounds = folder.read_backgrounds(data, rate_hz, samples)
    return Material(words, others, [backgrounds[name] for name in sorted(backgrounds)])


def positives(material: Material, snr_db: float | None, rate_hz: int) -> list[tuple[Audio, list[Target]]]:
    """Streams of about ten minutes: background, word, background, word …, with the place of each word."""
    rng = np.random.default_rng(1)
    streams: list[tuple[Audio, list[Target]]] = []
    parts: list[NDArray[np.float32]] = []
    targets: list[Target] = []
    at = 0
    for audio, label in material.words:
        before, after = round(_LEAD_IN_S * rate_hz), round(_TAIL_S * rate_hz)
        piece = np.zeros(before + len(audio) + after, np.float32)
        piece[before : before + len(audio)] = audio
        if snr_db is None:
            piece += rng.normal(0, _FAINT_LSB, len(piece))
        else:
            source = material.backgrounds[int(rng.integers(len(material.backgrounds)))]
            start = int(rng.integers(len(source) - len(piece)))
            bed = unit_rms(source[None, start : start + len(piece)].astype(np.float32))[0]
            piece += bed * float(speech_rms(audio[None])[0]) * 10 ** (-snr_db / 20)
        first_s, last_s = word_bounds(audio, rate_hz)
        targets.append(
            Target(*(round(((at + before) / rate_hz + s) * 1000) for s in (first_s, last_s)), label)
        )
        parts.append(piece)
        at += len(piece)
        if at > _STREAM_S * rate_hz:
            streams.append((_int16(np.concatenate(parts)), targets))
            parts, targets, at = [], [], 0
    return [*streams, (_int16(np.concatenate(parts)), targets)] if parts else streams


def negatives(material: Material, rate_hz: int) -> list[Audio]:
    """Other words joined with faint noise, and the background recordings."""
    rng = np.random.default_rng(2)
    gap = round(_GAP_S * rate_hz)
    pieces = []
    for clip in material.others:
        pieces += [clip, np.rint(rng.normal(0, _FAINT_LSB, gap)).astype(np.int16)]
    joined = np.concatenate(pieces)
    size = _STREAM_S * rate_hz
    return [*np.array_split(joined, max(1, len(joined) // size)), *material.backgrounds]


def measure(run: Run, material: Material) -> dict[str, Any]:
    """Recall by noise and false accepts an hour, at the run's settings and within each limit."""
    manifest = run.manifest()
    assert manifest.features is not None
    rate_hz = manifest.features.sample_rate_hz
    model = Int8Model(run.require(manifest, MODEL_INT8).read_bytes())

    def trial(streams: list[tuple[Audio, list[Target]]]) -> OperatingPointTrial:
        heard = [ScoredStream(score_stream(audio, model, manifest), targets) for audio, targets in streams]
        return OperatingPointTrial(heard, model.output, manifest.labels)

    wrong = trial([(audio, []) for audio in negatives(material, rate_hz)])
    right = {name: trial(positives(material, snr_db, rate_hz)) for name, snr_db in NOISE_DB.items()}
    settings = manifest.recognizer

    def at(threshold: float) -> dict[str, Any]:
        changed = settings.model_copy(update={"threshold": float(threshold)})
        tally = wrong.tally(changed)
        recalls = {}
        for name, each in right.items():
            found = each.tally(changed)
            recalls[name] = 1 - found.misses / found.targets
        return {
            "threshold": round(float(threshold), 3),
            "false_accepts": tally.false_accepts,
            "per_hour": tally.false_accepts_per_hour,
            "ci95": list(poisson_interval(tally.false_accepts, wrong.hours)),
            "recall": recalls,
        }

    points = [at(threshold) for threshold in _THRESHOLDS]
    within = {}
    for limit in ALLOWED_PER_HOUR:
        allowed = [point for point in points if point["per_hour"] <= limit]
        within[f"{limit:g}"] = allowed[0] if allowed else None
    return {
        "run": str(run.path),
        "hours": wrong.hours,
        "n": len(material.words),
        "default": at(settings.threshold),
        "within": within,
    }


def _int16(sound: NDArray[np.float32]) -> Audio:
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int, help="clips of each word")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    outcomes = []
    for path in asked.runs:
        run = Run.open(path)
        outcome = measure(run, load(asked.data, run.manifest(), asked.limit))
        outcomes.append(outcome)
        print(f"{path}: {outcome['n']} words, {outcome['hours']:.2f} h of other sound")
        rows = {"default": outcome["default"], **{f"≤ {k} /h": v for k, v in outcome["within"].items()}}
        for name, point in rows.items():
            if point is not None:
                recalls = "  ".join(f"{key} {value:.3f}" for key, value in point["recall"].items())
                print(
                    f"  {name:10} threshold {point['threshold']:.2f}  {point['per_hour']:6.1f} /h  {recalls}"
                )
    if asked.json:
        asked.json.write_text(json.dumps(outcomes, indent=1) + "\n")


if __name__ == "__main__":
    main()
