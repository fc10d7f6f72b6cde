"""The quality section of a model card of anomaly detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tinyml_cli.evaluation.markdown import percent, percent_range, table

FACTS = ("method", "threshold", "faults", "by_recording", "recordings")
"""Keys of report/metrics.json that are needed beside those of other tasks."""


def quality(found: Mapping[str, Any]) -> list[str]:
    """Lines: area under the curve, the threshold's meaning, and every kind of fault."""
    rounded, exact, threshold = found["int8"], found["float32"], found["threshold"]
    lines = [
        f"{found['n']} windows of {found['recordings']} recordings that nothing was learnt from. Evidence: "
        f"{found['level']}.",
        "",
    ]
    if rounded["auc"] is not None:
        low, high = rounded["auc_ci95"]
        lines.append(
            f"* area under the ROC curve, int8 **{rounded['auc']:.4f}** (95 %: {low:.4f}–{high:.4f}), "
            f"float32 {exact['auc']:.4f}"
        )
    lines += [
        f"* at the threshold: {percent(rounded['accuracy'])} right (95 %: "
        f"{percent_range(rounded['accuracy_ci95'])}), {percent(rounded['false_positive_rate'])} of normal "
        f"windows and {percent(rounded['recall'])} of anomalous ones reach it",
        f"* the threshold comes from {threshold['windows']} other normal windows ({threshold['target']}): "
        f"{threshold['rate']:.3g} of them, {threshold['rate_upper']:.3g} at most "
        f"({100 * threshold['confidence']:.0f} % confidence)",
    ]
    if found["faults"]:
        lines += ["", table(["kind", "AUC", "found", "95 %", "windows"], _kinds(found["faults"]))]
    device = found["device"]
    if device:
        lines += [
            "",
            "### Through the firmware",
            "",
            f"On `{device['board']}` ({device['engine']}, {device['level']}): {device['mismatches']} of "
            f"{device['n']} scores differ from the computer's.",
        ]
    return lines


def _kinds(faults: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    return [
        [
            each["fault"],
            f"{each['auc']:.4f}",
            percent(each["recall"]),
            percent_range(each["recall_ci95"]),
            str(each["n"]),
        ]
        for each in faults
    ]
