"""`tinyml inspect --activations`: values, filters and heat of one item, and items that are none."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Tinyml
from tests.doubles import looking_run, sine_run
from tests.outcomes import check as check_outcome
from tinyml_cli.inspection.activation_picture import chosen, mosaic, strongest
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
    for name in ("a.png", "none.png"):
        answer = tinyml("inspect", run.path, "--activations", name, "--json", cwd=tmp_path, code=2)
        assert "Cannot read the image" in answer.json["error"]["what"]
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
