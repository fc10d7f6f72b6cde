"""Models with several signatures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.engines.flatbuffer_models import Model, Subgraph
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite.anatomy import signatures
from tinyml_cli.tflite.graph import parse
from tinyml_cli.tflite.interpret import run_int8
from tinyml_cli.tflite.signature import choose


def doubled(graph: Subgraph, times: int) -> tuple[int, int]:
    """Adds the input to itself so many times: its input and its output."""
    source = answer = graph.tensor((1, 4))
    for _ in range(times):
        following = graph.tensor((1, 4))
        graph.operator("ADD", [answer, answer], [following], "AddOptions")
        answer = following
    graph.graph.inputs, graph.graph.outputs = [source], [answer]
    return source, answer


def two_heads() -> bytes:
    model = Model()
    ends = doubled(model, 1), doubled(model.function(), 2)
    model.model.signatureDefs = []
    for number, (name, (source, answer)) in enumerate(zip(("once", "twice"), ends, strict=True)):
        definition = model.schema.SignatureDefT()
        definition.signatureKey, definition.subgraphIndex = name, number
        for side, label, index in (("inputs", "x", source), ("outputs", "y", answer)):
            entry = model.schema.TensorMapT()
            entry.name, entry.tensorIndex = label, index
            setattr(definition, side, [entry])
        model.model.signatureDefs.append(definition)
    return model.build([ends[0][0]], [ends[0][1]])


@pytest.mark.parametrize(("name", "operators"), [("once", 1), ("twice", 2)])
def test_a_signature_is_taken_out_alone(name: str, operators: int) -> None:
    alone = choose(two_heads(), name, "model.tflite")
    graph = parse(alone)
    assert (graph.subgraphs, len(graph.operators)) == (1, operators)
    assert [each.key for each in signatures(alone)] == [name]
    inputs = np.array([[1, -2, 3, -4]], np.int8)
    np.testing.assert_array_equal(run_int8(alone, inputs)[0], inputs[0] * 2**operators)
    assert choose(alone, None, "model.tflite") == alone


def test_which_one_is_asked(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "two.tflite").write_bytes(two_heads())
    error = tinyml("export-c-array", "two.tflite", "--json", cwd=tmp_path, code=2).json["error"]
    assert "`once`, `twice`" in error["what"] and "--signature once" in error["next_step"]
    assert not (tmp_path / "runs").exists()
    options = ("--engine", "aot", "--signature", "twice", "--json")
    document = tinyml("export-c-array", "two.tflite", *options, cwd=tmp_path).json
    assert [op["count"] for op in document["ops"]] == [2]


def test_a_signature_that_is_not_there() -> None:
    with pytest.raises(TinymlError, match=r"no signature `thrice`; it has `once`, `twice`"):
        choose(two_heads(), "thrice", "model.tflite")
