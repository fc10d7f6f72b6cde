"""calibration.npz: model inputs that show the converter which values occur, and where they came from."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic


@dataclass(frozen=True)
class CalibrationSet:
    """Calibration samples with their provenance.

    Attributes:
        samples: float32 [n, ...] model inputs, finite.
        method: how the ranges are used ("ptq").
        split: the split they were drawn from.
        seed: of the draw.
        model_sha256: the Keras model they were drawn for.
    """

    samples: npt.NDArray[np.float32]
    method: str
    split: str
    seed: int
    model_sha256: str

    def save(self, path: Path) -> None:
        """Writes the file whole or not at all; equal sets give equal bytes."""
        provenance = {key: value for key, value in asdict(self).items() if key != "samples"}
        stream = BytesIO()
        np.savez(stream, samples=self.samples, provenance=np.array(json.dumps(provenance, sort_keys=True)))
        write_atomic(path, stream.getvalue())

    @classmethod
    def load(cls, path: Path) -> CalibrationSet:
        """Reads and checks the file.

        Raises:
            TinymlError: damaged, or not a calibration set.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                samples, provenance = archive["samples"], json.loads(str(archive["provenance"]))
            if samples.dtype != np.float32 or samples.ndim < 2 or not len(samples):
                raise ValueError(f"samples are {samples.dtype.name} {samples.shape}")
            if not np.isfinite(samples).all():
                raise ValueError("samples are not finite")
            return cls(samples=samples, **provenance)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise TinymlError(
                f"The calibration set is damaged ({error})", str(path), "Run `tinyml quantize` again."
            ) from error
