"""Folders of images: classes, splits, what is left out, and the cache of decoded pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml_cli.data import inventory
from tinyml_cli.errors import TinymlError
from tinyml_cli.images import image_cache
from tinyml_cli.images.image_cache import open_cache
from tinyml_cli.images.image_folder import class_folders, list_images


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))


def put(root: Path, name: str, grey: int = 128, size: tuple[int, int] = (20, 16)) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, grey).save(path)
    return path


def labels(root: Path, *classes: str) -> dict[str, int]:
    return {entry.path.relative_to(root).as_posix(): entry.label for entry in list_images(root, classes)}


def test_none_takes_every_other_folder(tmp_path: Path) -> None:
    for name in ("person/a.png", "car/b.png", "non_person/c.png", "person/deep/d.bmp", ".hidden/e.png"):
        put(tmp_path / "data", name)
    (tmp_path / "data" / "person" / "notes.txt").write_text("no image")
    assert labels(tmp_path / "data", "none", "person") == {
        "car/b.png": 0, "non_person/c.png": 0, "person/a.png": 1, "person/deep/d.bmp": 1,
    }  # fmt: skip
    assert labels(tmp_path / "data", "car", "person") == {
        "car/b.png": 0, "person/a.png": 1, "person/deep/d.bmp": 1,
    }  # fmt: skip
    assert class_folders(tmp_path / "data") == ["car", "non_person", "person"]


def test_a_set_that_is_split_already_stays_so(tmp_path: Path) -> None:
    for name in ("train/person/a.png", "train/none/b.png", "test/person/c.png", "test/none/d.png"):
        put(tmp_path, name)
    assert [(entry.label, entry.split) for entry in list_images(tmp_path, ["none", "person"])] == [
        (0, "train"), (1, "train"), (0, "test"), (1, "test"),
    ]  # fmt: skip


def test_a_lone_folder_is_entered_as_archives_hold_one(tmp_path: Path) -> None:
    for name in ("vw_coco2014_96/person/a.png", "vw_coco2014_96/non_person/b.png", "__MACOSX/c.png"):
        put(tmp_path, name)
    assert [entry.label for entry in list_images(tmp_path, ["none", "person"])] == [0, 1]
    assert class_folders(tmp_path) == ["non_person", "person"]


def test_train_may_be_a_class(tmp_path: Path) -> None:
    for name in ("train/a.png", "test/b.png", "car/c.png"):
        put(tmp_path, name)
    entries = list_images(tmp_path, ["car", "train"])
    assert [(entry.label, entry.split) for entry in entries] == [(0, None), (1, None)]


@pytest.mark.parametrize(
    ("classes", "message"),
    [(["none", "persn"], "Did you mean `person`"), (["person", "cat"], "Available folders")],
)
def test_a_class_without_images_is_named(tmp_path: Path, classes: list[str], message: str) -> None:
    put(tmp_path, "person/a.png")
    put(tmp_path, "dog/a.png")
    (tmp_path / "cat").mkdir()
    with pytest.raises(TinymlError) as error:
        list_images(tmp_path, classes)
    assert message in f"{error.value.what} {error.value.next_step}"
    assert f"`{classes[-1]}`" in error.value.what


def test_one_folder_is_too_few(tmp_path: Path) -> None:
    put(tmp_path, "person/a.png")
    with pytest.raises(TinymlError, match="1 folder with images"):
        class_folders(tmp_path)


def test_the_cache_holds_what_was_decoded_and_counts_what_was_not(tmp_path: Path) -> None:
    data = tmp_path / "data"
    put(data, "a/1.png", 10)
    put(data, "a/2.png", 20, size=(1, 1))
    put(data, "b/3.png", 30)
    whole = put(data, "b/4.jpg", 40, size=(300, 300)).read_bytes()
    (data / "b" / "4.jpg").write_bytes(whole[: len(whole) // 2])
    put(data, "b/5.png", 10)
    entries = list_images(data, ["a", "b"])
    cache = open_cache(entries, 32, 3)
    assert cache.shape == (3, 32, 32, 3)
    assert cache.kept.tolist() == [0, 2, 4]
    assert cache.rows(np.array([2, 0, 1]))[:, 0, 0, 0].tolist() == [10, 10, 30]
    assert cache.hashes[0] == cache.hashes[2] != cache.hashes[1]
    reasons = inventory.sentences(cache.left_out)
    assert len(reasons) == 2
    assert "1 file skipped" in reasons[0]
    assert any("2.png" in reason and "1 x 1 pixels" in reason for reason in reasons)


def test_the_cache_is_made_once_and_again_when_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a/1.png", 10)
    put(tmp_path, "b/2.png", 20)
    entries = list_images(tmp_path, ["a", "b"])
    open_cache(entries, 16, 1)
    monkeypatch.setattr(image_cache, "_build", lambda *_: pytest.fail("decoded again"))
    assert len(open_cache(entries, 16, 1)) == 2
    monkeypatch.undo()
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    put(tmp_path, "a/1.png", 99, size=(64, 64))
    assert open_cache(entries, 16, 1).rows(np.array([0])).flat[0] == 99


def test_reading_more_than_is_kept_mapped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a/1.png", 10)
    put(tmp_path, "b/2.png", 20)
    monkeypatch.setattr(image_cache, "_MAPPED_BYTES", 300)
    cache = open_cache(list_images(tmp_path, ["a", "b"]), 16, 1)
    for _ in range(5):
        assert cache.rows(np.array([1, 0]))[:, 3, 3, 0].tolist() == [20, 10]


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, "a/1.png").write_bytes(b"no image")
    put(tmp_path, "b/2.png").write_bytes(b"")
    with pytest.raises(TinymlError, match="None of the 2 images"):
        open_cache(list_images(tmp_path, ["a", "b"]), 16, 1)
