"""tinyml drift: compares a board's log with the reference distributions from training time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyml_cli import checks, registry
from tinyml_cli.console import console
from tinyml_cli.drift.columns import reference_of, score_values
from tinyml_cli.drift.compare import KS_DRIFT, PSI_DRIFT, compare
from tinyml_cli.drift.errors import judge_errors, kind, read_feedback
from tinyml_cli.drift.image_columns import Values
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.drift_settings import Reference
from tinyml_cli.link.protocol import Event, LineDecoder, Malformed, Text
from tinyml_cli.manifest import Figures, Manifest
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.boards import Drifted, Shift
from tinyml_cli.run import Run
from tinyml_cli.wording import counted

PICTURE = "report/drift.png"
# With fewer values, a histogram of ten bins is meaningless.
LEAST_VALUES = 50
FEATURE_SHARE = 0.1
_SHOWN = 12
_NAMED = 4


def drift(
    run: Run,
    log: Path,
    baseline: Path | None = None,
    psi_limit: float = PSI_DRIFT,
    ks_limit: float = KS_DRIFT,
    feature_share: float = FEATURE_SHARE,
    out: Path | None = None,
    feedback: Path | None = None,
    error_rate: float | None = None,
) -> Drifted:
    """Compares every quantity that is in both the reference and the log.

    Args:
        run: whose firmware the board ran.
        log: a file of `tinyml monitor --log`.
        baseline: a log of normal operation as the reference; None uses the manifest's reference.
        psi_limit, ks_limit: thresholds of drift for one quantity.
        feature_share: share of drifted features above which the verdict is drift; a drifted score suffices.
        out: the picture; report/drift.png in the run by default.
        feedback: a CSV file of answers and truth, to tell concept drift from data drift.
        error_rate: share of wrong answers in normal running; that of the validation data by default.

    Raises:
        TinymlError: no reference, a log with too few values, or another process writes to the run.
    """
    for path, where in ((log, "LOG"), *([(baseline, "--baseline")] if baseline else ())):
        checks.input_file(path, where)
    picture = out or run.file(PICTURE)
    with run.writing_to(picture):  # asked before the log is read, too
        pass
    manifest = run.manifest()
    name = run.path.resolve().name
    reference = _reference(run, manifest, baseline)
    errors = (
        None
        if feedback is None
        else judge_errors(
            read_feedback(feedback), _error_rate(manifest) if error_rate is None else error_rate
        )
    )
    values = _values(manifest, log, name)
    common = [name for name in reference.columns if len(values.get(name, ())) >= LEAST_VALUES]
    if not common:
        most = max((len(each) for each in values.values()), default=0)
        raise TinymlError(
            f"The log has {counted(most, 'value')} of the reference's quantities; at least "
            f"{LEAST_VALUES} are needed",
            str(log),
            "Record a longer and complete log: tinyml monitor --log FILE --trace scores,features",
        )
    shifts = [compare(n, reference.columns[n], values[n], psi_limit, ks_limit) for n in common]
    shifts.sort(key=lambda shift: (-shift.drifted, -shift.psi))
    drifted, why = verdict(shifts, feature_share)
    outcome = Drifted(
        run=str(run.path),
        log=str(log),
        reference=reference.of,
        drift=drifted,
        why=why,
        psi=float(np.mean([shift.psi for shift in shifts])),
        ks=float(np.mean([shift.ks for shift in shifts])),
        columns=shifts,
        missing=[name for name in reference.columns if name not in common],
        picture=str(picture),
        errors=errors,
        kind=None if errors is None else kind(drifted, errors),
    )
    from tinyml_cli.drift.picture import drift_png

    with run.writing_to(picture):
        drift_png(picture, shifts, reference, values, f"{name} and {log.name}", (psi_limit, ks_limit))
    rows = [[s.name, s.n, s.psi, s.ks, _word(s)] for s in shifts[:_SHOWN]]
    console.table("Furthest from the reference", ["quantity", "n", "PSI", "KS", ""], rows)
    return outcome


def verdict(shifts: Sequence[Shift], feature_share: float = FEATURE_SHARE) -> tuple[bool, str]:
    """Whether these shifts are drift, and why; `feature_share` as of `drift`."""
    scores = [shift for shift in shifts if shift.name.startswith("score")]
    features = [shift for shift in shifts if not shift.name.startswith("score")]
    moved_scores = [shift.name for shift in scores if shift.drifted]
    moved = [shift.name for shift in features if shift.drifted]
    if moved_scores:
        return True, f"Drift: {', '.join(moved_scores)}; {len(moved)} of {counted(len(features), 'feature')}."
    if features and len(moved) > feature_share * len(features):
        return True, f"Drift: {len(moved)} of {counted(len(features), 'feature')}, such as {moved[0]}."
    text = f"No drift: {counted(len(scores), 'score')} and {counted(len(features), 'feature')} compared"
    text += f", {counted(len(moved), 'feature')} beyond the limit" if moved else ""
    watched = [shift.name for shift in shifts if shift.watch]
    more = f" and {len(watched) - _NAMED} more" if len(watched) > _NAMED else ""
    return False, f"{text}; to watch: {', '.join(watched[:_NAMED])}{more}." if watched else f"{text}."


def _word(shift: Shift) -> str:
    return "drift" if shift.drifted else "watch" if shift.watch else ""


def no_rule(task: str) -> str:
    """What is wrong with asking for the drift of a task whose runs keep nothing to compare with."""
    return f"The task `{task}` has no drift rule: its runs keep no summaries of scores and features"


def _error_rate(manifest: Manifest) -> float:
    """Of the validation data; never of the test set, which judges the model once."""
    accuracy = Figures.model_validate(manifest.metrics).train.validation_accuracy
    if accuracy is None:
        raise TinymlError(
            "The run does not know its share of wrong answers", "--feedback", "Give it: --error-rate 0.1"
        )
    return 1 - accuracy


def _reference(run: Run, manifest: Manifest, baseline: Path | None) -> Reference:
    if baseline is not None:
        return reference_of(_values(manifest, baseline, run.path.resolve().name), f"log {baseline.name}")
    if manifest.reference is None:
        log = "ive a log of normal operation with --baseline LOG."
        if not (kept_by := registry.task(manifest.task).drift_kept_by):
            raise TinymlError(no_rule(manifest.task), str(run.path), f"G{log}")
        raise TinymlError(
            "The manifest has no summaries of scores and features",
            str(run.path),
            f"Run `{next_step(kept_by, run.path)}`, or g{log}",
        )
    return manifest.reference


def _values(manifest: Manifest, log: Path, name: str) -> Values:
    decoder = LineDecoder()
    events: list[Event] = []
    strange = 0
    with log.open("rb") as stream:
        for line in stream:
            for event in decoder.feed(line if line.endswith(b"\n") else line + b"\n"):
                strange += isinstance(event, Text | Malformed)
                events.append(event)
    if strange:
        console.warn(f"{log.name}: skipped {counted(strange, 'line')} without a board event")
    own: Values = registry.task(manifest.task).drift_values(manifest, events)
    return score_values(manifest.labels, events, name) | own


def sentence(outcome: Drifted) -> str:
    """The outcome in a few lines."""
    lines = [outcome.why]
    if errors := outcome.errors:
        lines.append(
            f"{errors.wrong} of {counted(errors.n, 'answer')} wrong, {errors.normal_rate:.1%} expected: "
            f"{'more than by chance' if errors.drifted else 'no rise'}. {outcome.kind}."
        )
    return "\n".join([*lines, f"Picture: {outcome.picture}"])
