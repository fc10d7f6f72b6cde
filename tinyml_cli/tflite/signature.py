"""Extracts one signature of a flatbuffer with several, without the others' subgraphs and constants."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import next_step
from tinyml_cli.tflite import anatomy, write
from tinyml_cli.tflite.graph import parse
from tinyml_cli.wording import counted

_CALLING = frozenset({"CALL_ONCE", "IF", "WHILE"})


def choose(data: bytes, name: str | None, where: str) -> bytes:
    """The flatbuffer of one signature; the same bytes where there is at most one.

    Args:
        data: a flatbuffer that `graph.parse` accepts.
        name: the signature; None where the file leaves no choice.

    Raises:
        TinymlError: no such signature, several and no name, or one whose subgraph calls others.
    """
    names = [each.key for each in anatomy.signatures(data)]
    listed = ", ".join(f"`{each}`" for each in names) or "none"
    if name is None and len(names) > 1:
        raise TinymlError(
            f"The model has {counted(len(names), 'signature')}: {listed}",
            where,
            f"Choose one: {next_step('export-c-array', Path(where), '--signature', names[0])}",
        )
    if name is not None and name not in names:
        raise TinymlError(
            f"The model has no signature `{name}`; it has {listed}", where, "Check --signature."
        )
    if len(names) < 2:
        return data
    model = write.unpack(data, where)
    chosen = next(each for each in model.signatureDefs if each.signatureKey == (name or "").encode())
    if chosen.subgraphIndex:
        _check_calls_nothing(data, chosen.subgraphIndex, where)
    model.subgraphs = [model.subgraphs[chosen.subgraphIndex]]
    model.signatureDefs, chosen.subgraphIndex = [chosen], 0
    write.drop_unused_buffers(model)
    return write.pack(model)


def _check_calls_nothing(data: bytes, number: int, where: str) -> None:
    graph = parse(data, where)
    for operator in (graph, *graph.functions)[number].operators:
        if operator.name in _CALLING:
            raise TinymlError(
                f"The signature's subgraph calls another one ({operator.name}) and cannot be extracted",
                where,
                "Convert only this signature from the original model.",
            )
