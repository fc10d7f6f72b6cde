"""Delay to detection and false alarms of the board's own tests of drift, on simulated changes.

    python benchmarks/drift_watch.py RUN --people speech_commands/ [--hours 0.5]

RUN is a keyword run on synthetic speech after `tinyml watch-drift`, which chooses the tests on streams of the
validation voices; everything here is by the test voices, or by people. Each condition is so many hours of
streams, scored once; days are drawn from them by pieces of ten minutes, two hours of normal running before
each change. So the intervals cover the course of time, not other voices or rooms. Labelled answers (one word
in twelve minutes has its truth known) go through the test of errors of `tinyml drift --feedback`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import backbone
from tinyml_cli import recipes
from tinyml_cli.data.clips import UNKNOWN
from tinyml_cli.data.noise import coloured
from tinyml_cli.drift.errors import judge_errors
from tinyml_cli.drift.page_test import PageTest
from tinyml_cli.drift.watch import block_means, drawn, evidence
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.features.drift_settings import SIGNALS, DriftWatch
from tinyml_cli.manifest import Manifest
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.run import MODEL_INT8, RECIPE, Run
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.statistics.rates import poisson_interval
from tinyml_cli.tasks.kws import normal_running, voice_streams
from tinyml_cli.tasks.kws.busy_streams import BusyStream
from tinyml_cli.tasks.kws.default_point import STREAM_S, mix_of, streams_of, targets_of
from tinyml_cli.tasks.kws.operating_point import OperatingPointTrial, ScoredStream
from tinyml_cli.tasks.kws.stream_scores import score_stream

Audio = NDArray[np.int16]
Change = Callable[[Audio, np.random.Generator], Audio]

TRIALS, BEFORE, LONGEST_H = 200, 240, 48
FALSE_ALARM_DAYS, ANSWERS_AN_HOUR = 400, 5
GAINS_DB = (0, -20, -40)


def gained(db: float) -> Change:
    return lambda audio, rng: _int16(audio * 10 ** (db / 20))


def hissing(dbfs: float) -> Change:
    """A machine that runs all the time; each stream has another spectrum."""

    def change(audio: Audio, rng: np.random.Generator) -> Audio:
        return _int16(audio + coloured(1, len(audio), rng)[0] * 32768 * 10 ** (dbfs / 20))

    return change


def muffled(cutoff_hz: float) -> Change:
    """Dust in the microphone's hole: a low-pass of first order, twice."""

    def change(audio: Audio, rng: np.random.Generator) -> Audio:
        from scipy.signal import lfilter

        share = 1 - np.exp(-2 * np.pi * cutoff_hz / backbone.RATE_HZ)
        once = lfilter([share], [1, share - 1], audio.astype(np.float64))
        return _int16(lfilter([share], [1, share - 1], once))

    return change


CHANGES: dict[str, Change] = {
    "microphone 20 dB less": gained(-20),
    "microphone 40 dB less": gained(-40),
    "new noise, -30 dBFS": hissing(-30),
    "muffled at 400 Hz": muffled(400),
}


@dataclasses.dataclass
class Condition:
    """Block means of each signal, a stream each, and the words that were spoken and missed."""

    means: dict[str, list[NDArray[np.int64]]]
    words: int
    missed: int

    @property
    def error_rate(self) -> float:
        return self.missed / self.words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run")
    parser.add_argument("--people", type=Path, help="a folder of Speech Commands' layout: new voices")
    parser.add_argument("--hours", type=float, default=0.5, help="of streams of each condition")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    run = Run.open(asked.run)
    print(json.dumps(measure(run, asked), indent=1))


def measure(run: Run, asked: argparse.Namespace) -> dict[str, Any]:
    manifest = run.manifest()
    recipe = recipes.load_as(run.file(RECIPE), KwsRecipe)
    model = Int8Model(run.require(manifest, MODEL_INT8).read_bytes())
    watch = manifest.drift_watch
    if watch is None:
        sys.exit(f"{run.path} has no tests yet: tinyml watch-drift {run.path}")
    count = max(1, round(asked.hours * 3600 / STREAM_S))
    streams = [streams_of(recipe, "test").make(number, STREAM_S) for number in range(count)]

    def condition(change: Change | None, of: list[BusyStream] | None = None) -> Condition:
        return scored(of or streams, change, model, manifest, watch)

    normal = condition(None)
    found: dict[str, Any] = {"watch": watch.model_dump(), "normal": false_alarms(normal, watch, asked.seed)}
    changed = {name: condition(change) for name, change in CHANGES.items()}
    if asked.people is not None:
        changed["other voices: people"] = condition(None, list(by_people(recipe, asked.people, count)))
    swapped = dataclasses.replace(normal, missed=normal.words - round(0.05 * (normal.words - normal.missed)))
    changed["mislabelled world: the words change places"] = swapped
    ladder = {0: normal, -20: changed["microphone 20 dB less"], -40: changed["microphone 40 dB less"]}
    hours = partial(slow, ladder, 10 * blocks_an_hour(watch))
    found["slow gain drift, 40 dB in 10 h"] = delays(normal, hours, watch, asked.seed)
    for name, each in changed.items():
        found[name] = delays(normal, partial(both_drawn, each), watch, asked.seed, each)
    return found


def scored(
    streams: list[BusyStream], change: Change | None, model: Int8Model, manifest: Manifest, watch: DriftWatch
) -> Condition:
    means: dict[str, list[NDArray[np.int64]]] = {signal: [] for signal in SIGNALS}
    tried = []
    for number, stream in enumerate(streams):
        rng = np.random.default_rng([7, number])
        audio = stream.audio if change is None else change(stream.audio, rng)
        found = score_stream(audio, model, manifest)
        signals = normal_running.watched(audio, found.scores, model, manifest)
        for signal, values in zip(SIGNALS, signals, strict=True):
            means[signal].append(block_means(values, watch.block_inferences))
        tried.append(ScoredStream(found, targets_of(stream, backbone.RATE_HZ)))
    print(f"scored {len(tried)} streams", file=sys.stderr, flush=True)
    tally = OperatingPointTrial(tried, model.output, manifest.labels).tally(manifest.recognizer)
    return Condition(means, tally.targets, tally.misses)


def by_people(recipe: KwsRecipe, folder: Path, count: int) -> Iterator[BusyStream]:
    """Streams whose words are said by people; what else is spoken is as before."""
    everyone = backbone.people(folder)
    labels = np.where(np.isin(everyone.labels, recipe.words), everyone.labels, UNKNOWN)
    clips = dataclasses.replace(everyone, labels=labels)
    made = voice_streams.of_split(recipe, clips, [], "test", [recipe.seed, 77], mix_of(recipe))
    return (made.make(number, STREAM_S) for number in range(count))


def blocks_an_hour(watch: DriftWatch) -> float:
    return watch.inferences_per_day / watch.block_inferences / 24


def false_alarms(normal: Condition, watch: DriftWatch, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, 1])
    blocks = round(FALSE_ALARM_DAYS * 24 * blocks_an_hour(watch))
    counts: dict[str, int] = {}
    for signal in SIGNALS:
        test = PageTest(getattr(watch, signal), 1)
        days = drawn(normal.means[signal], blocks, rng).tolist()
        counts[signal] = sum(test.push_mean(mean) and test.drifting for mean in days)
    events = sum(counts.values())
    low, high = poisson_interval(events, FALSE_ALARM_DAYS)
    return {
        "days": FALSE_ALARM_DAYS, "alarms": counts, "a day": events / FALSE_ALARM_DAYS,
        "interval": (round(low, 3), round(high, 3)), "words": normal.words, "missed": normal.missed,
        "blocks": sum(map(len, normal.means["score"])),
    }  # fmt: skip


def delays(
    normal: Condition,
    changed: Callable[[np.random.Generator, int], dict[str, NDArray[np.int64]]],
    watch: DriftWatch,
    seed: int,
    errors: Condition | None = None,
) -> dict[str, Any]:
    """Minutes from the change to the first event that drift began, of each signal and of either."""
    hour = blocks_an_hour(watch)
    blocks = round(LONGEST_H * hour)
    found: dict[str, list[float]] = {"score": [], "input": [], "either": [], "labels": []}
    for trial in range(TRIALS):
        rng = np.random.default_rng([seed, 2, trial])
        before, after = both_drawn(normal, rng, BEFORE), changed(rng, blocks)
        firsts = {signal: _first(watch, signal, before[signal], after[signal]) for signal in SIGNALS}
        for signal, first in firsts.items():
            found[signal].append(first / hour * 60)
        found["either"].append(min(firsts.values()) / hour * 60)
        if errors is not None:
            answers = rng.random(ANSWERS_AN_HOUR * LONGEST_H) < errors.error_rate
            told = judge_errors(answers, normal.error_rate).found_after
            found["labels"].append(float("inf") if told is None else told / ANSWERS_AN_HOUR * 60)
    return {
        "missed words": None if errors is None else (errors.missed, errors.words),
        **{name: _summary(np.array(minutes)) for name, minutes in found.items() if minutes},
    }


def _first(watch: DriftWatch, signal: str, before: NDArray[Any], after: NDArray[Any]) -> float:
    """Blocks to the first alarm; a false one before the change starts the tests anew."""
    settings = getattr(watch, signal)
    found = float("inf")
    for limits in (settings.sudden, settings.slow):
        for sign in (1, -1):
            steps = [sign * (means - settings.reference) - limits.delta for means in (before, after)]
            both = evidence(np.concatenate(steps))
            if (both[: len(before)] >= limits.threshold).any():
                both = np.concatenate([steps[0], evidence(steps[1])])
            reached = np.flatnonzero(both[len(before) :] >= limits.threshold)
            found = min(found, reached[0] + 1 if len(reached) else found)
    return found


def both_drawn(condition: Condition, rng: np.random.Generator, blocks: int) -> dict[str, NDArray[np.int64]]:
    """Both signals of the same pieces."""
    state = int(rng.integers(1 << 60))
    return {
        signal: drawn(streams, blocks, np.random.default_rng(state))
        for signal, streams in condition.means.items()
    }


def slow(
    ladder: dict[int, Condition], over: float, rng: np.random.Generator, blocks: int
) -> dict[str, NDArray[np.int64]]:
    at = np.minimum(np.arange(blocks) / over, 1.0) * (len(GAINS_DB) - 1)
    rung = np.floor(at + rng.random(blocks)).astype(int).clip(0, len(GAINS_DB) - 1)
    made = [both_drawn(ladder[db], rng, blocks) for db in GAINS_DB]
    return {signal: np.stack([each[signal] for each in made])[rung, np.arange(blocks)] for signal in SIGNALS}


def _summary(minutes: NDArray[np.float64]) -> dict[str, Any]:
    seen = np.isfinite(minutes)
    low, high = wilson_interval(int(seen.sum()), len(minutes))
    quantiles = np.quantile(minutes[seen], [0.1, 0.5, 0.9]).round(1).tolist() if seen.any() else None
    return {"found": int(seen.sum()), "of": len(minutes), "interval": (round(low, 3), round(high, 3)),
            "minutes 10, 50, 90 %": quantiles}  # fmt: skip


def _int16(values: NDArray[Any]) -> Audio:
    audio: Audio = np.clip(np.rint(values), -32768, 32767).astype(np.int16)
    return audio


if __name__ == "__main__":
    main()
