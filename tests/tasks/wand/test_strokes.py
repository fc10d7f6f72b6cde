"""Strokes: files, variations, what is drawn, and the sources that a recipe names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.wand import StrokeRecipe, WandRecipe
from tinyml_cli.tasks.wand.hand import draw, random_writer
from tinyml_cli.tasks.wand.shapes import SHAPES, unlike
from tinyml_cli.tasks.wand.stroke_input import STROKES
from tinyml_cli.tasks.wand.strokes import LabelledStroke, read_folder, to_points, write_strokes
from tinyml_cli.tasks.wand.variation import vary


def drawn(label: str, count: int, person: str = "") -> list[LabelledStroke]:
    rng = np.random.default_rng(7)
    return [
        LabelledStroke(to_points(draw(label, random_writer(rng), rng)), label, "", person)
        for _ in range(count)
    ]


def small(**changes: object) -> WandRecipe:
    return WandRecipe(labels=["0", "1"], stroke=StrokeRecipe(generated_per_label=40), **changes)


def test_strokes_survive_their_file(tmp_path: Path) -> None:
    strokes = drawn("3", 5, "ada")
    write_strokes(tmp_path / "3.json", strokes)
    for mine, read in zip(strokes, read_folder(tmp_path)[0], strict=True):
        assert np.array_equal(mine.points, read.points)
        assert (read.label, read.person) == ("3", "ada")


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", '{"strokes": []}', '{"strokes": [1]}',
        '{"strokes": [{"strokePoints": [{"x": 0, "y": 0}]}]}',
        '{"strokes": [{"strokePoints": [{"x": NaN, "y": 0}, {"x": 1, "y": 1}]}]}', "\x00\xff",
    ],
)  # fmt: skip
def test_bytes_that_are_no_strokes_are_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text, encoding="latin-1")
    with pytest.raises(TinymlError, match=r"bad\.json"):
        read_folder(tmp_path)


def test_variations_differ_and_stay_strokes() -> None:
    rng = np.random.default_rng(1)
    (stroke,) = drawn("5", 1)
    made = [vary(stroke.points, StrokeRecipe(), rng) for _ in range(50)]
    assert len({each.tobytes() for each in made}) == 50
    for each in made:
        assert each.dtype == np.int8 and 2 <= len(each) <= 160
        assert np.abs(each.astype(int)).max() > 100, "fills the range"


@pytest.mark.parametrize("points", [[[0, 0], [0, 0]], [[-128, -128], [127, 127]], [[5, 5]] * 160])
def test_the_strangest_stroke_can_be_varied(points: list[list[int]]) -> None:
    for seed in range(20):
        made = vary(np.array(points, np.int8), StrokeRecipe(), np.random.default_rng(seed))
        assert made.dtype == np.int8 and len(made) >= 2


def test_drawn_takes_hold_every_label_in_every_split() -> None:
    takes = STROKES.load(small())
    for split in ("train", "validation", "test"):
        assert set(takes.part(split).labels.tolist()) == {0, 1, 2}  # type: ignore[arg-type]
    assert takes.origin == "synthetic"
    assert not set(takes.part("train").names) & set(takes.part("test").names)


def test_the_seed_fixes_what_is_drawn() -> None:
    first, again, other = (STROKES.load(small(seed=seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first.items, again.items, strict=True))
    assert list(first.names) != list(other.names)


def test_people_never_lie_in_two_splits(tmp_path: Path) -> None:
    for person in "abcdefghijkl":
        write_strokes(tmp_path / f"{person}.json", drawn("0", 3, person) + drawn("1", 3, person))
    takes = STROKES.read(tmp_path, small())
    assert takes.split_by == "person"
    of_file = np.repeat(np.arange(12), 6)
    for person in range(12):
        assert len(set(takes.where[of_file == person])) == 1


def test_other_labels_are_unknown(tmp_path: Path) -> None:
    write_strokes(tmp_path / "all.json", drawn("0", 4) + drawn("7", 4))
    takes = STROKES.read(tmp_path, small())
    assert takes.labels.tolist() == [1] * 4 + [0] * 4


def test_look_alikes_are_not_learnt_as_unknown() -> None:
    assert "circle" not in unlike(["0"]) and "circle" in unlike(["1"])
    assert set(unlike([])) == set(SHAPES)


def test_a_shape_that_nobody_can_draw_is_named() -> None:
    with pytest.raises(TinymlError, match="tinyml data record strokes --gesture dragon"):
        STROKES.load(small().model_copy(update={"labels": ["dragon"]}))


def test_a_gesture_with_too_few_strokes_is_named(tmp_path: Path) -> None:
    write_strokes(tmp_path / "all.json", drawn("0", 60))
    write_strokes(tmp_path / "one.json", drawn("1", 2))
    with pytest.raises(TinymlError, match="no stroke of it is left for"):
        STROKES.load(small(data_path=str(tmp_path)))


def test_json_that_other_tools_wrote_is_read(tmp_path: Path) -> None:
    entry = {"index": 0, "label": "x", "strokePoints": [{"x": -0.5, "y": 0.25}, {"x": 0.5, "y": 2.0}]}
    (tmp_path / "course.json").write_text(json.dumps({"strokes": [entry]}))
    (stroke,) = read_folder(tmp_path)[0]
    assert stroke.points.tolist() == [[-64, 32], [64, 127]]
