"""Flatbuffers as mutable objects, and back to bytes. Needs only LiteRT, not TensorFlow."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt

from tinyml_cli.errors import TinymlError

_BUFFER_ALIGNMENT = 16  # schema.fbs: Buffer.data is (force_align: 16)
_SCHEMAS = (
    "ai_edge_litert.schema_py_generated",
    "tflite_micro.tensorflow.lite.micro.python.schema_py_generated",
)


class _Builder(flatbuffers.Builder):  # type: ignore[misc]
    """A builder that honours force_align, which generated Python code drops, and stores equal vectors once.

    Every channel of every layer has a zero point of 64 bits, and nearly all of them are zero.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._stored: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: npt.NDArray[Any]) -> int:  # noqa: N802
        key = (x.dtype.str, x.tobytes())
        if key not in self._stored:
            self._stored[key] = int(super().CreateNumpyVector(x))
        return self._stored[key]

    def StartVector(self, element_bytes: int, count: int, alignment: int) -> int:  # noqa: N802
        if element_bytes == 1:
            alignment = max(alignment, _BUFFER_ALIGNMENT)
        return int(super().StartVector(element_bytes, count, alignment))


@functools.cache
def schema() -> Any:
    """The module with the generated object API (`ModelT`) of the TFLite schema, from what is installed.

    Raises:
        TinymlError: none of the packages that carry it is installed.
    """
    for name in _SCHEMAS:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    from tinyml_cli.quiet_import import import_quietly

    return import_quietly("tensorflow.lite.python.schema_py_generated")


def unpack(model_bytes: bytes, where: str = "model") -> Any:
    """The model as a `ModelT`.

    Args:
        model_bytes: bytes that `graph.parse` accepts.
        where: what error messages call them.

    Raises:
        TinymlError: tables that `graph.parse` does not read make no sense.
    """
    api = schema()
    try:
        return api.ModelT.InitFromObj(api.Model.GetRootAs(model_bytes, 0))
    # Generated code reads any table anywhere: whatever it raises, the file is damaged.
    except Exception as error:
        raise TinymlError(
            f"Cannot parse the model ({type(error).__name__}: {error})",
            where,
            "Check that the download or copy is complete.",
        ) from error


def pack(model: Any) -> bytes:
    """The bytes of a `ModelT`, with constants aligned to 16 bytes; equal models give equal bytes."""
    builder = _Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def drop_unused_buffers(model: Any) -> None:
    """Keeps buffers that a tensor or a metadata entry names; all without data become buffer 0."""
    kept = [model.buffers[0]]
    numbers: dict[int, int] = {}

    def moved(old: int) -> int:
        data = model.buffers[old].data
        if data is None or len(data) == 0:
            return 0
        if old not in numbers:
            numbers[old] = len(kept)
            kept.append(model.buffers[old])
        return numbers[old]

    for graph in model.subgraphs:
        for tensor in graph.tensors or ():
            tensor.buffer = moved(tensor.buffer)
    for entry in model.metadata or ():
        entry.buffer = moved(entry.buffer)
    model.buffers = kept


def operator_code(model: Any, number: int) -> int:
    """The index of a built-in operator's code, which is added where the model has none."""
    for index, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == number:
            return index
    return add_operator_code(model, number)


def add_operator_code(model: Any, number: int, version: int = 1) -> int:
    """Adds a built-in operator's code; returns its index."""
    code = schema().OperatorCodeT()
    # Numbers above 126 do not fit the old field, schema.fbs says.
    code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def data_vector(data: bytes) -> npt.NDArray[np.uint8]:
    """Bytes as the object API holds a buffer's data."""
    return np.frombuffer(data, np.uint8)
