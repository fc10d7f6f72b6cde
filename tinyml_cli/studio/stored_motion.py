"""Recordings of motion as the studio draws and compares them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series.read import read_series
from tinyml_cli.data.series.sources import sources
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe


def values_of(path: Path) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """All samples of a file [n, columns], and the names of the columns.

    Raises:
        TinymlError: it is no time series.
    """
    found, _ = sources([path])
    series = read_series(found, SeriesRecipe())
    if not series:
        raise TinymlError(
            "The file contains no time series", str(path), "See `tinyml data check` for what is read."
        )
    first = series[0]
    return np.concatenate([np.asarray(each.values, np.float32) for each in first.stretches]), first.channels
