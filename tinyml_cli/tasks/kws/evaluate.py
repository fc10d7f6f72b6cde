"""How good the float and the int8 model of a run are on clips that they never saw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.console import console
from tinyml_cli.data.clips import SILENCE
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import answer_book, on_device
from tinyml_cli.evaluation.answers import Answers, Int8Model, answer
from tinyml_cli.evaluation.measures import measure
from tinyml_cli.evaluation.metrics_file import METRICS
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.evaluation.outcome_files import write_outcome
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.statistics import groups
from tinyml_cli.tasks.kws import kept_results, noise_sweep
from tinyml_cli.tasks.kws.drift_columns import heard_reference
from tinyml_cli.tasks.kws.on_device_sound import heard
from tinyml_cli.tasks.kws.summary import show
from tinyml_cli.wording import counted

# Too long for the manifest.
_ONLY_IN_METRICS = ("speakers", "fairness", "noise")


def evaluate_clips(
    run: Run,
    load: Callable[[], EvaluationSet],
    data_dir: Path | None,
    split: str | None,
    options: EvaluationOptions,
) -> dict[str, Any]:
    """Evaluates both flatbuffers; int8 inputs are quantised in integers exactly as firmware does.

    Args:
        run: holds both flatbuffers.
        load: gives the examples to judge them by; called when the models are known to be there.
        data_dir, split: where the examples come from.
        options: what else to measure.

    Returns:
        What docs/evaluate.md lists; what was not asked for is kept from an earlier evaluation of the same
        models on the same clips. Also written to report/metrics.json, drawn in report/report.html and
        report/confusion.png, and in short kept in the manifest.

    Raises:
        TinymlError: a flatbuffer is missing or stale, there is nothing to evaluate on, or a board that does
            not answer.
    """
    manifest = run.manifest()
    float_model = run.require(manifest, MODEL_FLOAT32).read_bytes()
    model = Int8Model(run.require(manifest, MODEL_INT8).read_bytes())
    attributes = groups.read_groups(options.groups) if options.groups else {}
    examples = load()
    _check(examples, manifest, data_dir, run)

    answers = answer(float_model, model, examples.features)
    chosen = {MODEL_FLOAT32: answers.float32.argmax(axis=1), MODEL_INT8: answers.int8.argmax(axis=1)}
    by_model = {manifest.artifacts[name].sha256: indices for name, indices in chosen.items()}
    books = (answer_book.load(run), answer_book.keep(run, data_dir, split, examples, by_model))
    device = _on_device(run, options, model, examples)
    outcome = {
        "run": str(run.path),
        "data": str(data_dir) if data_dir else None,
        "note": examples.note,
        "left_out": dict(examples.left_out),
        "n": len(examples.labels),
        "groups": len(np.unique(examples.groups)),
        "labels": manifest.labels,
        **_measure(tuple(manifest.labels), examples, answers),
        "fairness": _fairness(attributes, examples, answers, tuple(manifest.labels)),
        "noise": _noise(manifest, model, examples) if options.noise else None,
        "device": device,
    }
    outcome = kept_results.complete(run, manifest, METRICS, books, outcome)
    _write(run, outcome, examples)
    _keep_reference(run, model, examples)
    show(outcome)
    return outcome


def _check(examples: EvaluationSet, manifest: Manifest, data_dir: Path | None, run: Run) -> None:
    truth = examples.labels
    if not len(truth):
        raise TinymlError(
            "No examples to evaluate on",
            str(data_dir or run.path),
            "Give a folder of recordings, one folder per word: tinyml evaluate --data DIR",
        )
    if truth.min() < 0 or truth.max() >= len(manifest.labels):
        raise TinymlError(
            f"The data has label number {truth.max()}, but the model has "
            f"{counted(len(manifest.labels), 'label')}",
            str(data_dir or run.path),
            "Evaluate on data with the words of the run.",
        )


def _measure(labels: tuple[str, ...], examples: EvaluationSet, answers: Answers) -> dict[str, Any]:
    """All that follows from the answers themselves."""
    spoken = _spoken(examples, labels)
    right = answers.int8.argmax(axis=1) == examples.labels
    speakers = groups.spread(examples.groups[spoken], right[spoken])
    return measure(labels, examples, answers) | {"speakers": speakers}


def _spoken(examples: EvaluationSet, labels: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Examples that somebody said: silence has no speaker."""
    return np.array([labels[index] != SILENCE for index in examples.labels], bool)


def _fairness(
    attributes: dict[str, dict[str, str]],
    examples: EvaluationSet,
    answers: Answers,
    labels: tuple[str, ...],
) -> list[dict[str, Any]]:
    """One table per attribute of the user's file, over spoken examples."""
    if not attributes:
        return []
    right = answers.int8.argmax(axis=1) == examples.labels
    known: set[str] = set().union(*attributes.values())
    spoken = _spoken(examples, labels)
    spoken = np.isin(examples.groups, sorted(known)) | (examples.labels != 0)
    speakers = examples.groups[spoken]
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
        for name, member in attributes.items()
    ]


def _noise(manifest: Manifest, model: Int8Model, examples: EvaluationSet) -> dict[str, Any] | None:
    """The sweep; None where the features are not those of the audio."""
    settings, audio = manifest.features, examples.audio
    if settings is None or examples.features.shape[1:] != (
        settings.frames(audio.shape[1]),
        settings.channels,
    ):
        return None
    steps = (1 + len(noise_sweep.SNR_DB)) * min(len(audio), noise_sweep.MAX_CLIPS)
    with console.progress(steps, "in noise") as bar:
        return noise_sweep.sweep(
            lambda clips: model.predict(clips, settings, bar.advance),
            audio,
            np.asarray(examples.labels, np.int64),
            tuple(manifest.labels),
            examples.noises,
        )


def _on_device(
    run: Run, options: EvaluationOptions, model: Int8Model, examples: EvaluationSet
) -> dict[str, Any] | None:
    """What firmware answers, compared with the reference on this computer; None without a board."""
    target = options.target
    if target is None:
        return None
    labels = tuple(run.manifest().labels)
    if options.part == "audio":
        return heard(run, target, examples, labels, options.limit)
    inputs = model.inputs(examples.features)
    outputs, facts = on_device.model_outputs(run, target, inputs)
    with console.progress(len(inputs), "reference") as bar:
        expected, reference = model.reference(inputs, bar.advance)
    return facts | on_device.compared(labels, examples.labels, outputs, expected, reference)


def _write(run: Run, outcome: dict[str, Any], examples: EvaluationSet) -> None:
    from tinyml_cli.tasks.kws.report import render

    page = render(run.path.resolve().name, outcome, run.manifest(), examples)
    write_outcome(run, outcome, page, only_in_metrics=_ONLY_IN_METRICS)


def _keep_reference(run: Run, model: Int8Model, examples: EvaluationSet) -> None:
    """Summaries of scores and features, for `tinyml drift`."""
    manifest = run.manifest()
    manifest.reference = heard_reference(manifest, model, examples)
    run.save(manifest)
