"""Motion in the units of the board's commands, as CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.series.read import BOARD_CHANNELS
from tinyml_cli.files import write_atomic


def write_motion(path: Path, samples: NDArray[np.int16], rate_hz: float) -> None:
    """Writes int16 [n, 6] with a column of time; `takes.read_takes` reads it back."""
    lines = [",".join(("t_ms", *BOARD_CHANNELS))]
    for index, row in enumerate(samples.tolist()):
        lines.append(",".join((f"{1000 * index / rate_hz:.3f}", *map(str, row))))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, "\n".join(lines) + "\n")
