"""Writes series as CSV that the reader interprets without options: a time column, and units in the names."""

from __future__ import annotations

import csv
import io

from tinyml_cli.data.series.read import Series

_NAMES = {
    (kind, axis): f"{short}{axis}_{unit}"
    for kind, short, unit in (("acceleration", "a", "g"), ("rotation", "g", "dps"))
    for axis in "xyz"
}
_DIGITS = 9


def as_csv(series: Series) -> str:
    """A header and a row a sample, in g and degrees a second; a blank line between two stretches.

    Time begins at 0 and goes on over the blank lines; there is none where the rate is not known.
    """
    known = series.reading.acceleration or series.reading.rotation
    axes = {column: _NAMES[key] for key, column in series.axes.items()} if known else {}
    names = [axes.get(column, name) for column, name in enumerate(series.channels)]
    labelled = any(stretch.condition is not None for stretch in series.stretches)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(["t_ms"] if series.rate_hz else []), *names, *(["label"] if labelled else [])])
    index = 0
    for number, stretch in enumerate(series.stretches):
        if number:
            text.write("\n")
        for row in stretch.values.tolist():
            time = [f"{1000 * index / series.rate_hz:.3f}"] if series.rate_hz else []
            end = [stretch.condition or ""] if labelled else []
            writer.writerow([*time, *(f"{value:.{_DIGITS}g}" for value in row), *end])
            index += 1
    return text.getvalue()
