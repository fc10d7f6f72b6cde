"""COCO -> person / no person: the paper's rule on boxes made by hand, and on a real piece of COCO."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Tinyml
from tinyml_cli.errors import TinymlError
from tinyml_cli.images.build_vww import VwwSettings, build_vww, read_sizes
from tinyml_cli.images.coco import CocoImage


def annotation(image: int, category: int, box: list[float], crowd: int = 0) -> dict[str, Any]:
    return {"image_id": image, "category_id": category, "bbox": box, "iscrowd": crowd}


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """200 x 100 images: 0.5 % of the area are 100 square pixels."""
    root = tmp_path / "coco"
    document = {
        "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
        "images": [
            {"id": number, "file_name": f"{number:012d}.jpg", "width": 200, "height": 100}
            for number in range(1, 8)
        ],
        "annotations": [
            annotation(1, 1, [0, 0, 10, 10]),  # exactly 0.5 %: not over it
            annotation(2, 1, [0, 0, 10, 10.1]),
            annotation(3, 18, [0, 0, 100, 100]),
            annotation(4, 1, [0, 0, 100, 100], crowd=1),
            annotation(5, 1, [150, 0, 60, 100]),  # outside of the centred square
            annotation(6, 1, [60, 10, 50, 50]),
            # 7 has no image file
        ],
    }
    (root / "annotations").mkdir(parents=True)
    (root / "annotations" / "instances_train2017.json").write_text(json.dumps(document))
    (root / "train2017").mkdir()
    for number in range(1, 7):
        Image.new("RGB", (200, 100), (number, 0, 0)).save(root / "train2017" / f"{number:012d}.jpg")
    return root


def names(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.jpg"))


def test_a_box_over_half_a_percent_makes_a_person(coco: Path, tmp_path: Path) -> None:
    outcome = build_vww(coco, tmp_path / "out")
    assert names(tmp_path / "out" / "train" / "person") == [2, 5, 6]
    assert names(tmp_path / "out" / "train" / "none") == [1, 3, 4]
    assert outcome.counts == {"train": {"none": 3, "person": 3}, "test": {}}
    assert (outcome.n, outcome.missing, outcome.skipped) == (6, 1, [])
    sizes = read_sizes(tmp_path / "out")
    assert sizes["train/person/000000000006.jpg"] == pytest.approx(0.125)
    assert sizes["train/none/000000000003.jpg"] == 0
    with Image.open(tmp_path / "out" / "train" / "person" / "000000000006.jpg") as image:
        assert image.size == (200, 100)


def test_the_square_is_judged_alone(coco: Path, tmp_path: Path) -> None:
    build_vww(coco, tmp_path / "out", VwwSettings(square=True, short_side=64))
    assert names(tmp_path / "out" / "train" / "person") == [6]
    with Image.open(tmp_path / "out" / "train" / "person" / "000000000006.jpg") as image:
        assert image.size == (64, 64)


def test_other_classes_and_lists_of_ids(coco: Path, tmp_path: Path) -> None:
    build_vww(coco, tmp_path / "out", VwwSettings("dog", minival=frozenset({3, 4})))
    assert names(tmp_path / "out" / "test" / "dog") == [3]
    assert names(tmp_path / "out" / "test" / "none") == [4]
    with pytest.raises(TinymlError, match="no class `dgo`"):
        build_vww(coco, tmp_path / "other", VwwSettings("dgo"))


def test_a_box_beyond_the_edge_counts_for_what_is_inside() -> None:
    image = CocoImage(1, "a.jpg", 100, 100, ((-50.0, 0.0, 100.0, 100.0),))
    assert image.largest_share() == 0.5


def test_going_on_keeps_what_is_there(coco: Path, tmp_path: Path) -> None:
    build_vww(coco, tmp_path / "out")
    kept = tmp_path / "out" / "train" / "person" / "000000000002.jpg"
    before = kept.stat().st_mtime_ns
    (tmp_path / "out" / "train" / "none" / "000000000001.jpg").unlink()
    assert build_vww(coco, tmp_path / "out").n == 6
    assert kept.stat().st_mtime_ns == before


def test_annotations_without_images_and_damaged_ones(coco: Path, tmp_path: Path) -> None:
    truncated = coco / "train2017" / "000000000002.jpg"
    truncated.write_bytes(truncated.read_bytes()[:300])
    outcome = build_vww(coco, tmp_path / "out")
    assert outcome.n == 5
    assert "1 file skipped" in outcome.skipped[0]
    for path in (coco / "train2017").iterdir():
        path.unlink()
    with pytest.raises(TinymlError, match="name 7 images, but none is here"):
        build_vww(coco, tmp_path / "other")
    (coco / "annotations" / "instances_train2017.json").write_text('{"images": 3}')
    with pytest.raises(TinymlError, match="not in COCO's format"):
        build_vww(coco, tmp_path / "other")
    (coco / "annotations" / "instances_train2017.json").unlink()
    with pytest.raises(TinymlError, match="No COCO annotations"):
        build_vww(coco, tmp_path / "other")


def test_a_folder_of_something_else_is_left_alone(coco: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(TinymlError, match="folder is not empty"):
        build_vww(coco, tmp_path / "out")


def test_a_piece_of_coco_through_the_command_line(shared: Path, tinyml: Tinyml, tmp_path: Path) -> None:
    source = shared / "data" / "tiny_coco"
    answer = tinyml("data", "build-vww", "--coco", source, "--out", tmp_path / "vww", "--json", cwd=tmp_path)
    counts = answer.json["counts"]
    # 26 of 50 and 23 of 50 images contain a person; some of those are smaller than the rule asks for.
    assert counts["train"]["person"] + counts["train"]["none"] == 50
    assert counts["test"]["person"] + counts["test"]["none"] == 50
    assert 20 <= counts["train"]["person"] <= 26
    assert 18 <= counts["test"]["person"] <= 23
