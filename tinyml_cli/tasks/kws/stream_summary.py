"""The output of `evaluate-stream` for people."""

from __future__ import annotations

from tinyml_cli.console import console
from tinyml_cli.outcomes.streams import (
    Allowance,
    DetInBand,
    EvaluatedStream,
    Rejects,
    RejectsInBand,
    StreamRule,
    StreamTuning,
)
from tinyml_cli.wording import counted

_MAX_LISTED = 12


def verdict(outcome: EvaluatedStream) -> str:
    """The last lines."""
    accepts = outcome.false_accepts
    low, high = accepts.ci95
    text = (
        f"{accepts.per_hour:.2f} false accepts per hour (95 % interval {low:.2f}–{high:.2f}, "
        f"{accepts.n} in {outcome.hours:.2f} h)"
    )
    if outcome.false_rejects.of:
        text += f", {_missed(outcome.false_rejects)}"
    lines = [f"{text}. Report: {outcome.run}/report/stream.json"]
    if outcome.allowance is not None:
        lines.append(_allowance(outcome.allowance))
    if outcome.tuning is not None:
        lines.append("The settings are in the manifest; the next build or flash uses them.")
    return "\n".join(lines)


def show(outcome: EvaluatedStream) -> None:
    """Tables of words and scenes, the settings, MLPerf's rule, and the false accepts."""
    console.info(outcome.note)
    if outcome.tuning is not None:
        _show_tuning(outcome.tuning)
    _show_words(outcome)
    if outcome.scenes:
        rows = [[name, _missed(value)] for name, value in outcome.scenes.items()]
        rows += [[band(each), _missed(each)] for each in outcome.snr_db if each.of]
        console.table("Where words were missed", ("in", "missed"), rows)
    _show_rule(outcome.mlperf_rule)
    found = outcome.false_accept_list
    if found:
        shown = [
            [entry.stream, entry.t_s, entry.label, entry.score, _said(entry.said, entry.scene)]
            for entry in found
        ]
        more = f", the first {_MAX_LISTED} of {len(found)}" if len(found) > _MAX_LISTED else ""
        console.table(
            f"False accepts{more}", ("stream", "at s", "word", "score", "what was said"), shown[:_MAX_LISTED]
        )


def _show_words(outcome: EvaluatedStream) -> None:
    rows = []
    for word, value in outcome.words.items():
        accepts, latency = value.false_accepts, value.latency_ms
        low, high = accepts.ci95
        rows.append(
            [
                word,
                _missed(value.false_rejects),
                f"{accepts.n} ({low:.2f}–{high:.2f} per hour)",
                value.repeats,
                f"{latency.median:.0f} / {latency.p95:.0f}" if latency else "-",
            ]
        )
    columns = ("word", "missed", "false accepts", "repeats", "latency ms: median / p95")
    console.table(f"{outcome.hours:.2f} h heard", columns, rows)


def _show_tuning(tuning: StreamTuning) -> None:
    rows = []
    for when, chosen, value in (
        ("before", tuning.before, tuning.validation_before),
        ("after", tuning.after, tuning.validation),
    ):
        rows.append(
            [
                when,
                chosen.threshold,
                f"{chosen.average_window_ms} / {chosen.suppression_ms}",
                f"{value.misses} of {value.targets}",
                value.repeats,
                value.false_accepts,
            ]
        )
    columns = (
        "",
        "threshold",
        "window / suppression ms",
        "missed",
        "repeats",
        "false accepts",
    )
    console.table(f"Chosen on {tuning.hours:.2f} h of validation streams", columns, rows)


def _show_rule(rule: StreamRule) -> None:
    if rule.of:
        console.info(
            f"MLPerf Tiny's streaming rule ({rule.rule}): met in {rule.passed} of "
            f"{counted(rule.of, 'stretch', 'stretches')} of 20 minutes."
        )


def _missed(value: Rejects) -> str:
    if value.rate is None or value.ci95 is None:
        return "-"
    low, high = value.ci95
    return f"{value.n} of {value.of} missed: {value.rate:.1%} ({low:.1%}–{high:.1%})"


def band(of: RejectsInBand | DetInBand) -> str:
    """The levels above the background, for people."""
    if of.from_ is None:
        return f"below {of.to:.0f} dB"
    return f"{of.from_:.0f} dB or more" if of.to is None else f"{of.from_:.0f} to {of.to:.0f} dB"


def _said(said: str | None, scene: str | None) -> str:
    return said or (scene or "nothing" if said is not None else "-")


def _allowance(value: Allowance) -> str:
    goal = f"{value.max_fa_per_hour:g} false accepts per hour"
    if value.shown:
        return f"At most {goal}: shown with 95 % confidence (limit {value.upper95:.2f})."
    needed = f"{value.hours_needed:.1f} h without any"
    state = "met by the count, but not shown statistically" if value.met else "not met"
    return (
        f"At most {goal}: {state} (95 % limit {value.upper95:.2f}). Showing it would take {needed} "
        f"false accept, or {value.hours_needed_as_is:.1f} h with no more than these."
    )
