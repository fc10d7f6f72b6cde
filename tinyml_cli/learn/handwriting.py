"""1,797 handwritten digits of 8x8 pixels that come inside scikit-learn's package.

E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998: 13 people, one after the
other, so that most of those at the end wrote nothing of what stands before.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import checks
from tinyml_cli.errors import TinymlError
from tinyml_cli.installed import spec_of
from tinyml_cli.learn.layers import Array

SIDE, LABELS, LARGEST_PIXEL = 8, 10, 16
TRAINING = 1347
_REMEDY = "Run: pip install 'tinyml-cli[train]'"


class Handwriting(NamedTuple):
    """Digits.

    Attributes:
        pixels: float64 [n, 8, 8], whole numbers from 0 to 16.
        labels: int64 [n], 0 to 9.
    """

    pixels: Array
    labels: NDArray[np.int64]


def digits() -> tuple[Handwriting, Handwriting]:
    """The first 1,347 digits to train on, and the last 450 to judge with.

    The file is read without scikit-learn, whose import would take longer than most lessons.

    Raises:
        TinymlError: scikit-learn is not installed, or without its digits.
    """
    checks.package("sklearn", "This lesson", _REMEDY)
    spec = spec_of("sklearn")
    folders = (spec.submodule_search_locations if spec else None) or []
    path = next((Path(each) / "datasets" / "data" / "digits.csv.gz" for each in folders), Path())
    try:
        table = np.loadtxt(path, delimiter=",")
    except (OSError, ValueError) as error:
        raise TinymlError(f"scikit-learn's digits cannot be read ({error})", str(path), _REMEDY) from error
    found = Handwriting(table[:, :-1].reshape(-1, SIDE, SIDE), table[:, -1].astype(np.int64))
    return (
        Handwriting(found.pixels[:TRAINING], found.labels[:TRAINING]),
        Handwriting(found.pixels[TRAINING:], found.labels[TRAINING:]),
    )
