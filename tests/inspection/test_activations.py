"""`tinyml inspect --activations`: values, filters and heat of one item, and items that are none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Tinyml
from tests.doubles import looking_run, sine_run
from tests.outcomes import check as check_outcome
from tinyml_cli.data.clip_files import wav_bytes, write_new
from tinyml_cli.errors import TinymlError
from tinyml_cli.inspection.activation_picture import chosen, mosaic, strongest
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MODEL_FLOAT32, Run
from tinyml_cli.tflite.layers import LayerOutput, layer_outputs


@pytest.fixture(scope="module")
def sine(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return sine_run.make(tmp_path_factory.mktemp("seen") / "run")


def test_each_value_is_that_of_its_neuron(sine: Run) -> None:
    at, steeper = sine_run.hinges()
    hidden, y = layer_outputs(sine.file(MODEL_FLOAT32).read_bytes(), np.array([[2.0]], np.float32))
    assert [hidden.op, y.op] == ["FULLY_CONNECTED"] * 2
    np.testing.assert_allclose(hidden.values[0], np.maximum(2.0 - at, 0), atol=1e-6)
    np.testing.assert_allclose(y.values[0, 0], np.maximum(2.0 - at, 0) @ steeper, atol=1e-6)


def test_the_command_tells_and_draws(sine: Run, tinyml: Tinyml, tmp_path: Path) -> None:
    told = tinyml("inspect", sine.path, "--activations", "2.0", "--json", cwd=tmp_path).json
    check_outcome("inspect", told)
    assert [layer["shape"] for layer in told["layers"]] == [[sine_run.HINGES], [1]]
    assert told["layers"][0]["zeros"] == pytest.approx(10 / 16)  # hinges beyond x = 2
    assert (told["answer"], told["first_filters"], told["grad_cam"]) == (None, None, None)
    assert sine.file("report/activations-2.0.png").read_bytes().startswith(b"\x89PNG")
    text = tinyml("inspect", sine.path, "--activations", "2.0", "--out", tmp_path / "a.png", cwd=tmp_path).out
    assert "FULLY_CONNECTED" in text and text.endswith(f"2 layers. Picture: {tmp_path / 'a.png'}\n")


@pytest.mark.parametrize(
    ("item", "more", "says"),
    [
        ("7", (), "no x of the sine"),
        ("word", (), "no x of the sine"),
        ("nan", (), "no x of the sine"),
        ("1", ("--pictures",), "exclude each other"),
        ("1", ("--out", "a.jpg"), "PNG"),
    ],
)
def test_what_is_no_item_leaves_nothing(
    sine: Run, tinyml: Tinyml, tmp_path: Path, item: str, more: tuple[str, ...], says: str
) -> None:
    run = Path(shutil.copytree(sine.path, tmp_path / "run"))
    before = sorted(run.rglob("*"))
    error = tinyml("inspect", run, "--activations", item, *more, "--json", cwd=tmp_path, code=2).json["error"]
    assert says in error["what"] and error["next_step"]
    assert sorted(run.rglob("*")) == before


def test_a_lone_file_is_refused(sine: Run, tinyml: Tinyml, tmp_path: Path) -> None:
    model = sine.file(MODEL_FLOAT32)
    error = tinyml("inspect", model, "--activations", "1", "--json", cwd=tmp_path, code=2).json["error"]
    assert "Only a run knows" in error["what"]


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_a_picture_that_cannot_be_read(tinyml: Tinyml, tmp_path: Path, content: bytes) -> None:
    run = _looking(tmp_path / "run")
    (tmp_path / "a.png").write_bytes(content)
    (tmp_path / "photos").mkdir()
    for name, says in (
        ("a.png", "Cannot read the image"),
        ("none.png", "does not exist"),
        ("photos", "a folder"),
    ):
        answer = tinyml("inspect", run.path, "--activations", name, "--json", cwd=tmp_path, code=2)
        assert says in answer.json["error"]["what"]
    Image.new("L", (1, 1)).save(tmp_path / "a.png")
    tinyml("inspect", run.path, "--activations", "a.png", "--json", cwd=tmp_path, code=2)
    assert not run.file("report").exists()


def test_without_a_network_to_ask_grad_cam_is_missing_and_said_so(tinyml: Tinyml, tmp_path: Path) -> None:
    run = _looking(tmp_path / "run")
    Image.fromarray(looking_run.picture(looking_run.PERSON_GREY)).save(tmp_path / "a.png")
    answer = tinyml("inspect", run.path, "--activations", "a.png", "--json", cwd=tmp_path)
    assert answer.json["grad_cam"] is None and "No Grad-CAM" in answer.json["notes"][0]
    assert answer.json["answer"]["person"] > 0.5
    assert "No Grad-CAM" in answer.err
    (tmp_path / "other").mkdir()
    shutil.copy(tmp_path / "a.png", tmp_path / "other" / "a.png")
    again, other = (
        tinyml("inspect", run.path, "--activations", item, "--json", cwd=tmp_path).json["picture"]
        for item in (tmp_path / "a.png", "other/a.png")
    )
    assert again == answer.json["picture"] != other


def _looking(path: Path) -> Run:
    """A run of images whose float model is a mean and a dense layer; there is no Keras model."""
    run = looking_run.make(path)
    manifest = run.manifest()
    run.file(MODEL_FLOAT32).write_bytes(looking_run.float_model())
    run.record(manifest, MODEL_FLOAT32, "tinyml convert")
    run.save(manifest)
    return run


def test_many_layers_are_thinned_out_evenly() -> None:
    layers = [LayerOutput(str(n), "CONV_2D", np.zeros((1, 2, 2, 1))) for n in range(40)]
    shown = [int(layer.name) for layer in chosen(layers)]
    assert (len(shown), shown[0], shown[-1]) == (12, 0, 39) and max(np.diff(shown)) <= 4
    assert [layer.name for layer in chosen(layers[:3])] == ["0", "1", "2"]
    reshaped = [LayerOutput("r", "RESHAPE", np.zeros((1, 4))), layers[0]]
    assert chosen(reshaped) == [layers[0]]


def test_the_strongest_channels_are_those_that_vary() -> None:
    maps = np.zeros((4, 4, 20))
    for channel in (3, 7, 11):
        maps[0, 0, channel] = channel
    assert {3, 7, 11} <= set(strongest(maps)) and len(strongest(maps)) == 8


def test_filters_lie_apart_in_a_mosaic() -> None:
    board = mosaic(np.ones((5, 3, 3, 2)))
    assert np.isfinite(board).sum() == 5 * 9 and np.nanmax(board) == 1


def test_grad_cam_finds_the_bright_corner(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras", reason="extra `train` is not installed")
    from tinyml_cli.training.grad_cam import grad_cam

    source = keras.Input((8, 8, 1))
    maps = keras.layers.Conv2D(2, 1, use_bias=False, name="maps")(source)
    mean = keras.layers.GlobalAveragePooling2D()(maps)
    scores = keras.layers.Dense(2, activation="softmax", use_bias=False)(mean)
    model = keras.Model(source, scores)
    model.set_weights([np.array([[[[1.0, -1.0]]]]), np.array([[2.0, 0.0], [0.0, 2.0]])])
    model.save(tmp_path / "model.keras")
    image = np.zeros((1, 8, 8, 1), np.float32)
    image[0, :2, 6:, 0] = 1
    heat, layer = grad_cam(tmp_path / "model.keras", image, 0)
    assert layer == "maps"
    np.testing.assert_allclose(heat, image[0, :, :, 0], atol=1e-6)
    assert grad_cam(tmp_path / "model.keras", image, 1)[0].max() == 0  # its map is negative there


def test_a_clip_becomes_the_features_of_its_loudest_second(tmp_path: Path) -> None:
    from tinyml_cli.features.audio_frontend import extract
    from tinyml_cli.features.settings import AudioFrontendSettings
    from tinyml_cli.tasks.kws.one_input import clip_input

    settings = AudioFrontendSettings()
    sound = np.random.default_rng(4).integers(-9000, 9000, 16000).astype(np.int16)
    write_new(tmp_path / "a.wav", wav_bytes(sound, 16000))
    taken = clip_input(tmp_path / "a.wav", 1000, settings)
    assert (taken.look, taken.values.shape) == ("features", (1, 49, 40, 1))
    assert np.array_equal(taken.shown, extract(sound, settings))
    np.testing.assert_allclose(taken.values[0, ..., 0] * 25.6, taken.shown, atol=1e-3)
    quiet = np.concatenate([np.zeros(20000, np.int16), sound, np.zeros(20000, np.int16)])
    write_new(tmp_path / "long.wav", wav_bytes(quiet, 16000))
    assert clip_input(tmp_path / "long.wav", 1000, settings).shown.sum() > 0.9 * taken.shown.sum()
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    for name in ("b.wav", "none.wav"):
        with pytest.raises(TinymlError):
            clip_input(tmp_path / name, 1000, settings)


def test_the_first_stroke_and_the_first_window_of_a_file_are_taken(tmp_path: Path) -> None:
    from tinyml_cli.recipes.wand import WandRecipe
    from tinyml_cli.tasks.wand.one_input import take_input

    manifest = Manifest(task="wand", seed=1)
    points = [{"x": x / 10, "y": (x % 3) / 10} for x in range(-4, 5)]
    strokes = [{"label": "0", "strokePoints": points}, {"label": "1", "strokePoints": points[::-1]}]
    (tmp_path / "s.json").write_text(json.dumps({"strokes": strokes}))
    stroke = take_input(tmp_path / "s.json", WandRecipe(), manifest)
    assert (stroke.look, stroke.values.shape) == ("image", (1, 32, 32, 3))
    rows = np.column_stack([np.arange(300) * 0.01, np.random.default_rng(1).normal(0, 1, (300, 6))])
    header = "time_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps"
    np.savetxt(tmp_path / "m.csv", rows, "%.4f", ",", header=header, comments="")
    recipe = WandRecipe.model_validate({"input": "imu", "imu": {"rate_hz": 100, "window_samples": 64}})
    motion = take_input(tmp_path / "m.csv", recipe, manifest)
    assert (motion.look, motion.values.shape, motion.shown.shape) == ("motion", (1, 64, 6, 1), (64, 6))
    np.testing.assert_allclose(motion.shown[:, 0], rows[:64, 1] * 1000, atol=1)
