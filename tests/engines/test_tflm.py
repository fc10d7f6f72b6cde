"""Sources for TensorFlow Lite Micro."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.engines import zoo
from tests.engines.flatbuffer_models import Model
from tinyml_cli.engines import support, tflm
from tinyml_cli.engines.aot import compiler as aot_compiler
from tinyml_cli.engines.export import export
from tinyml_cli.errors import TinymlError
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.interpret import with_custom_names
from tinyml_cli.tflite.opset import TFLM_INT8_OPS


def test_the_array_holds_the_model() -> None:
    model = zoo.model("ds_cnn")
    source = tflm.model_data_source(model)
    assert "alignas(16) const unsigned char" in source
    assert bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2})", source)) == model
    assert f"kModelDataBytes = {len(model)};" in tflm.model_data_header(model, "ab" * 32)
    assert max(map(len, source.splitlines())) <= 110


def test_the_resolver_has_each_operator_once() -> None:
    header = tflm.op_resolver_header(tflite_graph.parse(zoo.model("ds_cnn")))
    assert "MicroMutableOpResolver<5>" in header
    added = re.findall(r"resolver\.(Add\w+)\(\)", header)
    assert added == ["AddConv2D", "AddDepthwiseConv2D", "AddAveragePool2D", "AddFullyConnected", "AddSoftmax"]


@pytest.mark.parametrize(
    ("operator", "method"),
    [
        ("CONV_2D", "Conv2D"),
        ("MAX_POOL_2D", "MaxPool2D"),
        ("BATCH_TO_SPACE_ND", "BatchToSpaceNd"),
        ("PADV2", "PadV2"),
        ("SELECT_V2", "SelectV2"),
        ("L2_NORMALIZATION", "L2Normalization"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "UnidirectionalSequenceLSTM"),
        ("MEAN", "Mean"),
        ("CUSTOM SignalFftAutoScale", "FftAutoScale"),
        ("CUSTOM SignalPCAN", "PCAN"),
        ("CUSTOM CIRCULAR_BUFFER", "CircularBuffer"),
        ("CUSTOM TFLM_DECODE", "Decode"),
        ("CUSTOM TFLite_Detection_PostProcess", "DetectionPostprocess"),
    ],
)
def test_method_names(operator: str, method: str) -> None:
    assert tflm.method(operator) == method


def test_every_operator_has_a_method_that_can_be_written() -> None:
    for operator in TFLM_INT8_OPS:
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", tflm.method(operator)), operator


def test_dense_weights_with_many_scales_need_a_newer_library(tmp_path: Path) -> None:
    model = zoo.model("dense_per_channel")
    graph = tflite_graph.parse(model)
    tflm.check(graph, "m.tflite", model)
    kernel = tmp_path / "tensorflow" / "lite" / "micro" / "kernels" / "fully_connected.h"
    kernel.parent.mkdir(parents=True)
    kernel.write_text("struct OpDataFullyConnected { int32_t output_multiplier; };\n")
    with pytest.raises(TinymlError) as caught:
        tflm.check_library(graph, (), "old", tflm.takes_scales_per_output(tmp_path))
    assert "19 scales" in caught.value.what and "2024" in caught.value.what
    assert "--engine aot" in caught.value.next_step
    kernel.write_text("struct OpDataFullyConnected { int32_t* per_channel_output_multiplier; };\n")
    tflm.check_library(graph, (), "new", tflm.takes_scales_per_output(tmp_path))
    plain = tflite_graph.parse(zoo.model("ds_cnn"))
    tflm.check_library(plain, (), "old", newer=False)


@pytest.mark.parametrize("make", [zoo.float_model, zoo.hybrid_model])
def test_float_and_hybrid_models_are_refused(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TinymlError, match="float32"):
        tflm.check(tflite_graph.parse(make()), "m.tflite")


def test_small_files_may_have_large_activations() -> None:
    """TFLM's default arena is ten times the file."""
    model = Model()
    source, target = model.tensor((1, 128, 128, 2)), model.tensor((1, 128, 128, 2))
    model.operator("ADD", [source, source], [target], "AddOptions")
    assert tflm.arena_bytes(model.build([source], [target])) > 2 * 128 * 128 * 2


def test_the_runtime_decides_what_our_list_leaves_out() -> None:
    """A root in float32 behind DEQUANTIZE."""
    model = Model()
    source, flat = model.tensor((1, 4)), model.tensor((1, 4), dtype="float32")
    answer = model.tensor((1, 4), dtype="float32")
    shifted = model.tensor((1, 4))
    model.operator("ADD", [source, source], [shifted], "AddOptions")
    model.operator("DEQUANTIZE", [shifted], [flat], "DequantizeOptions")
    model.operator("SQRT", [flat], [answer])
    made = model.build([source], [answer])
    graph = tflite_graph.parse(made)
    assert support.support(made, graph)["tflm"].supported
    with pytest.raises(TinymlError, match="SQRT") as refused:
        aot_compiler.compile_graph(graph, "m")
    assert support.advised(refused.value, "aot", made, graph) is refused.value


def test_int16x8_is_exported_for_both_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "runs"))
    model = Model()
    source, answer = model.tensor((1, 4), dtype="int16"), model.tensor((1, 2), dtype="int16")
    weights = model.tensor((2, 4), 0.02, data=np.ones((2, 4)))
    model.operator("FULLY_CONNECTED", [source, weights, -1], [answer], "FullyConnectedOptions")
    path = tmp_path / "wide.tflite"
    path.write_bytes(model.build([source], [answer]))
    run = open_run(path)
    assert export(run, "tflm").arena_bytes["tflm"] > 0
    assert export(run, "aot").arena_bytes["aot"] > 0


def test_no_engine_sends_to_another_that_refuses_too() -> None:
    model = Model()
    source, answer = model.tensor((1, 4)), model.tensor((1, 4))
    model.operator("ATAN2", [source, source], [answer])
    made = model.build([source], [answer])
    graph = tflite_graph.parse(made)
    with pytest.raises(TinymlError) as refused:
        aot_compiler.compile_graph(graph, "m")
    assert "--engine tflm" in refused.value.next_step
    step = support.advised(refused.value, "aot", made, graph).next_step
    assert "--engine" not in step and "ATAN2" in step


def test_the_arena_is_enough_and_not_lavish() -> None:
    runtime = pytest.importorskip(
        "tflite_micro", reason="tflite-micro has no wheel for this platform"
    ).runtime
    model = zoo.model("ds_cnn")
    arena = tflm.arena_bytes(model)
    assert arena % 1024 == 0
    runtime.Interpreter.from_bytes(model, arena_size=arena).invoke()
    with pytest.raises(RuntimeError):
        runtime.Interpreter.from_bytes(model, arena_size=arena // 2)


def test_a_model_that_the_runtime_refuses_is_an_error() -> None:
    pytest.importorskip("tflite_micro", reason="tflite-micro has no wheel for this platform")
    model = bytearray(zoo.model("ds_cnn"))
    model[: len(model) // 2] = bytes(len(model) // 2)
    with pytest.raises(TinymlError):
        tflm.arena_bytes(bytes(model))


def test_custom_operators_are_named_in_what_the_runtime_says() -> None:
    model = Model()
    source, answer = model.tensor((1, 4)), model.tensor((1, 4))
    model.operator("CUSTOM", [source], [answer])
    made = model.build([source], [answer])
    said = "Failed to get registration from op code CUSTOM"
    name = tflite_graph.parse(made).operators[0].name
    assert name.startswith("CUSTOM ")
    assert with_custom_names(said, made) == said.replace("CUSTOM", name)
    assert with_custom_names("Arena too small", made) == "Arena too small"
