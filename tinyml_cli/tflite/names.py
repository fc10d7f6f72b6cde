"""Names of layers in converted models, as their author wrote them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from tinyml_cli.tflite import write


def restore(model_bytes: bytes, layer_names: Collection[str]) -> bytes:
    """The flatbuffer with the names of Keras layers in its tensor names.

    Keras opens the name scope of each layer twice, so TensorFlow numbers the second, in which the operators
    are: `conv2d` appears as `conv2d_1`, which may well be the name of another layer.

    Args:
        model_bytes: as converted.
        layer_names: of the Keras model.
    """
    model = write.unpack(model_bytes)
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors or ()]
    texts = [
        name.decode("utf-8", "replace") if isinstance(name := tensor.name, bytes) else name or ""
        for tensor in tensors
    ]
    for tensor, text in zip(tensors, unnumbered(texts, layer_names), strict=True):
        tensor.name = text
    return write.pack(model)


def with_signature(model_bytes: bytes) -> bytes:
    """The flatbuffer with the signature of a SavedModel that has one input and one output."""
    model, api = write.unpack(model_bytes), write.schema()
    graph = model.subgraphs[0]
    signature = api.SignatureDefT()
    signature.signatureKey = "serving_default"
    signature.inputs = [_entry("input_00", graph.inputs)]
    signature.outputs = [_entry("output_0", graph.outputs)]
    model.signatureDefs = [signature]
    return write.pack(model)


def _entry(name: str, tensors: Sequence[int]) -> Any:
    entry = write.schema().TensorMapT()
    entry.name, entry.tensorIndex = name, int(tensors[0])
    return entry


def unnumbered(tensor_names: Iterable[str], layer_names: Collection[str]) -> list[str]:
    """Tensor names with `conv2d_1/…` back to `conv2d/…`; as they are where scopes were not numbered."""
    names = list(tensor_names)
    scopes = {part for name in names for path in name.split(";") for part in path.split("/")[:-1]}
    plain = {scope for scope in scopes if scope in layer_names}
    if any(_layer(scope, layer_names) is None for scope in plain):
        return names
    return [
        re.sub(r"[^/;]+(?=/)", lambda part: _layer(part[0], layer_names) or part[0], name) for name in names
    ]


def _layer(scope: str, layer_names: Collection[str]) -> str | None:
    """The layer whose numbered scope this is."""
    match = re.fullmatch(r"(.+)_\d+", scope)
    return match[1] if match and match[1] in layer_names else None
