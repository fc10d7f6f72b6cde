"""`tinyml data check` on folders of images with known faults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.conftest import Tinyml
from tests.datasets.test_checks import found
from tests.outcomes import check as check_outcome
from tinyml_cli.datasets import checks
from tinyml_cli.datasets.check_picture import draw
from tinyml_cli.datasets.checks import CheckSettings


def scene(seed: int) -> Image.Image:
    """Rectangles at random places: no two scenes look alike."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((96, 128, 3))
    for _ in range(25):
        top, left, height, width = rng.integers(0, 90, 2).tolist() + rng.integers(5, 50, 2).tolist()
        pixels[top : top + height, left : left + width] = rng.integers(0, 255, 3)
    return Image.fromarray(np.clip(pixels + rng.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8))


def put(root: Path, name: str, image: Image.Image) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    image.save(root / name)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two labels of two people, 25 images each, nothing wrong."""
    root = tmp_path / "photos"
    for label in ("person", "none"):
        for number in range(50):
            image = scene(number + (1000 if label == "none" else 0))
            put(root, f"{label}/voice{number % 2}_nohash_{number}.png", image)
    return root


def test_a_sound_folder(tinyml: Tinyml, images: Path) -> None:
    document = tinyml("data", "check", images, "--json", cwd=images.parent).json
    check_outcome("data check", document)
    assert document["ok"] and document["findings"] == [] and document["left_out"] == {}
    assert (document["kind"], document["n"], document["people"]) == ("images", 100, 2)
    assert document["labels"]["person"] == {"images": 50, "people": 2, "bad": 0}
    assert (images.parent / "photos-check.png").read_bytes().startswith(b"\x89PNG")


def test_every_fault_is_found_moved_and_brought_back(tinyml: Tinyml, images: Path) -> None:
    put(images, "person/again.bmp", scene(3))
    put(images, "none/wrong.bmp", scene(4))
    put(images, "person/dark.png", scene(500).point(lambda value: value // 20))
    put(images, "person/blurred.png", scene(501).filter(ImageFilter.GaussianBlur(5)))
    put(images, "person/blank.png", Image.new("RGB", (64, 64), (9, 9, 9)))
    put(images, "person/small.png", scene(502).resize((40, 30)))
    (images / "person" / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    (images / "person" / "raw.dng").write_bytes(b"II*")
    put(images, "stray.png", scene(503))
    places = found(tinyml("data", "check", images, "--json", cwd=images.parent, code=1).json)
    assert places["two_people"] == {"person/voice1_nohash_3.png"}
    assert places["two_labels"] == {"none/wrong.bmp", "person/voice0_nohash_4.png"}
    assert places["other_file"] == {"person/raw.dng", "stray.png"}
    for kind in ("dark", "blurred", "blank", "small"):
        assert places[kind] == {f"person/{kind}.png"}
    assert places["unreadable"] == {"person/cut.jpg"}
    fixed = tinyml("data", "check", images, "--fix", "--json", cwd=images.parent).json
    assert fixed["moved"] == 5 and fixed["ok"]
    assert not (images / "person" / "blank.png").exists()
    assert tinyml("data", "check", images, "--undo", "--json", cwd=images.parent).json["restored"] == 5
    assert (images / "person" / "blank.png").is_file()


def test_pictures_in_two_splits_are_found(tmp_path: Path) -> None:
    for number in range(6):
        put(tmp_path, f"{'test' if number < 2 else 'train'}/{'ab'[number % 2]}/{number}.png", scene(number))
    put(tmp_path, "train/a/copy.png", scene(0))
    put(tmp_path, "train/b/smaller.jpg", scene(1).resize((120, 90)))
    report = checks.check(tmp_path, CheckSettings())
    kinds = {finding.kind: finding for finding in report.findings if finding.kind != "few_images"}
    assert kinds["two_splits"].place == Path("train/a/copy.png")
    assert kinds["near_duplicate"].place == Path("test/b/1.png")
    assert "train/b/smaller.jpg" in kinds["near_duplicate"].detail


def test_table_and_picture_are_drawn_from_the_same_figures(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.axes import Axes

    # A person whose only picture is bad counts in the table; the picture must not count otherwise.
    put(images, "person/voice9_nohash_0.png", Image.new("RGB", (64, 64), (9, 9, 9)))
    drawn: list[str] = []
    monkeypatch.setattr(Axes, "text", lambda self, x, y, text, **rest: drawn.append(text.strip()))
    report = checks.check(images, CheckSettings())
    draw(report, tmp_path / "a.png")
    figures = report.labels()["person"]
    assert figures.people == 3
    assert "51 · 3 people · 1 bad" in drawn


def test_sound_and_images_in_one_folder_are_checked_one_after_the_other(tinyml: Tinyml, images: Path) -> None:
    (images / "person" / "note.wav").write_bytes(b"RIFF")
    document = tinyml("data", "check", images, "--json", cwd=images.parent).json
    assert document["left_out"] == {"`.wav` is not a supported image format": 1}
    document = tinyml("data", "check", images, "--kind", "sound", "--json", cwd=images.parent, code=1).json
    assert document["kind"] == "sound" and document["bad_files"] == 1
    assert sum(document["left_out"].values()) == 100


def test_a_folder_without_data_says_what_it_holds(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "set" / "yes").mkdir(parents=True)
    (tmp_path / "set" / "yes" / "a.exe").write_bytes(b"MZ")
    error = tinyml("data", "check", tmp_path / "set", "--json", cwd=tmp_path, code=2).json["error"]
    assert "a.exe" in error["what"]
    assert (
        "Unknown kind of data"
        in tinyml("data", "check", tmp_path / "set", "--kind", "x", "--json", cwd=tmp_path, code=2).json[
            "error"
        ]["what"]
    )
