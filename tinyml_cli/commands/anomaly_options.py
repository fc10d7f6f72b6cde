"""Options that train and pipeline of anomaly detection share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tinyml_cli import checks
from tinyml_cli.commands.options import given, word_list

_METHODS = ("autoencoder", "kmeans", "gmm")
Method = Annotated[
    str | None,
    typer.Option("--method", autocompletion=lambda: _METHODS, help="autoencoder, kmeans or gmm."),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        callback=given(checks.data),
        help="A folder of CSV, text windows, motion JSON or sound; a simulated machine by default.",
    ),
]
Normal = Annotated[
    str | None,
    typer.Option("--normal", help="Conditions that count as normal, comma-separated; `normal` by default."),
]
Rate = Annotated[
    float | None,
    typer.Option("--rate", metavar="HZ", help="Sample rate in Hz; files of another rate are resampled."),
]
Fpr = Annotated[
    float | None,
    typer.Option("--fpr", help="Share of normal windows allowed above the threshold; 0.01 by default."),
]
PerHour = Annotated[
    float | None,
    typer.Option(
        "--false-alarms-per-hour", help="Instead of --fpr: the alarms allowed per hour of normal running."
    ),
]


def values(
    method: Method = None,
    data: Data = None,
    normal: Normal = None,
    rate: Rate = None,
    fpr: Fpr = None,
    false_alarms_per_hour: PerHour = None,
) -> dict[str, Any]:
    """Keys of the recipe -> values of the options; None where not given."""
    return {
        "method": method,
        "data": data,
        "normal": word_list(normal, "--normal"),
        "rate_hz": rate,
        "threshold.fpr": fpr,
        "threshold.false_alarms_per_hour": false_alarms_per_hour,
    }
