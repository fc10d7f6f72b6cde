"""Whether arrays are samples that a model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

if TYPE_CHECKING:
    from tinyml_cli.models.source_network import InputSpec

Array = npt.NDArray[Any]
ADVICE = (
    "Give at least 100 real inputs: --calibration data.npz, or a folder of arrays or images; just to try "
    "things out, --calibration random."
)


def checked(values: Array, spec: InputSpec, where: str) -> Array:
    """Samples [n, ...] in the model's type; anything that cannot be meant is refused."""
    if values.dtype.kind not in "fiub" or values.ndim == 0:
        raise TinymlError(
            f"The calibration data is {values.dtype.name} {list(values.shape)}, not an array of numbers",
            where,
            f"The model needs {spec}.",
        )
    shaped = _shaped(values, spec, where)
    if not len(shaped):
        raise TinymlError("The calibration data has no samples", where, ADVICE)
    if spec.dtype.startswith("int") and values.dtype.kind == "f" and not (values == np.rint(values)).all():
        raise TinymlError(
            f"The input {spec} needs whole numbers, but the data has fractions", where, "Use whole numbers."
        )
    bad = ~np.isfinite(shaped)
    if bad.any():
        first = int(np.flatnonzero(bad.reshape(len(shaped), -1).any(axis=1))[0])
        raise TinymlError(
            f"Sample {first} is not finite ({counted(int(bad.sum()), 'NaN or infinite value')})",
            where,
            "Clean the data: one such value spoils the range of a whole layer.",
        )
    # NumPy warns of what does not fit float32; it is refused right after.
    with np.errstate(over="ignore"):
        typed = shaped.astype(spec.dtype)
    if typed.dtype.kind == "f" and not np.isfinite(typed).all():
        raise TinymlError("The values do not fit float32", where, "Check the units of the data.")
    return typed


def _shaped(values: Array, spec: InputSpec, where: str) -> Array:
    """[n, ...] as the model takes it; a last axis of size 1 may be missing, or the batch of one sample."""
    if spec.accepts(values.shape[1:]):
        return values
    if spec.accepts(values.shape):
        return values[None]
    if spec.shape and spec.shape[-1] == 1 and spec.accepts((*values.shape[1:], 1)):
        return values[..., None]
    raise TinymlError(
        f"The model needs {spec}, the samples have the shape {list(values.shape[1:])}",
        where,
        _shape_hint(values, spec),
    )


def _shape_hint(values: Array, spec: InputSpec) -> str:
    turned = (*values.shape[2:], values.shape[1]) if values.ndim > 2 else ()
    if spec.accepts(turned):
        return "The channels come first in the data and last in the model: numpy.moveaxis(data, 1, -1)."
    elements = int(np.prod(values.shape[1:], dtype=np.int64))
    if None not in spec.shape and elements == np.prod([size or 0 for size in spec.shape], dtype=np.int64):
        sizes = ", ".join(map(str, spec.shape))
        return f"The number of values matches: reshape the data to (-1, {sizes})."
    return "Prepare the data exactly as in training, one sample per row of the first axis."
