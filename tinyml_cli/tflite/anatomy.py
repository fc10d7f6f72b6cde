"""The contents of a .tflite file as plain values. Any file: float, int8 or mixed."""

from __future__ import annotations

import gzip
import hashlib
import math
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from tinyml_cli.manifest_sections import Op
from tinyml_cli.outcomes.inspection import (
    Anatomy,
    Attached,
    Interface,
    Metadata,
    OperatorEntry,
    Scale,
    Signature,
    Statistics,
    Subgraph,
    TensorEntry,
)
from tinyml_cli.tflite.graph import Graph, QuantizationParameters, Tensor, macs, op_list, total_macs

LABELS_METADATA = "tinyml.labels"
"""Name of the metadata buffer that holds labels: UTF-8, one a line."""

# Text that fits a terminal; other metadata are shown by their size.
_LONGEST_TEXT = 200
_MOST_ENTRIES = 1000
_8_BIT = {"int8": 256, "uint8": 256}


@dataclass(frozen=True)
class MetadataBuffer:
    """One named buffer of the file that no tensor uses."""

    name: str
    data: bytes

    @property
    def text(self) -> str | None:
        """The content where it is short text."""
        try:
            text = self.data.rstrip(b"\0").decode("utf-8")
        except UnicodeDecodeError:
            return None
        return text if len(text) <= _LONGEST_TEXT and text.isprintable() else None


@dataclass(frozen=True)
class ModelSignature:
    """A named way to call the model: names of arguments and results, by tensor index."""

    key: str
    inputs: dict[str, int]
    outputs: dict[str, int]


def describe(data: bytes, graph: Graph) -> Anatomy:
    """Everything about a model that needs no other file.

    Args:
        data: the file.
        graph: the same, parsed.
    """
    entries = metadata(data)
    return Anatomy(
        bytes=len(data),
        gzip_bytes=gzip_bytes(data),
        sha256=hashlib.sha256(data).hexdigest(),
        kind=kind(graph),
        description=graph.description,
        subgraphs=graph.subgraphs,
        inputs=[_interface(graph.tensors[index]) for index in graph.inputs],
        outputs=[_interface(graph.tensors[index]) for index in graph.outputs],
        signatures=[Signature(**vars(each)) for each in signatures(data)],
        metadata=[Metadata(name=e.name, bytes=len(e.data), text=e.text) for e in entries],
        labels=labels(entries),
        attached=[Attached(name=each.filename, bytes=each.file_size) for each in attached(data)],
        macs=total_macs(graph),
        ops=[Op(name=name, version=version, count=count) for name, version, count in op_list(graph)],
        operators=[
            OperatorEntry(
                index=op.index,
                name=op.name,
                version=op.version,
                inputs=list(op.inputs),
                outputs=list(op.outputs),
                options={key: _plain(value) for key, value in op.options.items()},
                macs=macs(graph, op),
            )
            for op in graph.operators
        ],
        tensors=[_details(tensor) for tensor in graph.tensors],
        functions=[Subgraph(operators=len(f.operators), tensors=len(f.tensors)) for f in graph.functions],
    )


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def gzip_bytes(data: bytes) -> int:
    """Size after `gzip -9`, as over a network or in an app's package."""
    return len(gzip.compress(data, 9, mtime=0))


def kind(graph: Graph) -> str:
    """How the model computes, in a few words."""
    constants = {t.dtype for t in graph.tensors if t.data is not None and len(t.shape) > 1}
    # What is computed: the cell state of an int8 LSTM or SVDF is int16, which is neither in nor out.
    activations = {graph.tensors[index].dtype for index in graph.computed | set(graph.inputs)}
    io = {graph.tensors[index].dtype for index in (*graph.inputs, *graph.outputs)}
    floating = any(name.startswith(("float", "bfloat")) for name in activations)
    ends = " with float32 inputs and outputs" if io == {"float32"} else ""
    if "int16" in activations and "int8" in constants:
        return f"int16x8: int16 activations, int8 weights{ends}"
    if not floating and "int8" in activations:
        return "full int8"
    if not floating and "int16" in activations:
        return "int16 activations"
    if floating and "int8" in activations:
        return f"int8{ends}" if ends else "partly int8"
    if floating and "int8" in constants:
        return "dynamic range: int8 weights, float32 activations"
    if floating and "float16" in constants:
        return "float16 weights, float32 activations"
    return "float32" if floating else "integer"


def _interface(tensor: Tensor) -> Interface:
    return Interface(
        index=tensor.index,
        name=tensor.name,
        shape=list(tensor.shape),
        dtype=tensor.dtype,
        quantization=_scale(tensor.quantization),
    )


def _details(tensor: Tensor) -> TensorEntry:
    return TensorEntry.extending(
        _interface(tensor),
        bytes=int(tensor.data.nbytes) if tensor.data is not None else tensor.bytes,
        constant=tensor.data is not None,
        statistics=statistics(tensor),
    )


def real_values(tensor: Tensor) -> npt.NDArray[np.float64] | None:
    """A constant's values in real units; None for what has none (integers without scale, packed types)."""
    data, quantization = tensor.data, tensor.quantization
    if data is None or data.size == 0 or data.dtype.kind not in "iuf" or data.shape != tensor.shape:
        return None
    if quantization is None:
        return data.astype(np.float64) if data.dtype.kind == "f" else None
    along = [1] * data.ndim
    if quantization.per_channel:
        along[quantization.axis] = -1
    scales = quantization.scales.astype(np.float64).reshape(along)
    return scales * (data.astype(np.float64) - quantization.zero_points.reshape(along))


def statistics(tensor: Tensor) -> Statistics | None:
    """Of a constant in real units: min, max, mean, std, share of zeros, number of distinct stored values.

    `grid_share` is the share of the 256 codes of an 8-bit tensor that occur; None for other types.
    """
    values = real_values(tensor)
    if values is None or tensor.data is None:
        return None
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    distinct = int(np.unique(tensor.data).size)
    codes = _8_BIT.get(tensor.dtype)
    return Statistics(
        min=float(finite.min()),
        max=float(finite.max()),
        mean=float(finite.mean()),
        std=float(finite.std()),
        zeros_share=float(np.mean(values == 0)),
        distinct=distinct,
        grid_share=distinct / codes if codes else None,
        not_finite=int(values.size - finite.size),
    )


def metadata(data: bytes) -> list[MetadataBuffer]:
    """The named buffers of a file that `graph.parse` accepts; those that make no sense are left out."""
    model = tflite.Model.GetRootAs(data, 0)
    entries = []
    try:
        for index in range(min(model.MetadataLength(), _MOST_ENTRIES)):
            entry = model.Metadata(index)
            if 0 <= entry.Buffer() < model.BuffersLength():
                content = model.Buffers(entry.Buffer()).DataAsNumpy()
                raw = content.tobytes() if isinstance(content, np.ndarray) else b""
                entries.append(MetadataBuffer((entry.Name() or b"").decode("utf-8", "replace"), raw))
    # Hostile offsets raise exceptions of many kinds, and metadata are not worth a failure.
    except Exception:
        return entries
    return entries


def labels(entries: list[MetadataBuffer]) -> list[str] | None:
    """The labels that `tinyml inspect --edit --set-labels` stored."""
    for entry in entries:
        if entry.name == LABELS_METADATA:
            return entry.data.rstrip(b"\0").decode("utf-8", "replace").splitlines()
    return None


def attached(data: bytes) -> list[zipfile.ZipInfo]:
    """Files in a zip behind the flatbuffer, as TensorFlow Lite's metadata tools put label files there."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return archive.infolist()[:_MOST_ENTRIES]
    # Not a zip at all, or one that makes no sense.
    except Exception:
        return []


def signatures(data: bytes) -> list[ModelSignature]:
    """The file's signatures, as far as they make sense."""
    model = tflite.Model.GetRootAs(data, 0)
    found = []
    try:
        for index in range(min(model.SignatureDefsLength(), _MOST_ENTRIES)):
            table = model.SignatureDefs(index)
            found.append(
                ModelSignature(
                    key=(table.SignatureKey() or b"").decode("utf-8", "replace"),
                    inputs=_tensor_map(table.InputsLength(), table.Inputs),
                    outputs=_tensor_map(table.OutputsLength(), table.Outputs),
                )
            )
    except Exception:
        return found
    return found


def _tensor_map(length: int, at: Any) -> dict[str, int]:
    entries = [at(index) for index in range(min(length, _MOST_ENTRIES))]
    return {(each.Name() or b"").decode("utf-8", "replace"): each.TensorIndex() for each in entries}


def _scale(quantization: QuantizationParameters | None) -> Scale | None:
    if quantization is None:
        return None
    return Scale(
        scales=[float(scale) for scale in quantization.scales],
        zero_points=[int(point) for point in quantization.zero_points],
        per_channel=quantization.per_channel,
        axis=quantization.axis if quantization.per_channel else None,
    )
