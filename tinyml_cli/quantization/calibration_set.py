"""calibration.npz: model inputs from which the converter takes the ranges, and their origin."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.array_file import read_arrays
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.next_step import on_this_run
from tinyml_cli.quantization.scheme import Scheme

SAMPLE_TYPES = ("float32", "int32", "int64")
_PROVENANCE = ("method", "split", "seed", "model_sha256", "origin", "scheme")


@dataclass(frozen=True)
class CalibrationSet:
    """Calibration samples with their provenance.

    Attributes:
        samples: float32 [n, ...] values of the first model input, finite.
        method: how the ranges are used ("ptq").
        split: the split they were drawn from; "file" for data that the user gave, "random" for numbers
            without meaning.
        seed: of the draw.
        model_sha256: the model they were drawn for.
        origin: the user's file or folder; empty for a split.
        others: the values of the other inputs, [n, ...] each.
        scheme: what `Scheme.as_dict` says; empty for the converter's own way.
    """

    samples: npt.NDArray[np.float32]
    method: str
    split: str
    seed: int
    model_sha256: str
    origin: str = ""
    others: tuple[npt.NDArray[Any], ...] = ()
    scheme: dict[str, Any] = field(default_factory=dict)

    @property
    def chosen(self) -> Scheme:
        """How to choose int8."""
        return Scheme.from_dict(self.scheme)

    @property
    def inputs(self) -> tuple[npt.NDArray[Any], ...]:
        """One array [n, ...] per model input."""
        return (self.samples, *self.others)

    def save(self, path: Path) -> None:
        """Writes the file whole or not at all; equal sets give equal bytes."""
        provenance = {
            name: getattr(self, name) for name in _PROVENANCE if getattr(self, name) not in ("", {})
        }
        arrays: dict[str, Any] = {
            "samples": self.samples,
            "provenance": np.array(json.dumps(provenance, sort_keys=True)),
            **{f"samples_{index}": values for index, values in enumerate(self.others, 1)},
        }
        stream = BytesIO()
        np.savez(stream, **arrays)
        write_atomic(path, stream.getvalue())

    @classmethod
    def load(cls, path: Path) -> CalibrationSet:
        """Reads and checks the file.

        Raises:
            TinymlError: damaged, or not a calibration set.
        """
        try:
            archive = read_arrays(path)
            provenance = json.loads(str(archive["provenance"]))
            names = ["samples", *(f"samples_{i}" for i in range(1, len(archive) - 1))]
            samples, *others = (_checked(archive[name], name) for name in names)
            if any(len(values) != len(samples) for values in others):
                raise ValueError("its inputs have different numbers of samples")
            found = cls(samples=samples, others=tuple(others), **provenance)
            found.chosen  # noqa: B018  damaged choices are found here, not in the middle of a conversion
            return found
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise TinymlError(
                f"The calibration set is damaged ({error})",
                str(path),
                f"Run `{on_this_run('quantize')}` again.",
            ) from error


def _checked(values: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    if values.dtype.name not in SAMPLE_TYPES or values.ndim < 1 or not len(values):
        raise ValueError(f"{name} are {values.dtype.name} {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} are not finite")
    return values
