"""How good the float and the int8 model of a run are on clips that they never saw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_cli import registry
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.console import console
from tinyml_cli.data.clips import SILENCE
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.evaluation import answer_book
from tinyml_cli.evaluation.answers import Answers
from tinyml_cli.evaluation.decisions import LabelRule
from tinyml_cli.evaluation.frame import Split
from tinyml_cli.evaluation.of_labels import LabelEvaluation
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.fairness.decision import Example
from tinyml_cli.features.audio_frontend import extract_last
from tinyml_cli.features.drift_settings import Reference
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.evaluations import EvaluatedClips, Fairness, InStream, Noise, SoundOnDevice
from tinyml_cli.recipes.kws import RESERVED_LABELS
from tinyml_cli.run import Run
from tinyml_cli.speech.plan import accent_of
from tinyml_cli.statistics import groups
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.tasks.kws import kept_results, noise_sweep, summary
from tinyml_cli.tasks.kws.drift_columns import heard_reference
from tinyml_cli.tasks.kws.held_out import speakers_of
from tinyml_cli.tasks.kws.lead_in import after_background, settled
from tinyml_cli.tasks.kws.on_device_sound import heard
from tinyml_cli.wording import counted


class ClipEvaluation(LabelEvaluation[EvaluationSet, EvaluatedClips]):
    """By speaker, by group of speakers, in noise, and through a board's microphone.

    What was not asked for is kept from an earlier evaluation of the same models on the same clips.
    """

    result = EvaluatedClips
    table = ("precision", "AUC")
    asks_all = True
    only_in_metrics = (*LabelEvaluation.only_in_metrics, "speakers", "fairness", "noise")

    def __init__(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> None:
        super().__init__(run, data_dir, split, options)
        self._attributes = groups.read_groups(options.groups) if options.groups else {}
        self._before = answer_book.load(run)

    def load(self) -> EvaluationSet:
        items: EvaluationSet = registry.task(self.manifest.task).load_evaluation_set(
            self.run, self.data_dir, self.split
        )
        return items

    def more(self, items: EvaluationSet, answers: Answers) -> Mapping[str, object]:
        right = answers.int8.argmax(axis=1) == items.labels
        spoken = self._spoken(items)
        return {
            "groups": len(np.unique(items.groups)),
            "speakers": groups.spread(items.groups[spoken], right[spoken]),
            "fairness": self._fairness(items, right),
            "in_stream": self._in_stream(items),
            "noise": self._noise(items) if self.options.noise else None,
        }

    def measure(self, items: EvaluationSet, found: Answers) -> EvaluatedClips:
        outcome = super().measure(items, found)
        return kept_results.complete(self.run, self.manifest, self._before, self.kept, outcome)

    def _spoken(self, items: EvaluationSet) -> npt.NDArray[np.bool_]:
        """Items that somebody said: silence has no speaker."""
        return np.array([self.labels[index] != SILENCE for index in items.labels], bool)

    def _fairness(self, items: EvaluationSet, right: npt.NDArray[np.bool_]) -> list[Fairness]:
        """One table per attribute of the user's file, over spoken items."""
        if not self._attributes:
            return []
        known: set[str] = set().union(*self._attributes.values())
        spoken = np.isin(items.groups, sorted(known)) | (items.labels != 0)
        speakers = items.groups[spoken]
        missing = sorted(set(map(str, speakers)) - known)
        if missing:
            console.warn(
                f"without a group: {len(missing)} of {counted(len(np.unique(speakers)), 'speaker')}, "
                f"such as `{missing[0]}`."
            )
        return [
            groups.fairness(
                name,
                np.array([member.get(str(speaker), groups.NOT_LISTED) for speaker in speakers]),
                right[spoken],
                speakers,
            )
            for name, member in self._attributes.items()
        ]

    def _settings(self, items: EvaluationSet) -> AudioFrontendSettings | None:
        """The front end's; None where the features are not those of the audio."""
        settings = self.manifest.features
        if settings is None:
            return None
        shape = (settings.frames(items.audio.shape[1]), settings.channels)
        return settings if items.features.shape[1:] == shape else None

    def _in_stream(self, items: EvaluationSet) -> InStream | None:
        settings = self._settings(items)
        if settings is None:
            return None
        with console.progress(len(items.audio), "in a stream") as bar:
            inputs = self.model.inputs(settled(items.audio, settings))
            right = self.model.run(inputs, bar.advance).argmax(axis=1) == items.labels
        correct = int(right.sum())
        return InStream(accuracy=correct / len(right), ci95=wilson_interval(correct, len(right)))

    def _noise(self, items: EvaluationSet) -> Noise | None:
        settings, audio = self._settings(items), items.audio
        if settings is None:
            return None
        steps = (1 + len(noise_sweep.SNR_DB)) * min(len(audio), noise_sweep.MAX_CLIPS)
        samples = audio.shape[1]
        with console.progress(steps, "in noise") as bar:

            def predict(heard: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
                inputs = self.model.inputs(extract_last(heard, settings, samples))
                classes: npt.NDArray[np.int64] = self.model.run(inputs, bar.advance).argmax(axis=1)
                return classes

            return noise_sweep.sweep(
                predict,
                after_background(audio, settings),
                samples,
                settings.sample_rate_hz,
                np.asarray(items.labels, np.int64),
                self.labels,
                items.noises,
            )

    def rule(self) -> LabelRule:
        """The threshold is that of the recogniser, which holds it against averages over time."""
        recognizer = self.manifest.recognizer

        def set_threshold(manifest: Manifest, value: float) -> None:
            manifest.recognizer.threshold = value

        return LabelRule(
            RESERVED_LABELS,
            recognizer.threshold,
            set_threshold,
            f"A board holds its threshold against scores averaged over {recognizer.average_window_ms} ms; "
            "`tinyml evaluate-stream` measures that",
            {"stream": "tinyml evaluate-stream", "operating_point": ""},
        )

    def sources(self, items: EvaluationSet) -> npt.NDArray[np.str_]:
        return speakers_of(items.labels, items.groups)

    def known_groups(self, sources: npt.NDArray[np.str_]) -> Mapping[str, npt.NDArray[np.str_]]:
        """The speakers, and the accents of eSpeak's voices."""
        return {
            "accent": np.array([accent_of(name) for name in map(str, sources)], np.str_),
            "speaker": sources,
        }

    def example(self, items: EvaluationSet, row: int) -> Example:
        from tinyml_cli.tasks.kws.report import seen_and_heard

        picture, sound = seen_and_heard(row, self.manifest, items)
        return Example(picture, sound)

    def play(self, items: EvaluationSet, target: BuildTarget) -> SoundOnDevice:
        return heard(self.run, target, items, self.labels, self.options.limit)

    def page(self, outcome: EvaluatedClips, items: EvaluationSet) -> str:
        from tinyml_cli.tasks.kws.report import render
        from tinyml_cli.tasks.kws.stream_report import section

        manifest = self.run.manifest()
        return render(self.run.path.resolve().name, outcome, manifest, items, section(self.run, manifest))

    def reference(self, items: EvaluationSet, found: Answers) -> Reference:
        return heard_reference(self.run.manifest(), self.model, items)

    def show(self, outcome: EvaluatedClips) -> None:
        super().show(outcome)
        summary.show(outcome)
