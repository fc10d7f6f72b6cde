"""Visual wake words from a folder to a board: splits, bad data, and every stage through the command line."""

from __future__ import annotations

import contextlib
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Tinyml
from tests.outcomes import check as check_outcome
from tinyml_cli import recipes, registry
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.vww import VwwRecipe, values_of
from tinyml_cli.tasks.vww import data as vww_data
from tinyml_cli.tasks.vww.conditions import by_size, darkened, low_light
from tinyml_cli.tasks.vww.held_out import LabelledImages


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    console.quiet = True


def put(root: Path, name: str, count: int, seed: int = 0) -> None:
    """Images of noise, no two alike."""
    rng = np.random.default_rng([seed, *name.encode()])
    (root / name).mkdir(parents=True, exist_ok=True)
    for index in range(count):
        Image.fromarray(rng.integers(0, 256, (16, 16), np.uint8)).save(root / name / f"{seed}_{index}.png")


def recipe(root: Path, **changes: Any) -> VwwRecipe:
    return VwwRecipe(data_path=str(root), image={"size": 16}, **changes)


def test_images_are_split_by_what_they_are_not_by_their_name(tmp_path: Path) -> None:
    put(tmp_path / "data", "person", 40)
    put(tmp_path / "data", "street", 40)
    for path in sorted((tmp_path / "data" / "person").iterdir())[:10]:
        shutil.copy(path, path.with_name(f"copy_of_{path.name}"))
    data = vww_data.load(recipe(tmp_path / "data"))
    assert len(data.labels) == 90
    assert {str(name) for name in data.where} == {"train", "validation", "test"}
    for name in set(map(str, data.hashes)):
        assert len(set(data.where[data.hashes == name])) == 1
    assert "10 exact copies" in data.notes[0]
    assert data.counts(["none", "person"])["train"]["person"] > 20


def test_a_prepared_split_is_kept_and_cleaned_of_leaks(tmp_path: Path) -> None:
    for split, count in (("train", 40), ("test", 12)):
        put(tmp_path / "data" / split, "person", count, seed=len(split))
        put(tmp_path / "data" / split, "none", count, seed=len(split))
    leak = next((tmp_path / "data" / "test" / "person").iterdir())
    shutil.copy(leak, tmp_path / "data" / "train" / "person" / "leak.png")
    data = vww_data.load(recipe(tmp_path / "data"))
    assert (data.where == "test").sum() == 24
    assert (data.where == "").sum() == 1
    assert any("also in the test folder" in note for note in data.notes)


def test_a_hundred_to_one_is_told(tmp_path: Path) -> None:
    put(tmp_path / "data", "none", 400)
    put(tmp_path / "data", "person", 12)
    data = vww_data.read(tmp_path / "data", recipe(tmp_path / "data"))
    assert any("33 images of `none` per image of `person`" in note for note in data.notes)


def test_a_class_too_small_to_split_is_named(tmp_path: Path) -> None:
    put(tmp_path / "data", "none", 60)
    put(tmp_path / "data", "person", 1)
    with pytest.raises(TinymlError, match="leaves no image of `person` for"):
        vww_data.load(recipe(tmp_path / "data"))


def test_a_class_too_small_to_split_is_named_before_images_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_: object) -> None:
        raise AssertionError("images were decoded")

    put(tmp_path, "none", 40)
    put(tmp_path, "person", 2)
    monkeypatch.setattr(vww_data, "open_cache", decode)
    with pytest.raises(TinymlError, match="leaves no image of `person` for"):
        registry.task("vww").check(recipe(tmp_path))


@pytest.mark.parametrize(
    ("model", "image", "where"),
    [
        ({"name": "vww_micro"}, {}, "--backbone"),
        ({"name": "mobilenet_v1", "options": {"alpha": 0.35}}, {}, "--alpha"),
        ({"name": "mobilenet_v2", "options": {"alpha": 0.25}}, {}, "--alpha"),
        ({"name": "mobilenet_v1"}, {"colour": "grey"}, "--gray"),
    ],
)
def test_weights_that_keras_does_not_have_are_refused_early(
    model: dict[str, Any], image: dict[str, Any], where: str
) -> None:
    asked = VwwRecipe(source="procedural", image=image, model=model | {"backbone": "imagenet"})
    with pytest.raises(TinymlError, match="ImageNet weights") as caught:
        registry.task("vww").check(asked)
    assert where in caught.value.where


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"batch_shape": [None, 96, 96, 3]}, "needs 96 x 96 x 3, but the recipe gives 96 x 96 x 1"),
        ({"batch_input_shape": [None, 49, 40]}, "takes no images: its input is 49 x 40"),
        ({"batch_shape": [None, None, None, 1]}, None),
        ({"batch_shape": 7}, None),  # left to Keras
        (None, "Cannot load the backbone"),
    ],
)
def test_a_backbone_for_other_inputs_is_refused_before_keras_is_loaded(
    tmp_path: Path, config: dict[str, Any] | None, says: str | None
) -> None:
    path = tmp_path / "backbone.keras"
    with zipfile.ZipFile(path, "w") as archive:
        if config is not None:
            layers = [{"class_name": "InputLayer", "config": config}]
            archive.writestr("config.json", json.dumps({"config": {"layers": layers}}))
    asked = VwwRecipe(source="procedural", model={"name": "vww_micro", "backbone": str(path)})
    with pytest.raises(TinymlError, match=says) if says else contextlib.nullcontext():
        registry.task("vww").check(asked)


def test_without_data_it_says_what_to_get_and_how_large_it_is() -> None:
    with pytest.raises(TinymlError) as error:
        vww_data.load(VwwRecipe())
    for text in ("data download vww", "235 MB", "data build-vww --coco", "19 GB", "data record images"):
        assert text in error.value.next_step


def test_options_become_values_of_the_recipe() -> None:
    values = values_of(["person", "none"], 48, False, "micro", 0.5, None)
    made = recipes.resolve("vww", None, [], values)
    assert isinstance(made, VwwRecipe)
    assert made.classes == ["none", "person"]
    assert (made.image.size, made.image.colour, made.model.name) == (48, "rgb", "vww_micro")
    assert made.model.options["alpha"] == 0.5
    for task in ("vww", "mask"):
        assert recipes.resolve(task, None, [], {}).task == task
    with pytest.raises(TinymlError, match="twice"):
        recipes.resolve("vww", None, [], {"classes": ["cat", "Cat"]})
    assert recipes.resolve("vww", None, ['gate.when="no"'], {}).gate.when == "no"
    with pytest.raises(TinymlError, match="quote the word"):
        recipes.resolve("vww", None, ["gate.when=no"], {})
    with pytest.raises(TinymlError, match="threshold_off"):
        recipes.resolve("vww", None, ["presence.threshold_off=0.9"], {})


def test_quality_by_size_and_in_the_dark() -> None:
    shares = np.array([0.01, 0.04, 0.1, 0.3, 0.9, np.nan, 0.0])
    labels = np.array([1, 1, 1, 1, 1, 1, 0])
    pixels = np.full((7, 16, 16, 1), 200, np.uint8)
    pixels[6] = 10
    images = LabelledImages(pixels, labels, np.array(list("abcdefg")), shares, "made up")
    rows = by_size(images, np.array([0, 1, 1, 1, 1, 1, 0]), ["none", "person"])
    assert [(row.n, row.correct) for row in rows] == [(2, 1), (1, 1), (2, 2)]
    dark = low_light(
        lambda seen: (seen.mean(axis=(1, 2, 3)) > 40).astype(np.int64), images, ["none", "person"]
    )
    assert [row.recall and row.recall["person"] for row in dark] == [1, 1, 1, 0, 0]
    assert darkened(pixels, 0, np.random.default_rng(0)) is pixels


def test_every_stage_on_drawn_figures(
    tinyml: Tinyml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The firmware's objects are shared with other tests.
    monkeypatch.delenv("TINYML_CACHE")
    pytest.importorskip("tensorflow", reason="extra `train` is not installed")
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    sets = [
        "source=procedural",
        "training.epochs=6",
        "training.batch_size=32",
        "training.weight_average=0.9",
        "training.learning_rate=0.01",
        "model.options={stem_filters: 8, blocks: [[16, 2], [32, 2], [32, 1]]}",
    ]
    options = [part for value in sets for part in ("--set", value)]
    answer = tinyml(
        "pipeline", "vww", "--size", "16", "--model", "micro", *options, "--board", "native", "--no-gate",
        "--run", tmp_path / "run", "--json", cwd=tmp_path, env={"TINYML_RUNS": str(tmp_path)},
    )  # fmt: skip
    outcome = answer.json
    check_outcome("pipeline", outcome)
    check_outcome("evaluate", outcome["evaluate"])
    assert outcome["evaluate"]["int8"]["accuracy"] > 0.75
    assert outcome["evaluate"]["tflm"]["mismatches"] in (0, None)
    assert [row["stops"] for row in outcome["evaluate"]["low_light"]] == [0, 1, 2, 3, 4]
    seen = outcome["monitor"]
    assert seen["n"] == 16
    assert seen["hits"] + seen["rejections"] >= 11
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["data"]["source"] == "procedural"
    assert "only for testing the tool" in manifest["data"]["notes"][0]
    page = (tmp_path / "run" / "report" / "report.html").read_text()
    assert "In low light" in page
    assert "drawn figures" in page
    tinyml("card", tmp_path / "run", cwd=tmp_path)
    card = (tmp_path / "run" / "report" / "card.md").read_text(encoding="utf-8")
    assert "Drawn figures, split by" in card and "### In low light" in card and "speaker" not in card
    with Image.open(tmp_path / "run" / "report" / "mistakes.png") as sheet:
        assert sheet.width > 500
    assert "validation images, which never trained the model" in page and 'id="fair-data"' in page
    names = tmp_path / "names.csv"
    tinyml("fairness", tmp_path / "run", "--write-groups", names, cwd=tmp_path)
    heading, *lines = names.read_text().splitlines()
    groups = [f"{line}{'ab'[number % 2]}" for number, line in enumerate(lines)]
    names.write_text("\n".join([heading, *groups]))
    asked = ("--groups", names, "--miss-cost", "3", "--apply", "equal-opportunity", "--json")
    found = tinyml("fairness", tmp_path / "run", *asked, cwd=tmp_path).json
    check_outcome("fairness", found)
    presence = json.loads((tmp_path / "run" / "manifest.json").read_text())["presence"]
    on = found["applied"]["threshold"]
    assert presence["threshold_on"] == on and presence["threshold_off"] == max(0, round(on - 0.2, 4))
