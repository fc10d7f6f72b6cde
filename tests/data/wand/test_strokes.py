"""Strokes in files, and those that the model of a hand draws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.tasks.wand import hand, strokes
from tinyml_cli.tasks.wand.shapes import SHAPES


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    drawn = [strokes.to_points(hand.draw(name, hand.random_writer(rng), rng)) for name in SHAPES]
    written = [
        strokes.LabelledStroke(points, name, "a.json") for points, name in zip(drawn, SHAPES, strict=True)
    ]
    strokes.write_strokes(tmp_path / "a.json", written)
    read = strokes.read_strokes(tmp_path / "a.json")
    assert [stroke.label for stroke in read] == list(SHAPES)
    for before, after in zip(written, read, strict=True):
        np.testing.assert_array_equal(before.points, after.points)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "Cannot read"),
        ("[]", "no strokes"),
        ('{"strokes": []}', "no strokes"),
        ('{"strokes": [{"label": "0"}]}', "Stroke 0"),
        ('{"strokes": [{"strokePoints": [{"x": 1, "y": 0}]}]}', "two finite points"),
        ('{"strokes": [{"strokePoints": [{"x": NaN, "y": 0}, {"x": 1, "y": 0}]}]}', "NaN is not a number"),
        ('{"strokes": [7]}', "Stroke 0"),
    ],
)
def test_a_damaged_file_is_named(document: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(document)
    with pytest.raises(TinymlError, match=says) as raised:
        strokes.read_strokes(path)
    assert str(path) in str(raised.value)


def test_recorded_strokes_are_read(shared: Path) -> None:
    folder = shared / "data" / "magic_wand_digit_strokes"
    for digit, path in enumerate(sorted(folder.glob("*.json"))):
        read = strokes.read_strokes(path)
        assert {stroke.label for stroke in read} == {str(digit)}
        document = json.loads(path.read_text())["strokes"][5]["strokePoints"]
        np.testing.assert_array_equal(
            read[5].points / strokes.UNITS, [(point["x"], point["y"]) for point in document]
        )


def test_writers_differ_and_chance_repeats() -> None:
    def drawn(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return hand.draw("3", hand.random_writer(rng), rng)

    np.testing.assert_array_equal(drawn(4), drawn(4))
    assert len(drawn(4)) != len(drawn(5)) or not np.allclose(drawn(4), drawn(5))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hand_starts_and_ends_at_rest_and_never_jumps(shape: str) -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        path = hand.draw(shape, hand.random_writer(rng), rng)
        speed = np.hypot(*np.diff(path, axis=0).T) * hand.SAMPLE_RATE_HZ
        assert 20 < len(path) < 600
        assert speed[0] < 0.3 * speed.max()
        assert speed.max() < 12
        assert 0.1 < np.ptp(path, axis=0).max() < 1.3


def test_too_long_strokes_are_thinned_to_their_ends() -> None:
    path = np.linspace([-0.5, 0.5], [0.5, -0.5], 1000)
    points = strokes.to_points(path)
    assert len(points) == strokes.MAX_POINTS
    assert points[0].tolist() == [-64, 64]
    assert points[-1].tolist() == [64, -64]
