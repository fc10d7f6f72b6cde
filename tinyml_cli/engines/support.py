"""Which engines support a model, and the reason why others do not."""

from __future__ import annotations

from typing import Any

from tinyml_cli.engines import tflm
from tinyml_cli.engines.aot import compiler
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.inspection import Support
from tinyml_cli.tflite.graph import Graph
from tinyml_cli.tflite.opset import refuse_compiled


def support(model: bytes, graph: Graph, where: str = "model") -> dict[str, Support]:
    """By engine, whether it runs the model.

    The arena of aot is its plan's; that of tflm is `tflm.arena_bytes`.
    """
    return {"aot": _answer(_aot, model, graph, where), "tflm": _answer(_tflm, model, graph, where)}


def _answer(engine: Any, model: bytes, graph: Graph, where: str) -> Support:
    try:
        refuse_compiled(graph, where)
        return Support(supported=True, arena_bytes=engine(model, graph, where), reason="")
    except TinymlError as error:
        return Support(supported=False, arena_bytes=None, reason=error.what)


def advised(error: TinymlError, engine: str, model: bytes, graph: Graph) -> TinymlError:
    """The error of an engine that refuses a model; it sends to the other engine only if that one takes it."""
    other = "aot" if engine == "tflm" else "tflm"
    if f"--engine {other}" not in error.next_step:
        return error
    answer = support(model, graph, error.where)[other]
    if answer.supported:
        return error
    step = f"Engine {other} does not support it either ({answer.reason}): replace that layer and train again."
    return TinymlError(error.what, error.where, step)


def _aot(model: bytes, graph: Graph, where: str) -> int:
    return compiler.compile_graph(graph, where).arena_bytes


def _tflm(model: bytes, graph: Graph, where: str) -> int:
    tflm.check(graph, where, model)
    return tflm.arena_bytes(model)
