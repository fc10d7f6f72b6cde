"""Options that train and pipeline of anomaly detection share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tinyml_cli import checks
from tinyml_cli.commands.options import given, word_list

Method = Annotated[str | None, typer.Option("--method", help="autoencoder, kmeans or gmm.")]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        callback=given(checks.data),
        help="A folder of CSV, windows as text, motion as JSON, or sound; without it a machine is simulated.",
    ),
]
Normal = Annotated[
    str | None,
    typer.Option(
        "--normal", help="Conditions that count as normal, separated by commas; `normal` by default."
    ),
]
Rate = Annotated[
    float | None,
    typer.Option("--rate", metavar="HZ", help="Samples a second, of files without a time column."),
]
Fpr = Annotated[
    float | None, typer.Option("--fpr", help="Share of normal windows that may exceed the threshold; 0.01.")
]
PerHour = Annotated[
    float | None,
    typer.Option("--false-alarms-per-hour", help="How often the alarm may go on in normal running, instead."),
]


def values(
    method: str | None,
    normal: str | None,
    rate: float | None,
    fpr: float | None,
    per_hour: float | None,
) -> dict[str, Any]:
    """Keys of the recipe -> values of the options; None where not given."""
    return {
        "method": method,
        "normal": word_list(normal),
        "rate_hz": rate,
        "threshold.fpr": fpr,
        "threshold.false_alarms_per_hour": per_hour,
    }
