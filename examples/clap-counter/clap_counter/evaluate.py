"""`tinyml evaluate`: how many clips are judged right, and how well claps are counted in streams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clap_counter.recipe import CLAP, CLIP_MS, LABELS, ClapRecipe
from clap_counter.sounds import STREAM_MS, Stream, streams
from tinyml_cli import recipes, registry
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.evaluation.answers import Answers, Int8Model
from tinyml_cli.evaluation.of_labels import LabelEvaluation
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.base import Interval, Outcome
from tinyml_cli.outcomes.evaluations import EvaluatedLabels
from tinyml_cli.pages import report
from tinyml_cli.run import RECIPE
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.statistics.rates import poisson_interval
from tinyml_cli.tasks.kws.detection_errors import Target, match
from tinyml_cli.tasks.kws.recognizer import RecognizerConfig
from tinyml_cli.tasks.kws.report import shown
from tinyml_cli.tasks.kws.stream_recognizer import detections, smooth
from tinyml_cli.tasks.kws.stream_scores import score_stream


class StreamsOf(Outcome):
    """Streams with so many claps."""

    claps: int
    streams: int
    right: int
    mean: float


class Counts(Outcome):
    """How well claps are counted in streams."""

    streams: int
    right: int
    right_ci95: Interval
    claps: int
    found: int
    found_ci95: Interval
    extra: int
    minutes: float
    extra_per_minute_ci95: tuple[float, float]
    by_claps: list[StreamsOf]


class EvaluatedClaps(EvaluatedLabels):
    """What `tinyml evaluate` prints."""

    counts: Counts


class ClapEvaluation(LabelEvaluation[EvaluationSet, EvaluatedClaps]):
    """Both flatbuffers by clips; the int8 model, with the board's recogniser, by streams."""

    result = EvaluatedClaps

    def load(self) -> EvaluationSet:
        return registry.task(self.manifest.task).load_evaluation_set(self.run, self.data_dir, self.split)

    def more(self, items: EvaluationSet, answers: Answers) -> dict[str, object]:
        recipe = self._recipe()
        counts = count(self.model, self.manifest, streams(recipe, recipe.sound.streams))
        return {"counts": counts, "verdict": _verdict(counts)}

    def page(self, outcome: EvaluatedClaps, items: EvaluationSet) -> str:
        name, manifest = self.run.path.resolve().name, self.run.manifest()
        media = [shown(mistake, manifest, items) for mistake in outcome.mistakes]
        things = registry.task(manifest.task).items(manifest)
        return report.classifier("clap_counter:claps.html", name, outcome, manifest, things, media)

    def _recipe(self) -> ClapRecipe:
        return recipes.load_as(self.run.file(RECIPE), ClapRecipe)


def count(model: Int8Model, manifest: Manifest, heard: Sequence[Stream]) -> Counts:
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
    return Counts(
        streams=len(heard),
        right=right,
        right_ci95=wilson_interval(right, len(heard)),
        claps=claps,
        found=found,
        found_ci95=wilson_interval(found, claps),
        extra=extra,
        minutes=minutes,
        extra_per_minute_ci95=poisson_interval(extra, minutes),
        by_claps=[
            StreamsOf(
                claps=claps, streams=len(some), right=int((some == claps).sum()), mean=float(some.mean())
            )
            for claps, some in by_claps.items()
        ],
    )


def _verdict(counts: Counts) -> str:
    low, high = counts.right_ci95
    return (
        f"Claps were counted right in {counts.right} of {counts.streams} streams (95 % interval "
        f"{low:.1%}–{high:.1%}): {counts.found} of {counts.claps} claps found, "
        f"{counts.extra} too many."
    )
