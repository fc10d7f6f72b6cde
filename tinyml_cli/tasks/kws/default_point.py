"""The operating point of a new model, chosen on streams of voices that never trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from tinyml_cli import recipes
from tinyml_cli.console import console
from tinyml_cli.data import splits
from tinyml_cli.data.clips import ClipSet
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.streams import ChoosingMaterial, OperatingPoint, StreamFigures, TunedSettings
from tinyml_cli.recipes.kws import RESERVED_LABELS, KwsRecipe
from tinyml_cli.run import MODEL_INT8, RECIPE, Run
from tinyml_cli.tasks.kws import checks as kws_checks
from tinyml_cli.tasks.kws import corpus as kws_corpus
from tinyml_cli.tasks.kws import negatives, voice_streams
from tinyml_cli.tasks.kws.busy_streams import EVERYDAY, HARD, BusyStream, BusyStreams, Mix
from tinyml_cli.tasks.kws.detection_errors import Target
from tinyml_cli.tasks.kws.operating_point import OperatingPointTrial, ScoredStream
from tinyml_cli.tasks.kws.stream_figures import figures
from tinyml_cli.tasks.kws.stream_scores import WindowModel, features_of, inferences, score_stream
from tinyml_cli.tasks.kws.tuned_settings import choose
from tinyml_cli.wording import counted

STREAM_S = 600
# A point that hears fewer of the words is of no use to anybody: rather more false accepts.
_LEAST_HEARD = 0.5
# Keeps the chance of these streams from that of others by the same seed.
_FRESH = 9


def after_convert(run: Run) -> OperatingPoint | None:
    """Chooses the recogniser's settings for a new int8 model, and writes them to the manifest.

    Returns:
        None where the recipe asks for no hours, or where people trained it.
    """
    manifest = run.manifest()
    if not run.file(RECIPE).is_file():
        return None
    recipe = recipes.load_as(run.file(RECIPE), KwsRecipe)
    hours = recipe.operating_point.hours
    if not hours or recipe.data_path is not None:
        return None
    model = Int8Model(run.require(manifest, MODEL_INT8).read_bytes())
    streams = streams_of(recipe, "validation")
    heard = _listen(streams, hours, model, manifest, "Listening")
    recorded = listen_for_nothing(recipe, hours, model, manifest)
    trial = OperatingPointTrial([*heard, *recorded], model.output, manifest.labels)
    material = ChoosingMaterial(
        mix=streams.mix.name,
        targets=sum(map(len, streams.words)),
        others=len(streams.others),
        recorded_hours=sum(each.scores.duration_ms for each in recorded) / 3.6e6,
    )
    point = set_point(trial, manifest, recipe).model_copy(update={"material": material})
    if recipe.operating_point.fresh_hours:
        fresh = _fresh(recipe, model, manifest)
        _warn_of(fresh, point)
        point = point.model_copy(update={"fresh": fresh})
    manifest.metrics["operating_point"] = point.as_dict()
    run.save(manifest)
    return point


def _fresh(recipe: KwsRecipe, model: Int8Model, manifest: Manifest) -> StreamFigures:
    """The chosen settings in hours that had no part in the choice, whose figures are therefore too good."""
    streams = streams_of(recipe, "test")
    heard = _listen(streams, recipe.operating_point.fresh_hours, model, manifest, "Listening to others")
    trial = OperatingPointTrial(heard, model.output, manifest.labels)
    return figures(trial.tally(manifest.recognizer), manifest.labels)


def _warn_of(fresh: StreamFigures, point: OperatingPoint) -> None:
    """Says where voices that chose nothing prove the choice wrong, by more than chance explains."""
    allowance, found = point.tuning.allowance, fresh.false_accepts
    if point.applied and allowance.met and found.ci95[0] > allowance.max_fa_per_hour:
        low, high = found.ci95
        console.warn(
            f"By voices that chose nothing there are {found.per_hour:.1f} false accepts per hour "
            f"({low:.1f}–{high:.1f}), more than the {allowance.max_fa_per_hour:g} allowed. "
            "`tinyml evaluate-stream --data DIR --max-fa-per-hour RATE` chooses by recordings of people."
        )


def _listen(
    streams: BusyStreams, hours: float, model: Int8Model, manifest: Manifest, what: str
) -> list[ScoredStream]:
    """The scores over so many hours, with progress."""
    count = max(1, round(hours * 3600 / STREAM_S))
    each = inferences(STREAM_S * features_of(manifest).sample_rate_hz, manifest)
    with console.progress(count * each, what) as bar:
        made = (streams.make(number, STREAM_S) for number in range(count))
        return listen(made, model, manifest, bar.advance)


def set_point(trial: OperatingPointTrial, manifest: Manifest, recipe: KwsRecipe) -> OperatingPoint:
    """Sets the settings in `manifest`: of those that hear half of the words, the best within the recipe's
    allowance, or else those with the fewest false accepts; the recipe's where nothing hears half.
    """
    fields = set(TunedSettings.model_fields)
    of_recipe = manifest.recognizer.model_copy(update=recipe.recognizer.model_dump(include=fields))
    allowed = recipe.operating_point.max_fa_per_hour
    best, tuning = choose(trial, of_recipe, features_of(manifest), allowed, _LEAST_HEARD)
    before, after = tuning.validation_before, tuning.validation
    applied = best.misses <= (1 - _LEAST_HEARD) * best.targets
    where = f"in {trial.hours:.1f} h of streams"
    if not applied:
        console.warn(
            f"No settings hear half of {counted(before.targets, 'word')} {where}. "
            f"The recipe's settings stay: {before.misses} missed, {before.fa_per_hour:.1f} "
            "false accepts per hour."
        )
    elif not tuning.allowance.met:
        console.warn(
            f"No settings within {allowed:g} false accepts per hour hear half of the words {where}. "
            f"Those with the fewest that do were chosen: {after.misses} of "
            f"{counted(after.targets, 'word')} missed, {after.fa_per_hour:.1f} per hour. "
            "`tinyml evaluate-stream --max-fa-per-hour RATE` sets others."
        )
    manifest.recognizer = best.recognizer if applied else of_recipe
    return OperatingPoint.extending(
        figures(trial.tally(manifest.recognizer), manifest.labels), tuning=tuning, applied=applied
    )


def listen(
    streams: Iterable[BusyStream],
    model: WindowModel,
    manifest: Manifest,
    advance: Callable[[int], object] = lambda n: None,
) -> list[ScoredStream]:
    """The model's scores over streams; `advance` is told of inferences."""
    rate_hz = features_of(manifest).sample_rate_hz
    return [
        ScoredStream(score_stream(stream.audio, model, manifest, advance), targets_of(stream, rate_hz))
        for stream in streams
    ]


def listen_for_nothing(
    recipe: KwsRecipe, most_hours: float, model: WindowModel, manifest: Manifest
) -> list[ScoredStream]:
    """The scores over the recipe's recordings in which nobody says a word, by those who did not train."""
    return [
        ScoredStream(score_stream(audio, model, manifest), [])
        for audio in negatives.stretches(recipe, "validation", most_hours)
    ]


def choosing_streams(
    recipe: KwsRecipe, validation: ClipSet, noises: Sequence[npt.NDArray[np.int16]], mix: Mix = HARD
) -> BusyStreams:
    """Streams of voices that never train, for the epoch and for the operating point.

    Args:
        recipe: what is trained.
        validation: clips of that split.
        noises: recordings of background.
        mix: what is said beside the words; networks are told apart best by what is hard.
    """
    return voice_streams.of_split(recipe, validation, noises, "validation", [recipe.seed, 8], mix)


def mix_of(recipe: KwsRecipe) -> Mix:
    """What is said while the operating point is chosen.

    Strangers' words are seldom taken for a target by a network that knows natural voices, so a household
    represents them. One that knows espeak-ng and flite alone takes as many as in what is hard
    (docs/benchmarks.md).
    """
    return EVERYDAY if "kokoro" in recipe.synthesis.engines else HARD


def streams_of(recipe: KwsRecipe, split: splits.Split) -> BusyStreams:
    """Streams by the voices of a split, of the recipe's own data."""
    corpus = kws_corpus.load(recipe)
    where = kws_checks.split(corpus.clips.labels, corpus.clips.groups, corpus.fixed_splits, recipe)
    clips, mix = corpus.clips.take(where == split), mix_of(recipe)
    if split == "validation":
        return choosing_streams(recipe, clips, corpus.noises, mix)
    return voice_streams.of_split(recipe, clips, corpus.noises, split, [recipe.seed, _FRESH], mix)


def targets_of(stream: BusyStream, rate_hz: int) -> list[Target]:
    """The words of a stream, when they were said."""
    return [
        Target(span.start * 1000 // rate_hz, span.end * 1000 // rate_hz, span.label, span.snr_db)
        for span in stream.spans
        if span.label >= len(RESERVED_LABELS)
    ]
