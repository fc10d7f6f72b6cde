"""Calibration data from files and folders: what fits is taken, what cannot be meant is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml_cli.conversion import calibration_data
from tinyml_cli.errors import TinymlError
from tinyml_cli.models.source_network import InputSpec

IMAGE = InputSpec("image", (4, 6, 1), "float32")
ANGLE = InputSpec("angle", (2,), "float32")
TOKENS = InputSpec("tokens", (5,), "int32")
OPEN = InputSpec("sound", (None, 3), "float32")
RNG = np.random.default_rng(0)
IMAGES = RNG.random((60, 4, 6, 1))
ANGLES = RNG.normal(size=(60, 2))


def _npz(folder: Path, **arrays: np.ndarray) -> str:
    np.savez(folder / "data.npz", **arrays)
    return str(folder / "data.npz")


def test_the_first_array_of_an_npz(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = calibration_data.load(_npz(tmp_path, x_train=IMAGES, y_train=np.zeros(60)), [IMAGE])
    np.testing.assert_array_equal(found.arrays[0], IMAGES.astype(np.float32))
    assert found.arrays[0].dtype == np.float32
    assert found.origin == str((tmp_path / "data.npz").resolve())
    text = capsys.readouterr().out
    assert "calibrating on `x_train`" in text and "60 samples" in text


def test_an_array_per_input_by_name_in_any_order(tmp_path: Path) -> None:
    found = calibration_data.load(_npz(tmp_path, image=IMAGES, other=ANGLES, angle=ANGLES), [ANGLE, IMAGE])
    assert [values.shape for values in found.arrays] == [(60, 2), (60, 4, 6, 1)]


def test_npy_with_a_missing_last_axis_and_whole_numbers(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", (IMAGES[..., 0] * 255).astype(np.uint8))
    found = calibration_data.load(str(tmp_path / "x.npy"), [IMAGE])
    assert found.arrays[0].shape == (60, 4, 6, 1)
    assert found.arrays[0].max() > 200


def test_a_folder_of_single_samples_and_batches(tmp_path: Path) -> None:
    for index in range(3):
        np.save(tmp_path / f"{index}.npy", IMAGES[index])
    np.save(tmp_path / "rest.npy", IMAGES[3:])
    np.testing.assert_allclose(calibration_data.load(str(tmp_path), [IMAGE]).arrays[0], IMAGES, rtol=1e-6)


def test_samples_are_spread_over_the_data(tmp_path: Path) -> None:
    data = np.broadcast_to(np.arange(1000.0)[:, None], (1000, 2))
    found = calibration_data.load(_npz(tmp_path, x=data), [ANGLE], limit=11)
    assert found.arrays[0][:, 0].round(-1).tolist() == [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]


def test_open_sizes_come_from_the_data(tmp_path: Path) -> None:
    found = calibration_data.load(_npz(tmp_path, x=RNG.random((50, 7, 3))), [OPEN])
    assert found.arrays[0].shape == (50, 7, 3)


def _png(path: Path, pixels: np.ndarray) -> None:
    from matplotlib import image

    image.imsave(path, pixels, vmin=0, vmax=1)


def test_images_with_their_range(tmp_path: Path) -> None:
    spec = InputSpec("photo", (4, 6, 3), "float32")
    pixels = (RNG.random((4, 6, 3)) * 255).astype(np.uint8)
    _png(tmp_path / "a.png", pixels)
    _png(tmp_path / "b.png", pixels)
    with pytest.raises(TinymlError, match=r"--range.*--range 0,255"):
        calibration_data.load(str(tmp_path), [spec])
    found = calibration_data.load(str(tmp_path), [spec], value_range=(-1.0, 1.0))
    np.testing.assert_allclose(found.arrays[0][0], pixels / 127.5 - 1, atol=1e-6)
    with pytest.raises(TinymlError, match=r"a\.png.*Crop and scale"):
        calibration_data.load(str(tmp_path), [IMAGE], value_range=(0.0, 1.0))


def test_nothing_given_is_refused_with_advice() -> None:
    with pytest.raises(TinymlError, match=r"needs calibration data.*--calibration data\.npz"):
        calibration_data.load(None, [IMAGE])


def test_random_is_a_choice_that_is_warned_about(capsys: pytest.CaptureFixture[str]) -> None:
    found = calibration_data.load("random", [IMAGE, TOKENS], value_range=(0.0, 9.0))
    assert "warning: random calibration data" in capsys.readouterr().err
    assert found.origin == "random"
    assert found.arrays[0].max() > 8 and found.arrays[1].dtype == np.int32
    again = calibration_data.load("random", [IMAGE, TOKENS], value_range=(0.0, 9.0))
    np.testing.assert_array_equal(found.arrays[0], again.arrays[0])
    with pytest.raises(TinymlError, match="undefined dimensions"):
        calibration_data.load("random", [OPEN])


@pytest.mark.parametrize(
    ("array", "spec", "says"),
    [
        (np.zeros((9, 3, 4, 6)), InputSpec("i", (4, 6, 3), "float32"), "channels come first"),
        (np.zeros((9, 24)), IMAGE, r"reshape the data to \(-1, 4, 6, 1\)"),
        (np.zeros((9, 5, 6, 1)), IMAGE, r"`image` \[4, 6, 1\] float32, the samples .* \[5, 6, 1\]"),
        (np.where(np.arange(18).reshape(9, 2) == 7, np.nan, 1.0), ANGLE, "Sample 3 is not finite"),
        (np.full((9, 2), 1e300) * np.arange(18).reshape(9, 2), ANGLE, "do not fit float32"),
        (np.full((9, 2), 0.5), ANGLE, r"Every value .* is 0\.5"),
        (np.zeros((0, 2)), ANGLE, "no samples"),
        (np.array([["a", "b"]]), ANGLE, "not an array of numbers"),
        (np.ones((9, 2), np.complex64), ANGLE, "not an array of numbers"),
        (np.float64(3), ANGLE, "not an array of numbers"),
        (np.full((9, 5), 0.5), TOKENS, "whole numbers"),
    ],
)  # fmt: skip
def test_data_that_cannot_be_meant(tmp_path: Path, array: np.ndarray, spec: InputSpec, says: str) -> None:
    with pytest.raises(TinymlError, match=says):
        calibration_data.load(_npz(tmp_path, x=array), [spec])


def test_different_numbers_of_samples(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="different numbers of samples: 59, 60"):
        calibration_data.load(_npz(tmp_path, image=IMAGES, angle=ANGLES[:59]), [IMAGE, ANGLE])


def test_names_that_fit_no_input(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match=r"2 inputs.*the arrays a, b.*'angle'"):
        calibration_data.load(_npz(tmp_path, a=IMAGES, b=ANGLES), [IMAGE, ANGLE])


def test_files_that_hold_no_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], object))
    (tmp_path / "cut.npz").write_bytes(Path(_npz(tmp_path, x=IMAGES)).read_bytes()[:900])
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "text.csv").write_text("1,2")
    (tmp_path / "folder").mkdir()
    for name, says in (
        ("objects.npy", "Python objects"),
        ("cut.npz", "Cannot read"),
        ("empty.npy", "Cannot read"),
        ("text.csv", "not a supported kind of calibration data"),
        ("folder", "neither .npy"),
        ("nowhere", "The calibration data does not exist"),
    ):
        with pytest.raises(TinymlError, match=says) as caught:
            calibration_data.load(str(tmp_path / name), [ANGLE])
        assert name in caught.value.where
        assert caught.value.next_step
