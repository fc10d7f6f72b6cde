"""Numbers, points and matrices as they are typed: "1,2;3,4" has two rows of two."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.documents import shown
from tinyml_cli.errors import TinymlError

Matrix = NDArray[np.float64]

LARGEST = 1e6
"""Beyond this the squares of a lesson would be all that its picture shows."""
_NARROWEST = 1e-6
_MOST_CELLS = 10_000
_FORM = "Separate numbers by commas and rows by semicolons, as in '1,2;3,4'."


def matrix(text: str, where: str) -> Matrix:
    """A matrix float64 [rows, columns]: numbers separated by commas or spaces, rows by `;` or line ends.

    Raises:
        TinymlError: something is no number or beyond 1,000,000, or rows differ in length.
    """
    rows = [re.split(r"\s*,\s*|\s+", row.strip()) for row in re.split(r"[;\n]", text.strip().rstrip(";"))]
    if any(len(row) != len(rows[0]) for row in rows):
        lengths = ", ".join(str(len(row)) for row in rows[:10])
        raise TinymlError(
            f"`{shown(text, 60)}` is not a matrix: its rows have {lengths} numbers", where, _FORM
        )
    if len(rows) * len(rows[0]) > _MOST_CELLS:
        raise TinymlError(f"The matrix has more than {_MOST_CELLS:,} numbers", where, "Give a smaller one.")
    return np.array([[_number(cell, where) for cell in row] for row in rows])


def pair(text: str, where: str) -> tuple[float, float]:
    """Two numbers, such as "8,-2".

    Raises:
        TinymlError: anything else.
    """
    found = matrix(text, where)
    if found.shape != (1, 2):
        raise TinymlError(f"`{shown(text, 60)}` is not two numbers", where, "Give two, as in 8,-2.")
    return float(found[0, 0]), float(found[0, 1])


def points(text: str, where: str) -> Matrix:
    """Points float64 [n, 2] of x and y, such as "0,1;1,3;2,5".

    Raises:
        TinymlError: not two columns, or fewer than two different x, through which any number of lines fit.
    """
    found = matrix(text, where)
    if found.shape[1] != 2:
        raise TinymlError(
            f"Each point needs x and y, not {found.shape[1]} numbers", where, "Give points as in '0,1;1,3'."
        )
    if np.ptp(found[:, 0]) < _NARROWEST * max(1.0, np.abs(found[:, 0]).max()):
        raise TinymlError(
            "A line needs points at two different x at least", where, "Give points as in '0,1;1,3'."
        )
    return found


def counts(text: str, where: str, most: int) -> list[int]:
    """Whole numbers from 1 to `most`, such as "1,10,100", in rising order and each once.

    Raises:
        TinymlError: anything else.
    """
    found = matrix(text, where).ravel()
    if any(value != int(value) or not 1 <= value <= most for value in found):
        raise TinymlError(
            f"`{shown(text, 60)}` has other than whole numbers from 1 to {most:,}",
            where,
            "Give them as in 1,10,100.",
        )
    return sorted({int(value) for value in found})


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGEST:
        what = f"`{shown(text, 40)}` is not a number" if text else "A number is missing"
        limit = f" from {-LARGEST:,.0f} to {LARGEST:,.0f}" if math.isfinite(value) or "inf" in text else ""
        raise TinymlError(f"{what}{limit}", where, _FORM)
    return value
