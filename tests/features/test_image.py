"""Scaling, cropping and quantising images, against values worked out by hand or in real numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_cli.errors import TinymlError
from tinyml_cli.features import image


def test_three_pixels_become_two_by_their_areas() -> None:
    row = np.array([[[10], [20], [60]]], np.uint8)
    # The first output pixel covers all of 10 and half of 20: (10 + 10) / 1.5 = 13.33.
    assert image.area_average(row, 1, 2)[0, :, 0].tolist() == [13, 47]


def test_halves_are_rounded_up() -> None:
    assert image.area_average(np.array([[[1], [2]]], np.uint8), 1, 1).item() == 2


def test_enlarging_repeats_pixels() -> None:
    row = np.array([[[1], [9]]], np.uint8)
    assert image.area_average(row, 2, 4)[..., 0].tolist() == [[1, 1, 9, 9]] * 2


@settings(max_examples=50, deadline=None)
@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    height=st.integers(1, 24),
    width=st.integers(1, 24),
    seed=st.integers(0, 99),
)
def test_the_mean_of_the_image_is_kept(rows: int, columns: int, height: int, width: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), np.uint8)
    scaled = image.area_average(pixels, height, width)
    assert scaled.shape == (height, width, 3)
    assert abs(scaled.mean() - pixels.mean()) <= 0.5


def test_the_centre_is_kept() -> None:
    frame = np.zeros((144, 176, 1), np.uint8)
    frame[:, 16:160] = 200
    assert (image.to_input_size(frame, 96, 1) == 200).all()
    assert image.centred(frame, 1, 1).shape == (144, 144, 1)
    assert image.centred(np.zeros((1, 500, 3), np.uint8), 144, 176).shape == (1, 1, 3)


def test_grey_of_colours_is_bt_601() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0]]], np.uint8)
    assert image.luma(colours)[0, :, 0].tolist() == [77, 149, 29, 255, 0]


def test_frames_come_back() -> None:
    colours = np.array([[[0, 0, 0], [255, 255, 255]], [[255, 0, 0], [8, 4, 8]]], np.uint8)
    packed = image.pack_frame(colours, 2, 2, "rgb565")
    assert packed.hex() == "0000ffff" + "f8000821"
    np.testing.assert_array_equal(image.unpack_frame(packed, 2, 2, "rgb565"), colours)
    with pytest.raises(TinymlError, match="7 bytes"):
        image.unpack_frame(packed[:7], 2, 2, "rgb565")


@pytest.mark.parametrize("shape", [(96, 96), (48, 300), (500, 40), (8, 8), (4000, 9)])
def test_a_board_sees_the_square_that_the_host_sees(shape: tuple[int, int]) -> None:
    columns = np.linspace(0, 255, shape[1]).astype(np.uint8)
    pixels = np.repeat(columns[None, :, None], shape[0], axis=0)
    frame = image.unpack_frame(image.pack_frame(pixels, 176, 144, "grey"), 176, 144, "grey")
    expected = image.to_input_size(pixels, 32, 1).astype(int)
    step = np.abs(np.diff(expected, axis=1)).max()  # half a source pixel at most is lost at odd sides
    assert np.abs(image.to_input_size(frame, 32, 1) - expected).max() <= max(2, step)
    if shape[0] == shape[1]:
        assert (frame[:, 0] == pixels[0, 0]).all()  # what the image lacks repeats its edge


def test_a_frame_stays_the_frame_that_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (144, 176, 1), np.uint8)
    assert image.pack_frame(pixels, 176, 144, "grey") == pixels.tobytes()


@settings(max_examples=60, deadline=None)
@given(
    scale=st.floats(1e-3, 2.0),
    zero_point=st.integers(-128, 127),
    low=st.floats(-3, 0),
    width=st.floats(0.1, 4),
)
def test_pixels_are_quantised_to_the_nearest_step(
    scale: float, zero_point: int, low: float, width: float
) -> None:
    pixels = np.arange(256, dtype=np.uint8)
    transform = image.pixel_transform(scale, zero_point, low, low + width)
    exact = np.clip((low + pixels / 255 * width) / scale + zero_point, -128, 127)
    assert np.abs(image.quantize_pixels(pixels, transform) - exact).max() <= 0.51


def test_a_scale_of_1_255_means_pixels_minus_128() -> None:
    transform = image.pixel_transform(1 / 255, -128, 0, 1)
    np.testing.assert_array_equal(
        image.quantize_pixels(np.arange(256, dtype=np.uint8), transform), np.arange(-128, 128)
    )


@pytest.mark.parametrize("scale", [0.0, -1.0, 1e-9, 1e9])
def test_scales_that_integers_cannot_apply_are_refused(scale: float) -> None:
    with pytest.raises(TinymlError, match="cannot be applied"):
        image.pixel_transform(scale, 0, 0.0, 1.0)
