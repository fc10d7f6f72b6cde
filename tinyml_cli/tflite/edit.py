"""Edits a .tflite file without flatc and scripts: names, description, labels, coarser weights."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite import anatomy, write
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.difference import difference
from tinyml_cli.tflite.graph import Tensor
from tinyml_cli.tflite.shrink import forget
from tinyml_cli.user_text import is_printable
from tinyml_cli.wording import counted

_MOST_ATTACHED_BYTES = 64 << 20
_FLOATS = ("float32", "float16")
_BYTES = ("int8", "uint8")


@dataclass(frozen=True)
class Edits:
    """What to change.

    Attributes:
        strip: drop tensor names, signatures, metadata, description and calibration ranges.
        description: the model's description; None leaves it.
        labels: stored as metadata; None leaves them.
        round_weights: every weight becomes a multiple of this, in real units; None leaves them.
    """

    strip: bool = False
    description: str | None = None
    labels: tuple[str, ...] | None = None
    round_weights: float | None = None

    def __bool__(self) -> bool:
        return self.strip or any(
            value is not None for value in (self.description, self.labels, self.round_weights)
        )


@dataclass(frozen=True)
class Rounding:
    """What rounding the weights did.

    Attributes:
        tensors: how many were rounded.
        values: in them.
        changed: values whose stored code changed.
        distinct: different stored values per tensor on average, [before, after].
        zeros_share: share of zeros, [before, after].
        max_abs_difference: largest change in real units.
    """

    tensors: int
    values: int
    changed: int
    distinct: tuple[float, float]
    zeros_share: tuple[float, float]
    max_abs_difference: float


@dataclass(frozen=True)
class EditedModel:
    """The new file and what became of the weights."""

    data: bytes
    rounding: Rounding | None


def edit(data: bytes, edits: Edits, where: str = "model") -> EditedModel:
    """Applies the edits: strip first, then description and labels, then rounding.

    The result is parsed again and compared with the original, so nothing but what was asked for changes.

    Raises:
        TinymlError: no model, an edit that makes no sense, or a file that cannot be rewritten faithfully.
    """
    graph = tflite_graph.parse(data, where)
    _check(edits)
    model = write.unpack(data, where)
    if edits.strip:
        forget(model)
    if edits.description is not None:
        model.description = edits.description
    if edits.labels is not None:
        _set_labels(model, edits.labels, where)
    rounding = None
    if edits.round_weights is not None:
        rounding = _round_weights(model, graph.tensors, edits.round_weights, where)
    edited = write.pack(model)
    if not edits.strip:
        edited = _with_attached(edited, data, where)
    _check_faithful(data, edited, rounded=rounding is not None, where=where)
    return EditedModel(edited, rounding)


def _with_attached(edited: bytes, original: bytes, where: str) -> bytes:
    """The edited flatbuffer with the files that a zip behind the original held."""
    entries = anatomy.attached(original)
    if not entries:
        return edited
    if sum(entry.file_size for entry in entries) > _MOST_ATTACHED_BYTES:
        raise TinymlError("The files attached to the model are too large to copy", where, "Use --strip.")
    stream = BytesIO(edited)
    try:
        with zipfile.ZipFile(BytesIO(original)) as source, zipfile.ZipFile(stream, "a") as target:
            for entry in entries:
                target.writestr(entry, source.read(entry))
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise TinymlError(
            f"Cannot read the files attached to the model ({error})", where, "Use --strip to drop them."
        ) from error
    return stream.getvalue()


def _check(edits: Edits) -> None:
    grid = edits.round_weights
    if grid is not None and not (np.isfinite(grid) and grid > 0):
        raise TinymlError(f"{grid} is not a valid weight step", "--round-weights", "Try 0.02.")
    for label in edits.labels or ():
        if not label.strip() or not is_printable(label):
            raise TinymlError(
                f"`{label}` is not a label", "--set-labels", "Separate labels by commas: --set-labels yes,no"
            )


def _set_labels(model: Any, labels: Sequence[str], where: str) -> None:
    """Labels as a metadata buffer: it survives tools that rewrite the flatbuffer, unlike an appended zip."""
    api = write.schema()
    buffer = api.BufferT()
    buffer.data = write.data_vector("\n".join(labels).encode("utf-8"))
    entry = api.MetadataT()
    entry.name, entry.buffer = anatomy.LABELS_METADATA, len(model.buffers)
    kept = [each for each in model.metadata or () if _text(each.name) != anatomy.LABELS_METADATA]
    model.buffers.append(buffer)
    model.metadata = [*kept, entry]
    write.drop_unused_buffers(model)
    if not any(_last_axis(model, int(index)) == len(labels) for index in model.subgraphs[0].outputs):
        sizes = sorted({_last_axis(model, int(index)) for index in model.subgraphs[0].outputs})
        raise TinymlError(
            f"{counted(len(labels), 'label')} for outputs of {', '.join(map(str, sizes))} values",
            where,
            "Give one label per model output, in order.",
        )


def _last_axis(model: Any, index: int) -> int:
    shape = model.subgraphs[0].tensors[index].shape
    return int(shape[-1]) if shape is not None and len(shape) else 1


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _round_weights(model: Any, tensors: Sequence[Tensor], grid: float, where: str) -> Rounding:
    weights = [tensor for tensor in tensors if _is_weight(tensor)]
    if not weights:
        raise TinymlError(
            "The model has no weights to round: no float or 8-bit constants",
            where,
            "Choose another model.",
        )
    before, after, largest = [], [], 0.0
    for tensor in weights:
        old = np.asarray(tensor.data)
        new = rounded(tensor, grid)
        model.buffers[_buffer_of(model, tensor)].data = write.data_vector(new.tobytes())
        values = [anatomy.real_values(_with(tensor, data)) for data in (old, new)]
        largest = max(largest, float(np.nanmax(np.abs(values[1] - values[0]), initial=0.0)))  # type: ignore[operator]
        before.append((old, values[0]))
        after.append((new, values[1]))
    changed = sum(int(np.count_nonzero(a[0] != b[0])) for a, b in zip(before, after, strict=True))
    n = sum(old.size for old, _ in before)
    zeros = [sum(int(np.count_nonzero(v == 0)) for _, v in side) / n for side in (before, after)]
    distinct = [float(np.mean([np.unique(d).size for d, _ in side])) for side in (before, after)]
    outcome = Rounding(len(weights), n, changed, (distinct[0], distinct[1]), (zeros[0], zeros[1]), largest)
    _comment(outcome, grid)
    return outcome


def _comment(outcome: Rounding, grid: float) -> None:
    if outcome.changed == 0:
        console.warn(f"no weight changed: the model's own steps are {grid:g} or coarser")
    elif outcome.zeros_share[1] > 0.95:
        console.warn(f"{outcome.zeros_share[1]:.1%} of the weights are zero now: {grid:g} is too coarse")


def _is_weight(tensor: Tensor) -> bool:
    """Matrices and filters: float of two or more dimensions, or 8-bit with a scale. Biases stay exact."""
    if tensor.data is None or tensor.data.shape != tensor.shape or not tensor.data.size:
        return False
    if tensor.dtype in _FLOATS:
        return len(tensor.shape) > 1
    return tensor.dtype in _BYTES and tensor.quantization is not None


def rounded(tensor: Tensor, grid: float) -> npt.NDArray[Any]:
    """A constant whose real values are the nearest multiples of `grid`, in its own type.

    An 8-bit tensor keeps its scale: each multiple goes to the nearest code. Codes stay within -127 … 127
    where they were, since kernels count on symmetric weights.
    """
    data = np.asarray(tensor.data)
    real = np.rint(np.asarray(anatomy.real_values(tensor)) / grid) * grid
    if data.dtype.kind == "f":
        return real.astype(data.dtype)
    quantization = tensor.quantization
    assert quantization is not None
    along = [1] * data.ndim
    if quantization.per_channel:
        along[quantization.axis] = -1
    scales = quantization.scales.astype(np.float64).reshape(along)
    with np.errstate(divide="ignore", invalid="ignore"):
        codes = np.rint(real / scales) + quantization.zero_points.reshape(along)
    codes = np.where(np.isfinite(codes), codes, data)
    limits = np.iinfo(data.dtype)
    low = -127 if data.dtype == np.int8 and data.min() >= -127 else limits.min
    return np.clip(codes, low, limits.max).astype(data.dtype)


def _buffer_of(model: Any, tensor: Tensor) -> int:
    """The tensor's buffer; its own copy if another tensor reads the same bytes differently."""
    table = model.subgraphs[0].tensors[tensor.index]
    users = sum(each.buffer == table.buffer for graph in model.subgraphs for each in graph.tensors or ())
    if users > 1:
        model.buffers.append(write.schema().BufferT())
        table.buffer = len(model.buffers) - 1
    return int(table.buffer)


def _with(tensor: Tensor, data: npt.NDArray[Any]) -> Tensor:
    return Tensor(tensor.index, tensor.name, tensor.dtype, tensor.shape, tensor.quantization, data)


def _check_faithful(old: bytes, new: bytes, *, rounded: bool, where: str) -> None:
    found = difference(old, tflite_graph.parse(old, where), new, tflite_graph.parse(new, f"{where}, edited"))
    weights_only = all(
        change.model_fields_set <= {"index", "name", "renamed", "max_abs_difference", "changed_share"}
        for change in found.tensors
    )
    intact = not found.operators and not found.operators_changed and weights_only
    if not (intact if rounded else found.same_computation):
        raise TinymlError(
            "The model contains something that cannot be rewritten exactly; nothing was written",
            where,
            "Please report this model.",
        )
