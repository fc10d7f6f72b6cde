"""Names for the numbers of the TensorFlow Lite schema (schema version 3)."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import tflite


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


OPERATORS = _names(tflite.BuiltinOperator)
TENSOR_TYPES = {value: name.lower() for value, name in _names(tflite.TensorType).items()}
ACTIVATIONS = _names(tflite.ActivationFunctionType)
PADDINGS = _names(tflite.Padding)

_NUMPY_NAMES = """
    bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128
    """
NUMPY_TYPES: dict[str, np.dtype[Any]] = {name: np.dtype(name) for name in _NUMPY_NAMES.split()}

_OPTION_TABLES = _names(tflite.BuiltinOptions)
_ENUMERATIONS = {"FusedActivationFunction": ACTIVATIONS, "Padding": PADDINGS}
_NOT_FIELDS = re.compile(r"^(_|Init$|GetRoot)|(AsNumpy|Length|IsNone|BufferHasIdentifier)$")


def option_fields(table_number: int, table: Any) -> dict[str, Any]:
    """Reads the scalar and text fields of an operator's option table.

    Args:
        table_number: its `BuiltinOptions` number.
        table: the flatbuffer table of the operator's union, or None.

    Returns:
        Fields by snake_case name; padding and activation as names ("SAME", "RELU6").

    Raises:
        KeyError: an enumeration holds a number that the schema lacks.
    """
    reader = getattr(tflite, _OPTION_TABLES[table_number], None)
    if table is None or reader is None:
        return {}
    options = reader()
    options.Init(table.Bytes, table.Pos)
    fields: dict[str, Any] = {}
    for name in dir(reader):
        if _NOT_FIELDS.search(name) or hasattr(reader, f"{name}AsNumpy"):
            continue
        value = getattr(options, name)()
        if name in _ENUMERATIONS:
            fields[_snake_case(name)] = _ENUMERATIONS[name][int(value)]
        elif isinstance(value, bytes):
            fields[_snake_case(name)] = value.decode("utf-8", "replace")
        elif isinstance(value, bool | int | float):
            fields[_snake_case(name)] = value
    return fields


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
