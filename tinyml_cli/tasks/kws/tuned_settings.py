"""Settings of the recogniser chosen on streams, and what they brought there."""

from __future__ import annotations

from tinyml_cli.console import console
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.outcomes.streams import StreamErrors, StreamTuning, TunedSettings
from tinyml_cli.tasks.kws.operating_point import OperatingPointTrial, Tally, search, size
from tinyml_cli.tasks.kws.stream_figures import allowance


def choose(
    trial: OperatingPointTrial,
    before: RecognizerSettings,
    features: AudioFrontendSettings,
    max_fa_per_hour: float,
    least_heard: float = 0.0,
) -> tuple[Tally, StreamTuning]:
    """The settings that miss fewest words within the allowance, and how `before` compares; see `search`."""
    inference_ms = before.inference_stride_frames * features.stride_ms
    with console.progress(size(inference_ms), "Choosing settings") as bar:
        best = search(trial, before, inference_ms, max_fa_per_hour, bar.advance, least_heard)
    return best, StreamTuning(
        before=_chosen(before),
        after=_chosen(best.recognizer),
        hours=trial.hours,
        tried=size(inference_ms),
        validation_before=_short(trial.tally(before)),
        validation=_short(best),
        allowance=allowance(max_fa_per_hour, best.false_accepts, trial.hours),
    )


def _chosen(recognizer: RecognizerSettings) -> TunedSettings:
    return TunedSettings(**recognizer.model_dump(include=set(TunedSettings.model_fields)))


def _short(tally: Tally) -> StreamErrors:
    return StreamErrors(
        targets=tally.targets,
        misses=tally.misses,
        repeats=tally.repeats,
        false_accepts=tally.false_accepts,
        fa_per_hour=tally.false_accepts_per_hour,
    )
