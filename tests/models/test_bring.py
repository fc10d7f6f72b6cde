"""Models trained elsewhere: Keras 2 and 3 files, SavedModels, several inputs and outputs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Tinyml
from tinyml_cli.conversion.convert import SAVED_MODEL, convert
from tinyml_cli.errors import TinymlError
from tinyml_cli.models.legacy import modernised
from tinyml_cli.models.source import open_source
from tinyml_cli.quantization.calibration_set import CalibrationSet
from tinyml_cli.run import CALIBRATION, MODEL, MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.stages.bring import bring
from tinyml_cli.stages.convert import convert_any
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

RNG = np.random.default_rng(2)


@pytest.fixture(autouse=True)
def _runs_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "runs"))


@pytest.fixture(scope="module")
def layers() -> Any:
    pytest.importorskip("tensorflow", reason="TensorFlow converts the models of this test")
    import keras

    keras.utils.set_random_seed(4)
    return keras.layers


def _two_inputs(layers: Any) -> Any:
    """Two inputs whose order is not the alphabet's, two outputs."""
    import keras

    image, angle = keras.Input((8, 8, 1), name="view"), keras.Input((5,), name="angle")
    x = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(image))
    x = layers.Concatenate()([x, layers.Dense(6, activation="relu")(angle)])
    return keras.Model(
        [image, angle], [layers.Dense(3, activation="softmax")(x), layers.Dense(2)(x)], name="two"
    )


def _data(path: Path) -> tuple[Path, dict[str, np.ndarray]]:
    arrays = {"angle": RNG.normal(size=(60, 5)), "view": RNG.random((60, 8, 8, 1))}
    np.savez(path / "data.npz", **arrays)
    return path / "data.npz", arrays


@pytest.mark.parametrize(
    "kind", ["two.keras", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("two.h5", "saved"))]
)
def test_several_inputs_and_outputs(layers: Any, tmp_path: Path, kind: str) -> None:
    model, path = _two_inputs(layers), tmp_path / kind
    model.export(path, verbose=False) if kind == "saved" else model.save(path)
    data, arrays = _data(tmp_path)
    outcome = bring(path, str(data))

    assert outcome.max_abs_error_float < 1e-5
    assert outcome.agreement_int8_float > 0.9
    assert len(outcome.sqnr_db) == 2 and min(outcome.sqnr_db) > 25
    if interpret.has_tflm():
        assert outcome.max_difference <= 1
    assert {row.op for row in outcome.layers} >= {"INPUT", "CONV_2D", "CONCATENATION"}
    run = Run(Path(outcome.run))
    manifest = run.manifest()
    run.require(manifest, MODEL_INT8)
    assert manifest.task == "model" and manifest.quantization and manifest.model
    assert manifest.quantization.calibration_split == "file"
    assert manifest.model.parameters == model.count_params()

    graph = parse(run.file(MODEL_INT8).read_bytes())
    order = ["angle", "view"] if kind == "saved" else ["view", "angle"]
    assert [graph.tensors[index].name for index in graph.inputs] == order
    inputs = interpret.quantize_inputs(graph, [arrays[name][:20] for name in order])
    answers = interpret.dequantize_outputs(graph, interpret.run(run.file(MODEL_INT8).read_bytes(), inputs))
    exact = [np.asarray(value) for value in model([arrays["view"][:20], arrays["angle"][:20]])]
    for mine in answers:
        theirs = next(value for value in exact if value.shape == mine.shape)
        assert np.abs(mine - theirs).max() < 0.1 * np.abs(theirs).max()


def test_the_run_can_be_converted_again(layers: Any, tmp_path: Path) -> None:
    path = tmp_path / "saved"
    _two_inputs(layers).export(path, verbose=False)
    data, _ = _data(tmp_path)
    first = bring(path, str(data))
    run = Run(Path(first.run))
    assert zipfile.ZipFile(run.file(SAVED_MODEL)).testzip() is None
    again = convert(run)
    assert again.int8 == first.int8 and again.float32 == first.float32
    assert bring(path, str(data)).run == first.run, "the same model leads to the same run"


def test_a_run_that_was_trained_here_keeps_its_model(layers: Any, tmp_path: Path, trained_run: Run) -> None:
    path = tmp_path / "two.keras"
    _two_inputs(layers).save(path)
    before = trained_run.file(MODEL).read_bytes()
    with pytest.raises(TinymlError, match="trained here"):
        bring(path, str(_data(tmp_path)[0]), trained_run.path)
    assert trained_run.file(MODEL).read_bytes() == before


def test_samples_that_were_scaled_twice_are_warned_about(
    layers: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import keras

    path = tmp_path / "scales.keras"
    scaled = [layers.Rescaling(1 / 255), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)]
    keras.Sequential([keras.Input((6, 6, 1)), *scaled]).save(path)
    for factor, warned in ((1, True), (255, False)):
        np.save(tmp_path / "x.npy", RNG.random((60, 6, 6, 1)) * factor)
        bring(path, str(tmp_path / "x.npy"))
        assert ("already scaled?" in capsys.readouterr().err) == warned


@pytest.mark.parametrize(
    ("given", "options", "says"),
    [
        ("model.tflite", {}, "already a TensorFlow Lite model"),
        ("nowhere.h5", {}, "The model does not exist"),
        ("nowhere", {}, "No run `nowhere`"),
        ("model.keras", {"value_range": "1,0"}, "not a range"),
        ("model.keras", {"value_range": "many"}, "not a range"),
        (None, {"calibration": "random"}, "--calibration is for models"),
        (None, {"samples": 3}, "--samples is for models"),
    ],
)
def test_arguments_that_do_not_go_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, options: Any, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("model.tflite", "model.keras"):
        (tmp_path / name).write_bytes(b"any")
    with pytest.raises(TinymlError, match=says) as caught:
        convert_any(given, **options)
    assert caught.value.next_step


def test_random_calibration_is_recorded(layers: Any, tmp_path: Path) -> None:
    import keras

    path = tmp_path / "line.keras"
    keras.Sequential([keras.Input((6,)), layers.Dense(1)]).save(path)
    outcome = bring(path, "random")
    run = Run(Path(outcome.run))
    assert outcome.agreement_int8_float is None, "one value has no first place"
    assert run.manifest().quantization.calibration_split == "random"  # type: ignore[union-attr]
    assert CalibrationSet.load(run.file(CALIBRATION)).split == "random"


def test_recurrent_layers_are_unrolled(layers: Any, tmp_path: Path) -> None:
    import keras

    path = tmp_path / "lstm.keras"
    keras.Sequential([keras.Input((4, 3)), layers.LSTM(5), layers.Dense(2)]).save(path)
    np.save(tmp_path / "x.npy", RNG.normal(size=(60, 4, 3)))
    outcome = bring(path, str(tmp_path / "x.npy"))
    assert outcome.max_abs_error_float < 1e-5
    assert not {"WHILE", "IF"} & {op.name for op in outcome.ops}


def test_a_loop_that_cannot_be_unrolled_ends_in_advice(layers: Any, tmp_path: Path) -> None:
    import keras

    np.save(tmp_path / "x.npy", RNG.normal(size=(20, 4, 3)))
    model = keras.Sequential([keras.Input((4, 3)), layers.LSTM(5), layers.Dense(2)])
    model.export(tmp_path / "saved", verbose=False)
    with pytest.raises(TinymlError, match=r"unroll=True"):
        bring(tmp_path / "saved", str(tmp_path / "x.npy"))


def _as_keras_2_wrote_it(path: Path) -> None:
    """Adds the arguments and the slashes in names that Keras 2 stored and Keras 3 refuses."""
    import h5py

    extra = {"DepthwiseConv2D": {"groups": 1}, "SeparableConv2D": {"groups": 1},
             "Conv2DTranspose": {"groups": 1}, "SpatialDropout2D": {"noise_shape": None},
             "LSTM": {"time_major": False, "implementation": 2}}  # fmt: skip
    with h5py.File(path, "r+") as archive:
        config = json.loads(archive.attrs["model_config"])
        layers = config["config"]["layers"]
        for layer in [*layers, *(each["config"]["layer"] for each in layers if "layer" in each["config"])]:
            layer["config"].update(extra.get(layer["class_name"], {}))
            layer["config"]["name"] = f"scope/{layer['config']['name']}"
            layer["config"]["dtype"] = {"class_name": "Policy", "config": {"name": "float32"}}
            for key in ("module", "registered_name", "build_config"):
                layer.pop(key, None)
        archive.attrs["model_config"] = json.dumps(config)


def test_layers_of_keras_2_load(layers: Any, tmp_path: Path) -> None:
    import keras

    path = tmp_path / "old.h5"
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.DepthwiseConv2D(3),
            layers.SeparableConv2D(3, 3),
            layers.Conv2DTranspose(2, 3),
            layers.SpatialDropout2D(0.1),
            layers.Reshape((6, 12)),
            layers.Bidirectional(layers.LSTM(4)),
            layers.Dense(2),
        ]
    )
    model.save(path)
    _as_keras_2_wrote_it(path)
    before = path.read_bytes()
    with pytest.raises((TypeError, ValueError, AttributeError)):
        keras.saving.load_model(path, compile=False)
    x = RNG.random((3, 8, 8, 2), dtype=np.float32)
    np.testing.assert_allclose(open_source(path).predict([x])[0], np.asarray(model(x)), atol=1e-6)
    assert path.read_bytes() == before, "the user's file stays as it is"


def test_models_inside_of_a_keras_2_model_load(layers: Any, tmp_path: Path) -> None:
    """Keras 2 numbers the uses of a nested model from 1, and takes slashes in names."""
    import h5py
    import keras

    encoder = keras.Sequential([keras.Input((6,)), layers.Dense(3, activation="relu")], name="encoder")
    decoder = keras.Sequential([keras.Input((3,)), layers.Dense(6)], name="decoder")
    source = keras.Input((6,), name="source")
    model = keras.Model(source, decoder(encoder(layers.Dense(6, name="scope_dense")(source))))
    path = tmp_path / "nested.h5"
    model.save(path)
    with h5py.File(path, "r+") as archive:
        config = json.loads(archive.attrs["model_config"])["config"]
        old = {
            "encoder": ["scope/dense", 0, 0, {}],
            "decoder": ["encoder", 1, 0, {}],
            "scope_dense": ["source", 0, 0, {}],
        }
        for layer in config["layers"]:
            if layer["name"] in old:
                layer["inbound_nodes"] = [[old[layer["name"]]]]
        for layer in config["layers"]:
            layer["name"] = layer["config"]["name"] = layer["name"].replace("scope_", "scope/")
        config["input_layers"], config["output_layers"] = [["source", 0, 0]], [["decoder", 1, 0]]
        archive.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config})
    with pytest.raises((TypeError, ValueError, AttributeError)):
        keras.saving.load_model(path, compile=False)
    x = RNG.random((3, 6), dtype=np.float32)
    np.testing.assert_allclose(open_source(path).predict([x])[0], np.asarray(model(x)), atol=1e-6)


def test_the_slots_of_an_optimiser_do_not_keep_a_saved_model_from_loading(
    layers: Any, tmp_path: Path
) -> None:
    import keras
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model.export(tmp_path / "saved", verbose=False)
    file = tmp_path / "saved" / "saved_model.pb"
    saved = SavedModel.FromString(file.read_bytes())
    nodes = saved.meta_graphs[0].object_graph_def.nodes
    variables = [number for number, node in enumerate(nodes) if node.WhichOneof("kind") == "variable"]
    nodes.add().user_object.identifier = "an_old_optimizer"
    nodes[0].children.add(node_id=len(nodes) - 1, local_name="optimizer")
    nodes[-1].slot_variables.add(
        original_variable_node_id=variables[0], slot_name="m", slot_variable_node_id=variables[1]
    )
    file.write_bytes(saved.SerializeToString())
    x = RNG.random((3, 4), dtype=np.float32)
    answers = open_source(tmp_path / "saved").predict([x])[0]
    np.testing.assert_allclose(answers, np.asarray(model(x)), atol=1e-6)


@pytest.fixture
def two_heads(layers: Any, tmp_path: Path) -> Path:
    """A SavedModel folder with the signatures `up` (x + 1) and `down` (x - 1), and no default."""
    import tensorflow as tf

    module = tf.Module()
    spec = tf.TensorSpec((None, 4), tf.float32, name="x")
    up = tf.function(lambda x: {"y": x + 1.0}, input_signature=[spec])
    down = tf.function(lambda x: {"y": x - 1.0}, input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path / "heads"), signatures={"up": up, "down": down})
    return tmp_path / "heads"


def test_a_signature_of_several_is_chosen_and_kept(two_heads: Path, tmp_path: Path) -> None:
    x = RNG.random((30, 4), dtype=np.float32)
    with pytest.raises(TinymlError, match="2 signatures: `down`, `up`") as caught:
        open_source(two_heads)
    assert "--signature down" in caught.value.next_step
    with pytest.raises(TinymlError, match="no signature `left`; it has `down`, `up`"):
        open_source(two_heads, "left")
    np.save(tmp_path / "x.npy", x)
    runs = {}
    for name, step in {"up": 1, "down": -1}.items():
        outcome = bring(two_heads, str(tmp_path / "x.npy"), signature=name)
        run = Run(Path(outcome.run))
        convert(run)
        answers = interpret.run_float(run.file(MODEL_FLOAT32).read_bytes(), x)
        np.testing.assert_allclose(answers, x + step, atol=1e-5)
        runs[run.path] = name
    assert len(runs) == 2


def test_a_default_among_signatures_is_named(
    two_heads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(two_heads))
    functions = {"serving_default": loaded.signatures["up"], "other": loaded.signatures["down"]}
    tf.saved_model.save(loaded, str(tmp_path / "default"), signatures=functions)
    assert open_source(tmp_path / "default").signature == "serving_default"
    assert "`other`, `serving_default`" in capsys.readouterr().out


def test_archives_are_judged_by_the_sizes_they_declare(
    layers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    path = tmp_path / "bomb.keras"
    keras.Sequential([keras.Input((4,)), layers.Dense(2)]).save(path)
    open_source(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["config.json"] += b" " * (30 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert path.stat().st_size < 100_000
    with pytest.raises(TinymlError, match=r"MB of memory, but the limit is 512 MB.*TINYML_MAX_DECODE_MB"):
        open_source(path)
    monkeypatch.setenv("TINYML_MAX_DECODE_MB", "2000")
    open_source(path)


def test_nearest_upsampling_resizes(layers: Any, tmp_path: Path) -> None:
    import keras

    path = tmp_path / "up.keras"
    keras.Sequential([keras.Input((4, 5, 1)), layers.Conv2D(2, 3), layers.UpSampling2D((2, 3))]).save(path)
    np.save(tmp_path / "x.npy", RNG.normal(size=(60, 4, 5, 1)))
    outcome = bring(path, str(tmp_path / "x.npy"))
    assert {op.name for op in outcome.ops} == {"CONV_2D", "RESIZE_NEAREST_NEIGHBOR"}
    assert outcome.max_abs_error_float < 1e-5


@pytest.mark.parametrize(
    "name",
    ["größe (1)", *(pytest.param(name, marks=pytest.mark.slow) for name in ("first layer", "名前", "-x"))],
)
def test_names_that_are_no_scope_of_a_graph(layers: Any, tmp_path: Path, name: str) -> None:
    import keras

    inside = keras.Sequential([keras.Input((6,)), layers.Dense(4, name=name)], name=f"{name} inside")
    keras.Sequential([keras.Input((6,)), inside, layers.Dense(2)]).save(tmp_path / "m.keras")
    np.save(tmp_path / "x.npy", RNG.normal(size=(60, 6)).astype(np.float32))
    outcome = bring(tmp_path / "m.keras", str(tmp_path / "x.npy"))
    assert {op.name for op in outcome.ops} == {"FULLY_CONNECTED"}
    assert outcome.max_abs_error_float < 1e-5


def test_an_input_that_is_a_single_number(layers: Any, tmp_path: Path) -> None:
    import keras

    number = keras.Input(())
    keras.Model(number, layers.Dense(2)(layers.Reshape((1,))(number))).save(tmp_path / "m.keras")
    np.save(tmp_path / "x.npy", RNG.normal(size=60).astype(np.float32))
    assert bring(tmp_path / "m.keras", str(tmp_path / "x.npy")).max_abs_error_float < 1e-5


def test_upsampling_of_steps_resizes(layers: Any, tmp_path: Path) -> None:
    import keras

    path = tmp_path / "up.keras"
    keras.Sequential([keras.Input((6, 2)), layers.UpSampling1D(3), layers.Conv1D(2, 3)]).save(path)
    np.save(tmp_path / "x.npy", RNG.normal(size=(60, 6, 2)))
    outcome = bring(path, str(tmp_path / "x.npy"))
    names = {op.name for op in outcome.ops}
    assert "RESIZE_NEAREST_NEIGHBOR" in names and "TILE" not in names
    assert outcome.max_abs_error_float < 1e-5


def test_an_argument_with_a_meaning_is_not_dropped() -> None:
    config = {"class_name": "DepthwiseConv2D", "config": {"groups": 2}}
    assert modernised({"layers": [config]}) == {"layers": [config]}


def test_a_real_keras_2_file_answers_as_its_published_int8_model(layers: Any, shared: Path) -> None:
    """MLPerf Tiny's person detection: the float model against the int8 one that its authors converted."""
    image = pytest.importorskip("PIL.Image", reason="photos are read with Pillow")
    photos = sorted((shared / "data" / "natural_images_30px").glob("*/*.jpg"))[::200]
    if not photos:
        pytest.skip("no photos in the shared test data")
    images = np.stack([image.open(path).convert("RGB").resize((96, 96)) for path in photos])
    inputs = [images.astype(np.float32) / 255]
    int8_model = (shared / "models" / "vww_96_int8.tflite").read_bytes()
    graph = parse(int8_model)
    exact = open_source(shared / "models" / "vww_96.h5").predict(inputs)[0]
    rounded = interpret.run(int8_model, interpret.quantize_inputs(graph, inputs))
    answers = interpret.dequantize_outputs(graph, rounded)[0]
    assert np.mean(answers.argmax(1) == exact.argmax(1)) > 0.95
    assert np.abs(answers - exact).mean() < 0.04


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("layer", r"does not know the layer `Mine`.*model\.export"),
        ("lambda", r"Lambda layer.*model\.export"),
        ("weights", "weights without a model"),
        ("cut", "Cannot load the model"),
        ("argument", r"Cannot load the model: its Dense was saved with \{'spin': 3\}"),
    ],
)
def test_files_that_cannot_be_loaded(layers: Any, tmp_path: Path, spoil: str, says: str) -> None:
    import h5py
    import keras

    class Mine(layers.Layer):  # type: ignore[misc, name-defined]
        pass

    path = tmp_path / "bad.h5"
    extra = {"layer": [Mine()], "lambda": [layers.Lambda(lambda x: x * 2)]}.get(spoil, [])
    model = keras.Sequential([keras.Input((6,)), *extra, layers.Dense(2)])
    if spoil == "weights":
        path = tmp_path / "bad.weights.h5"
        model.save_weights(path)
    else:
        model.save(path)
    if spoil == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    if spoil == "argument":
        with h5py.File(path, "r+") as archive:
            config = json.loads(archive.attrs["model_config"])
            config["config"]["layers"][-1]["config"]["spin"] = 3
            archive.attrs["model_config"] = json.dumps(config)
    with pytest.raises(TinymlError, match=says) as caught:
        open_source(path)
    assert str(path) in caught.value.where


def test_the_command_line(layers: Any, tinyml: Tinyml, tmp_path: Path) -> None:
    import keras

    path = tmp_path / "old one.h5"
    keras.Sequential(
        [keras.Input((8, 8, 1)), layers.DepthwiseConv2D(3), layers.Flatten(), layers.Dense(2)]
    ).save(path)
    _as_keras_2_wrote_it(path)
    np.savez(tmp_path / "data.npz", x=RNG.random((60, 8, 8, 1)))

    refused = tinyml("convert", path, "--json", cwd=tmp_path, code=2)
    assert "--calibration" in refused.json["error"]["where"]
    assert not (tmp_path / "runs").exists()

    answer = tinyml("convert", path, "--calibration", "data.npz", "--json", cwd=tmp_path)
    run = Path(answer.json["run"])
    assert run.parent == tmp_path / "runs" and run.name.startswith("old_one-")
    for name in (MODEL, CALIBRATION, MODEL_FLOAT32, MODEL_INT8):
        assert (run / name).is_file()
    assert answer.json["int8"]["bytes"] == (run / MODEL_INT8).stat().st_size
    looked = tinyml("inspect", run, "--pictures", "--json", cwd=tmp_path).json
    assert [Path(path).name for path in looked["pictures"]] == ["weights.png", "activations.png"]
    assert (run / "report" / "activations.png").read_bytes().startswith(b"\x89PNG")
    assert looked["layers"] and looked["weights"]
    assert looked["engines"]["aot"]["supported"]
