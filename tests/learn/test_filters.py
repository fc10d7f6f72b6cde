"""Kernels over pictures, and pooling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.conftest import Tinyml
from tinyml_cli.errors import TinymlError
from tinyml_cli.learn.filters import KERNELS, filtered, learn_filter, pooled, read_kernel


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([3, 5, 7]), st.integers(0, 2**32 - 1))
def test_every_value_is_the_sum_of_what_the_kernel_covers(side: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (side + 3, side + 1), dtype=np.uint8)
    weights = rng.integers(-9, 10, (side, side)).astype(np.float64)
    found = filtered(pixels, weights)
    assert found.shape == (4, 2)
    for row in range(4):
        for column in range(2):
            assert found[row, column] == np.sum(pixels[row : row + side, column : column + side] * weights)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_pooling_keeps_the_largest_or_the_mean_of_whole_blocks(side: int, seed: int) -> None:
    values = np.random.default_rng(seed).random((2 * side + side // 2, 3 * side), np.float32)
    for name, function in (("max", np.max), ("mean", np.mean)):
        found = pooled(values, side, name)
        assert found.shape == (2, 3)
        assert found[1, 2] == pytest.approx(function(values[side : 2 * side, 2 * side :]))


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_leave_a_plain_surface_plain(name: str) -> None:
    """Those that find edges make it 0; the others keep its grey."""
    values = filtered(np.full((5, 5), 100, np.uint8), read_kernel(name).weights)
    expected = 0 if name in ("sobel-x", "sobel-y", "laplace") else 100
    assert np.allclose(values, expected, atol=1e-3)


@pytest.mark.parametrize("divisor", ["0", "", "x", "1,2", "1e-300", "3/4"])
def test_a_kernel_is_divided_by_a_number(divisor: str) -> None:
    assert read_kernel("0,0,0;0,8,0;0,0,0/2").weights[1, 1] == 4
    with pytest.raises(TinymlError):
        read_kernel(f"0,0,0;0,8,0;0,0,0/{divisor}")


@pytest.mark.parametrize(
    ("size", "kernel"), [((1, 1), "blur"), ((40, 3), "blur"), ((7, 7), ";".join(["1" + ",0" * 6] * 7))]
)
def test_a_picture_too_small_is_refused(
    tinyml: Tinyml, tmp_path: Path, size: tuple[int, int], kernel: str
) -> None:
    Image.new("RGB", size).save(tmp_path / "small.png")
    answer = tinyml("learn", "filter", "small.png", "--kernel", kernel, "--json", cwd=tmp_path, code=2)
    assert f"{size[0]} x {size[1]} pixels; the minimum is" in answer.json["error"]["what"]
    assert [path.name for path in tmp_path.iterdir()] == ["small.png"]


def test_a_picture_is_not_overwritten_by_what_is_made_of_it(tinyml: Tinyml, tmp_path: Path) -> None:
    Image.new("L", (20, 20)).save(tmp_path / "mine.png")
    before = (tmp_path / "mine.png").read_bytes()
    for out in ("mine.png", "./mine.png"):
        answer = tinyml("learn", "filter", "mine.png", "--out", out, "--json", cwd=tmp_path, code=2)
        assert "did not draw" in answer.json["error"]["what"]
    assert (tmp_path / "mine.png").read_bytes() == before


def test_a_photograph_is_filtered_in_grey_and_upright(tmp_path: Path) -> None:
    colours = np.zeros((12, 20, 3), np.uint8)
    colours[:, 10:, 1] = 200
    Image.fromarray(colours).save(tmp_path / "edge.png")
    outcome = learn_filter(tmp_path / "edge.png", ["sobel-x"], 2, "max", False, tmp_path / "out.png").outcome
    found = outcome.as_dict()
    assert (found["rows"], found["columns"]) == (12, 20)
    assert found["results"][0]["strongest"]["value"] == 4 * 117  # BT.601 luma of green 200
    assert found["results"][0]["strongest"]["column"] in (8, 9)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(TinymlError, match=r"x\.png"):
        learn_filter(tmp_path / "x.png", ["blur"], 2, "max", False, tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()
