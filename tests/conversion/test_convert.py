from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import REPOSITORY
from tests.pattern_task import as_input, patterns, small_ds_cnn
from tinyml_cli.console import console
from tinyml_cli.conversion.convert import convert, to_flatbuffers
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import sha256_file
from tinyml_cli.models.source import open_source
from tinyml_cli.outcomes.base import File
from tinyml_cli.run import CALIBRATION, MODEL, MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.tflite import interpret, names
from tinyml_cli.tflite.graph import parse


def test_the_outcome_is_what_lies_on_disk(converted_run: Run) -> None:
    before = {name: sha256_file(converted_run.file(name)) for name in (MODEL_FLOAT32, MODEL_INT8)}
    outcome = convert(converted_run)

    for made, name in ((outcome.float32, MODEL_FLOAT32), (outcome.int8, MODEL_INT8)):
        assert made == File(bytes=converted_run.file(name).stat().st_size, sha256=before[name]), (
            "a second conversion of the same inputs gives the same bytes"
        )
    singles = ("AVERAGE_POOL_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "RESHAPE", "SOFTMAX")
    assert {op.name: op.count for op in outcome.ops} == {"CONV_2D": 2, **dict.fromkeys(singles, 1)}
    assert outcome.compared == 64
    assert outcome.max_abs_error_float < 1e-5
    assert outcome.agreement_int8_float > 0.95
    if interpret.has_tflm():
        assert outcome.mismatches <= 0.02 * 64 * 4
        # LiteRT rounds FULLY_CONNECTED once where the device kernels round twice.
        assert outcome.max_difference <= 1


def test_the_manifest_says_how_to_quantise_inputs(converted_run: Run) -> None:
    manifest = converted_run.manifest()
    graph = parse(converted_run.file(MODEL_INT8).read_bytes())
    source, target = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]

    assert manifest.quantization is not None
    assert manifest.quantization.input is not None
    assert source.quantization is not None
    assert manifest.quantization.input.scale == source.quantization.scales[0]
    assert manifest.quantization.input.zero_point == source.quantization.zero_points[0]
    assert manifest.quantization.output is not None
    assert manifest.quantization.output.model_dump() == {"scale": 1 / 256, "zero_point": -128}
    assert (source.dtype, target.dtype, source.shape, target.shape) == (
        "int8",
        "int8",
        (1, 49, 40, 1),
        (1, 4),
    )
    assert len(manifest.quantization.layers) == 8


def test_dense_weights_have_one_scale_and_convolutions_one_per_channel(converted_run: Run) -> None:
    graph = parse(converted_run.file(MODEL_INT8).read_bytes())
    scales: dict[str, int] = {}
    for operator in graph.operators:
        weights = graph.input(operator, 1)
        if operator.name in ("CONV_2D", "FULLY_CONNECTED") and weights is not None and weights.quantization:
            scales[operator.name] = len(weights.quantization.scales)
    assert scales == {"CONV_2D": 8, "FULLY_CONNECTED": 1}


def test_every_constant_is_aligned_to_16_bytes(converted_run: Run) -> None:
    import tflite

    data = converted_run.file(MODEL_INT8).read_bytes()
    model = tflite.Model.GetRootAs(data, 0)
    starts = [
        buffer._tab.Vector(buffer._tab.Offset(4))
        for buffer in map(model.Buffers, range(model.BuffersLength()))
        if buffer.DataLength()
    ]
    assert len(starts) > 5
    assert all(start % 16 == 0 for start in starts), starts


def test_shrinking_changes_no_output(trained_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    network = open_source(trained_run.file(MODEL))
    features = patterns(40, 5)[0]
    small = to_flatbuffers(network, [as_input(features)]).int8
    monkeypatch.setattr("tinyml_cli.conversion.convert.shrink", lambda data, *_: data)
    whole = to_flatbuffers(network, [as_input(features)]).int8

    assert len(small) < 0.9 * len(whole)
    source, _ = interpret.io_quantization(parse(small))
    inputs = interpret.quantize_values(as_input(features), source)
    np.testing.assert_array_equal(interpret.run_int8(small, inputs), interpret.run_int8(whole, inputs))


def test_convert_without_calibration_says_what_to_run(trained_run: Run) -> None:
    with pytest.raises(TinymlError, match=r"calibration\.npz.*tinyml quantize"):
        convert(trained_run)
    assert not trained_run.file(MODEL_INT8).exists()


def test_a_calibration_of_another_model_is_stale(converted_run: Run) -> None:
    old = sha256_file(converted_run.file(MODEL_INT8))
    small_ds_cnn().save(converted_run.file(MODEL))
    manifest = converted_run.manifest()
    converted_run.record(manifest, MODEL, "tinyml train")
    converted_run.save(manifest)
    with pytest.raises(TinymlError, match=r"`calibration\.npz` is stale.*tinyml quantize"):
        convert(converted_run)
    assert sha256_file(converted_run.file(MODEL_INT8)) == old


def test_a_changed_calibration_is_refused(converted_run: Run) -> None:
    path = converted_run.file(CALIBRATION)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(TinymlError, match="tinyml quantize"):
        convert(converted_run)


def test_a_damaged_keras_file_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(b"not a model")
    with pytest.raises(TinymlError, match=r"Cannot load.*copy is complete"):
        open_source(path)


def _refusal(tmp_path: Path, layer: Any) -> str:
    from tinyml_cli.tflite.opset import check_int8

    small_ds_cnn(layer).save(tmp_path / "model.keras")
    with pytest.raises(TinymlError) as caught:
        converted = to_flatbuffers(open_source(tmp_path / "model.keras"), [as_input(patterns(10, 0)[0])])
        check_int8(parse(converted.int8), MODEL_INT8)
    return str(caught.value)


def test_a_layer_without_int8_kernel_is_named(tmp_path: Path) -> None:
    import keras

    message = _refusal(tmp_path, keras.layers.Activation("gelu"))
    assert any(name in message.lower() for name in ("gelu", "erf")), message


def test_an_operator_beyond_int8_is_named(tmp_path: Path) -> None:
    import keras

    assert "no int8 kernel for EXP" in _refusal(tmp_path, keras.layers.Activation("exponential"))


def test_conversion_writes_nothing_over_the_terminal(
    converted_run: Run, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even what C++ code writes."""
    monkeypatch.setattr(console, "quiet", True)
    capfd.readouterr()
    convert(converted_run)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_conversion_in_a_new_process_writes_nothing_either(converted_run: Run) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from tinyml_cli import registry\n"
        "registry._TRAINED['patterns'] = 'tests.pattern_task:TASK'\n"
        "from tinyml_cli.console import console; console.quiet = True\n"
        "from tinyml_cli.run import Run; from tinyml_cli.conversion.convert import convert\n"
        "convert(Run(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(converted_run.path)]
    process = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert process.stdout == ""
    noise = [line for line in process.stderr.splitlines() if line.strip()]
    assert noise == [], noise


@pytest.mark.parametrize(
    ("tensor_names", "restored"),
    [
        (["m_1/conv_1/Relu;m_1/conv_1/B", "m_1/conv_1_2/A"], ["m_1/conv/Relu;m_1/conv/B", "m_1/conv_1/A"]),
        (["m/conv/Relu", "m/conv_1/Relu"], ["m/conv/Relu", "m/conv_1/Relu"]),
        (["PartitionedCall:0", "arith.constant1", ""], ["PartitionedCall:0", "arith.constant1", ""]),
    ],
)  # fmt: skip
def test_layers_keep_the_names_that_their_author_gave(tensor_names: list[str], restored: list[str]) -> None:
    assert names.unnumbered(tensor_names, {"conv", "conv_1"}) == restored


def test_names_of_layers_stand_in_both_models(converted_run: Run) -> None:
    layers = converted_run.manifest().quantization.layers  # type: ignore[union-attr]
    assert [layer.name for layer in layers[1:4]] == ["stem", "depthwise", "pointwise"]
    int8 = parse(converted_run.file(MODEL_INT8).read_bytes())
    assert [int8.tensors[op.outputs[0]].name for op in int8.operators[:3]] == [
        "stem",
        "depthwise",
        "pointwise",
    ]
