"""Motion of a phone or a board, kept as one file for each take: `LABEL/PERSON/motion_N.csv`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import checks
from tinyml_cli.errors import TinymlError
from tinyml_cli.tasks.wand.motion_file import write_motion

# Shorter is a slip of the finger; ten minutes are a file of 5 MB.
_SHORTEST_S, _LONGEST_S = 0.25, 600.0


@dataclass(frozen=True)
class MotionPlan:
    """What is recorded.

    Attributes:
        label: names the folder.
        person: who or what moves; splits keep people apart.
        folder: holds a folder for each label.

    Raises:
        TinymlError: names that cannot be folders.
    """

    label: str
    person: str
    folder: Path

    def __post_init__(self) -> None:
        checks.file_name(self.label, "label")
        checks.file_name(self.person, "person")

    def takes(self) -> int:
        """How many there are of the label by this person."""
        return len(list((self.folder / self.label / self.person).glob("*.csv")))

    def keep(self, samples: NDArray[np.int16], rate_hz: float) -> Path:
        """Stores a take.

        Args:
            samples: int16 [n, 6], as of the command `imu`: acceleration in g / 1000, rotation in 0.1 deg/s.
            rate_hz: samples a second.

        Raises:
            TinymlError: too short or too long, nothing but one value, or it cannot be written.
        """
        seconds = len(samples) / rate_hz
        if not _SHORTEST_S <= seconds <= _LONGEST_S:
            raise TinymlError(
                f"The take has {seconds:.2f} s",
                self.label,
                f"Record {_SHORTEST_S:g} s to {_LONGEST_S:g} s at once.",
            )
        if (samples == samples[0]).all():
            raise TinymlError(
                "The motion sensor gives the same values throughout", self.label, "Use a phone that has one."
            )
        folder, number = self.folder / self.label / self.person, self.takes()
        while (path := folder / f"motion_{number}.csv").exists():
            number += 1
        write_motion(path, samples, rate_hz)
        return path
