"""Any number of classes of images: which they are, which is the background, who lies in which split."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.tasks.vww.test_vww import put
from tinyml_cli import recipes, registry
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.images.procedural_images import SHAPES
from tinyml_cli.recipes.vww import ImagesRecipe, MaskRecipe, VwwRecipe
from tinyml_cli.tasks.vww import data as vww_data

IMAGES = registry.task("images")
BEANS = ["healthy", "rust", "spot"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    console.quiet = True


@pytest.mark.parametrize(
    ("schema", "given", "background"),
    [
        (ImagesRecipe, {"classes": BEANS}, None),
        (ImagesRecipe, {"classes": ["rust", "None", "spot"]}, "None"),
        (ImagesRecipe, {"classes": BEANS, "background": "healthy"}, "healthy"),
        (VwwRecipe, {}, "none"),
        (VwwRecipe, {"classes": ["cat", "none"]}, "none"),
        (VwwRecipe, {"classes": ["empty", "cup"]}, "empty"),
        (VwwRecipe, {"classes": ["cup", "empty"], "background": "empty"}, "empty"),
        (MaskRecipe, {}, "without_mask"),
    ],
)
def test_the_background_is_named_or_none(
    schema: type[VwwRecipe], given: dict[str, Any], background: str | None
) -> None:
    recipe = schema(**given)
    assert recipe.background == background
    assert schema.model_validate(recipe.model_dump()) == recipe


def test_a_background_that_is_no_class_is_refused() -> None:
    with pytest.raises(TinymlError, match="background: `blank` is none of healthy, rust, spot"):
        recipes.resolve("images", None, ["background=blank"], {"classes": BEANS})


def test_without_classes_all_folders_are(tmp_path: Path) -> None:
    for name in (*BEANS, "none"):
        put(tmp_path / "data" / "train", name, 20)
        put(tmp_path / "data" / "test", name, 5, seed=1)
    settled = IMAGES.settled(ImagesRecipe(data_path=str(tmp_path / "data")))
    assert (settled.classes, settled.background) == (["none", *BEANS], "none")
    assert IMAGES.settled(settled) == settled
    counts = vww_data.read(tmp_path / "data", settled).counts(settled.classes)
    assert counts["test"] == dict.fromkeys(settled.classes, 5)


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ({}, ()),
        ({"data_path": "/home/ana/beans"}, ("beans",)),
        ({"data_path": "/home/ana/beans", "classes": ["none", *BEANS]}, tuple(BEANS)),
    ],
)
def test_a_run_is_named_after_its_classes_or_their_folder(
    given: dict[str, Any], title: tuple[str, ...]
) -> None:
    assert ImagesRecipe(**given).title == title


def test_weights_of_classes_are_checked_when_these_are_known(tmp_path: Path) -> None:
    for name in BEANS:
        put(tmp_path, name, 3)
    recipe = ImagesRecipe(data_path=str(tmp_path), training={"class_weights": {"rots": 2}})
    with pytest.raises(TinymlError, match="unknown label `rots`"):
        IMAGES.check(recipe)


def test_one_folder_is_no_choice(tmp_path: Path) -> None:
    put(tmp_path / "data", "rust", 3)
    with pytest.raises(TinymlError, match="at least two are needed"):
        IMAGES.check(ImagesRecipe(data_path=str(tmp_path / "data")))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"classes": ["circle", "rust"]}, "images to train on of `rust`; without data, only circle, square"),
        ({"classes": BEANS, "source": "folder"}, "No images to train on"),
        ({"source": "folder"}, "No images to train on"),
    ],
)
def test_what_cannot_be_drawn_needs_data(given: dict[str, Any], says: str) -> None:
    with pytest.raises(TinymlError, match=says) as caught:
        IMAGES.check(ImagesRecipe(**given))
    assert "--data DIR" in caught.value.next_step


def test_shapes_are_drawn_where_there_is_no_data() -> None:
    recipe = IMAGES.settled(ImagesRecipe(image={"size": 16}))
    data = vww_data.load(recipe)
    assert recipe.classes == list(SHAPES)[:4] and data.origin == "procedural"
    counts = data.counts(recipe.classes)
    assert min(counts["train"].values()) > 100 and min(counts["test"].values()) > 20
    circles = vww_data.load(IMAGES.settled(ImagesRecipe(classes=["moon", "circle"], image={"size": 16})))
    assert len(circles.counts(["moon", "circle"])["train"]) == 2


def by_person(root: Path, people: int) -> Path:
    """Thirty images of each of two classes, in turn of these people, and twenty of nobody's."""
    for name in ("rock", "paper"):
        put(root, name, 50)
        for index, path in enumerate(sorted((root / name).iterdir())[:30]):
            path.rename(path.with_name(f"p{index % people}_nohash_{index}.png"))
    return root


def test_images_of_a_person_stay_together(tmp_path: Path) -> None:
    recipe = ImagesRecipe(data_path=str(by_person(tmp_path / "data", 15)), classes=["paper", "rock"])
    data = vww_data.load(recipe)
    entries = vww_data.image_folder.list_images(tmp_path / "data", recipe.classes)
    names = np.array([entry.path.stem.partition("_nohash_")[0] for entry in entries])
    places = {name: set(data.where[names == name]) for name in set(names) if name.startswith("p")}
    assert len(places) == 15 and all(len(splits) == 1 for splits in places.values())
    assert data.split_by == "person, else file hash"


def test_a_few_people_cannot_be_split_and_that_is_said(tmp_path: Path) -> None:
    recipe = ImagesRecipe(data_path=str(by_person(tmp_path / "data", 3)), classes=["paper", "rock"])
    data = vww_data.load(recipe)
    assert data.split_by == "file hash"
    assert "3 people named, too few" in " ".join(data.notes)


def test_train_takes_the_folders_and_names_them_in_the_run(tinyml: Tinyml, tmp_path: Path) -> None:
    put(tmp_path / "beans", "rust", 30)
    answer = tinyml("train", "images", "--data", "beans", "--json", cwd=tmp_path, code=2)
    assert "1 folder" in answer.json["error"]["what"]
    answer = tinyml("train", "images", "--classes", "rust,spot", "--json", cwd=tmp_path, code=2)
    assert answer.json["error"]["where"] == "--data"
    shutil.rmtree(tmp_path / "beans")
    answer = tinyml("train", "images", "--data", "beans", "--json", cwd=tmp_path, code=2)
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_from_nothing_to_a_board_that_tells_shapes_apart(tinyml: Tinyml, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="extra `train` is not installed")
    answer = tinyml("pipeline", "images", "--board", "sim", "--json", cwd=tmp_path).json
    assert answer["evaluate"]["tflm"]["mismatches"] in (0, None)
    assert answer["evaluate"]["int8"]["accuracy"] > 0.9
    assert len(answer["evaluate"]["int8"]["confusion"]) == 4
    assert answer["monitor"]["n"] == 32 and answer["monitor"]["hits"] >= 28
