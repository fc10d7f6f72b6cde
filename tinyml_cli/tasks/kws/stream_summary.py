"""The output of `evaluate-stream` for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyml_cli.console import console
from tinyml_cli.wording import counted

Figures = Mapping[str, Any]

_MAX_LISTED = 12


def verdict(outcome: Figures) -> str:
    """The last lines."""
    accepts = outcome["false_accepts"]
    low, high = accepts["ci95"]
    text = (
        f"{accepts['per_hour']:.2f} false accepts per hour (95 % interval {low:.2f}–{high:.2f}, "
        f"{accepts['n']} in {outcome['hours']:.2f} h)"
    )
    if outcome["false_rejects"]["of"]:
        text += f", {_missed(outcome['false_rejects'])}"
    lines = [f"{text}. Report: {outcome['run']}/report/stream.json"]
    if outcome["allowance"] is not None:
        lines.append(_allowance(outcome["allowance"]))
    if outcome["tuning"] is not None:
        lines.append("The settings are in the manifest; the next build or flash uses them.")
    return "\n".join(lines)


def show(outcome: Figures) -> None:
    """Tables of words and scenes, the settings, MLPerf's rule, and the false accepts."""
    console.info(outcome["note"])
    if outcome["tuning"] is not None:
        _show_tuning(outcome["tuning"])
    _show_words(outcome)
    if outcome["scenes"]:
        rows = [[name, _missed(value)] for name, value in outcome["scenes"].items()]
        rows += [[_band(band), _missed(band)] for band in outcome["snr_db"] if band["of"]]
        console.table("Where words were missed", ("in", "missed"), rows)
    _show_rule(outcome["mlperf_rule"])
    found = outcome["false_accept_list"]
    if found:
        shown = [[entry["stream"], entry["t_s"], entry["label"], entry["score"]] for entry in found]
        more = f", the first {_MAX_LISTED} of {len(found)}" if len(found) > _MAX_LISTED else ""
        console.table(f"False accepts{more}", ("stream", "at s", "word", "score"), shown[:_MAX_LISTED])


def _show_words(outcome: Figures) -> None:
    rows = []
    for word, value in outcome["words"].items():
        accepts, latency = value["false_accepts"], value["latency_ms"]
        low, high = accepts["ci95"]
        rows.append(
            [
                word,
                _missed(value["false_rejects"]),
                f"{accepts['n']} ({low:.2f}–{high:.2f} per hour)",
                value["repeats"],
                f"{latency['median']:.0f} / {latency['p95']:.0f}" if latency else "-",
            ]
        )
    columns = ("word", "missed", "false accepts", "repeats", "latency ms: median / p95")
    console.table(f"{outcome['hours']:.2f} h heard", columns, rows)


def _show_tuning(tuning: Figures) -> None:
    rows = []
    for when, figures in (("before", "validation_before"), ("after", "validation")):
        value = tuning[figures]
        rows.append(
            [
                when,
                tuning[when]["threshold"],
                f"{tuning[when]['average_window_ms']} / {tuning[when]['suppression_ms']}",
                f"{value['misses']} of {value['targets']}",
                value["repeats"],
                value["false_accepts"],
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
    console.table(f"Chosen on {tuning['hours']:.2f} h of validation streams", columns, rows)


def _show_rule(rule: Figures) -> None:
    if rule["of"]:
        console.info(
            f"MLPerf Tiny's streaming rule ({rule['rule']}): met in {rule['passed']} of "
            f"{counted(rule['of'], 'stretch', 'stretches')} of 20 minutes."
        )


def _missed(value: Figures) -> str:
    if not value["of"]:
        return "-"
    low, high = value["ci95"]
    return f"{value['n']} of {value['of']} missed: {value['rate']:.1%} ({low:.1%}–{high:.1%})"


def _band(band: Figures) -> str:
    if band["from"] is None:
        return f"below {band['to']:.0f} dB"
    return (
        f"{band['from']:.0f} dB or more"
        if band["to"] is None
        else f"{band['from']:.0f} to {band['to']:.0f} dB"
    )


def _allowance(value: Figures) -> str:
    goal = f"{value['max_fa_per_hour']:g} false accepts per hour"
    if value["shown"]:
        return f"At most {goal}: shown with 95 % confidence (limit {value['upper95']:.2f})."
    needed = f"{value['hours_needed']:.1f} h without any"
    state = "met by the count, but not shown statistically" if value["met"] else "not met"
    return (
        f"At most {goal}: {state} (95 % limit {value['upper95']:.2f}). Showing it would take {needed} "
        f"false accept, or {value['hours_needed_as_is']:.1f} h with no more than these."
    )
