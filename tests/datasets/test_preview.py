"""`tinyml data preview`: sheets of varied items of every kind of data, and folders that hold none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Tinyml
from tests.corpus import write_corpus
from tests.outcomes import check as check_outcome
from tinyml_cli import recipes, registry
from tinyml_cli.pages.augmented import AugmentedItem


def _photos(root: Path) -> Path:
    rng = np.random.default_rng(1)
    for label in ("cat", "none"):
        (root / label).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(rng.integers(0, 256, (40, 50, 3)).astype(np.uint8)).save(
                root / label / f"{number}.png"
            )
    return root


def _strokes(root: Path) -> Path:
    root.mkdir()
    angles = np.linspace(0, 6, 40)
    points = [{"x": float(np.cos(a)) / 2, "y": float(np.sin(a)) / 2} for a in angles]
    strokes = [{"index": n, "label": label, "strokePoints": points} for n, label in enumerate("ab" * 2)]
    (root / "mine.json").write_text(json.dumps({"strokes": strokes}))
    return root


def _motion(root: Path) -> Path:
    rng = np.random.default_rng(2)
    for label in ("shake", "wave"):
        (root / label).mkdir(parents=True)
        for number in range(2):
            rows = np.column_stack(
                [np.arange(250) * 0.01, rng.normal(0, 1, (250, 3)), rng.normal(0, 50, (250, 3))]
            )
            header = "time_s,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps"
            np.savetxt(root / label / f"{number}.csv", rows, "%.4f", ",", header=header, comments="")
    return root


def varied(task: str, root: Path, most: int = 3, **values: object) -> list[AugmentedItem]:
    recipe = recipes.resolve(task, None, [], {"data_path": str(root), **values})
    return list(registry.task(task).augmented(recipe, root, most, 5).items)


MAKERS = {"vww": _photos, "wand": _strokes, "motion": _motion, "kws": lambda root: write_corpus(root)}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_sheet_is_drawn_of_every_kind_of_data(tinyml: Tinyml, tmp_path: Path, kind: str) -> None:
    folder = MAKERS[kind](tmp_path / "data")
    told = tinyml("data", "preview", folder, "--items", "2", "--variations", "3", "--json", cwd=tmp_path).json
    check_outcome("data preview", told)
    assert told["task"] == ("wand" if kind == "motion" else kind)
    assert len({item["label"] for item in told["items"]}) == 2
    assert told["picture"] == "data-preview.png"
    assert (tmp_path / "data-preview.png").read_bytes().startswith(b"\x89PNG")


def test_variations_differ_from_the_item_and_from_each_other(tmp_path: Path) -> None:
    for item in varied("vww", _photos(tmp_path / "photos")) + varied("wand", _strokes(tmp_path / "strokes")):
        shown = [item.original, *item.variations]
        assert len({each.tobytes() for each in shown}) == 6
        assert {each.shape for each in shown} == {item.original.shape}


def test_a_recipe_that_varies_nothing_changes_nothing(tmp_path: Path) -> None:
    shares = ("flip_share", "blur_share", "noise_share", "rgb565_share")
    off = dict.fromkeys((*shares, "contrast", "saturation", "white_balance"), 0)
    off |= {"crop_share": 1, "stretch": 1, "exposure_stops": [0, 0]}
    settings = {f"augmentation.{name}": value for name, value in off.items()}
    for item in varied("vww", _photos(tmp_path / "photos"), **settings):
        for each in item.variations:
            assert np.abs(each.astype(int) - item.original.astype(int)).max() <= 1


def test_a_seed_repeats_a_sheet(tmp_path: Path) -> None:
    photos = _photos(tmp_path / "photos")
    first, again, other = (varied("vww", photos, seed=seed)[0].variations for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("none",), "does not exist"),
        (("empty",), "nothing that can be checked"),
        (("photos", "--recipe", "anomaly"), "makes no variations"),
        (("photos", "--recipe", "hello"), "makes no variations"),
        (("photos", "--recipe", "vvw"), "No recipe file"),
        (("photos", "--recipe", "kws"), "no recordings"),
        (("photos", "--set", "augmentation.blurr=1"), "Unknown key"),
        (("photos", "--out", "sheet.jpg"), "PNG"),
        (("photos", "--out", "photos/cat/new.png"), "among the data"),
        (("photos", "--out", "photos/cat/0.png"), "did not draw"),
        (("damaged",), "no image that can be read"),
    ],
)
def test_what_cannot_be_drawn_leaves_nothing(
    tinyml: Tinyml, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    _photos(tmp_path / "photos")
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged" / "cat").mkdir(parents=True)
    (tmp_path / "damaged" / "cat" / "a.png").write_bytes(b"\x89PNG nothing")
    before = sorted(tmp_path.iterdir())
    answer = tinyml("data", "preview", *arguments, "--json", cwd=tmp_path, code=2)
    assert says in answer.json["error"]["what"], answer.json
    assert answer.json["error"]["next_step"] and sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("kind", ["vww", "wand", "kws"])
def test_what_is_passed_over_is_counted_once(tinyml: Tinyml, tmp_path: Path, kind: str) -> None:
    folder = MAKERS[kind](tmp_path / "data")
    suffix = {"vww": ".png", "wand": ".json", "kws": ".wav"}[kind]
    first = min(path for path in folder.rglob(f"*{suffix}") if path.parent.name[0] != "_")
    damaged = first.with_stem("0")
    damaged.write_bytes(first.read_bytes()[:20])
    damaged.with_name("clip.pdf").write_bytes(b"%PDF")
    answer = tinyml("data", "preview", folder, "--json", cwd=tmp_path)
    left_out = answer.json["left_out"]
    assert list(left_out.values()) == [1, 1] and any(".pdf" in reason for reason in left_out)
    assert answer.err.count("0" + damaged.suffix) == answer.err.count("clip.pdf") == 1


def test_a_folder_of_damaged_pictures_asks_for_a_check(tinyml: Tinyml, tmp_path: Path) -> None:
    photos = _photos(tmp_path / "photos")
    for path in photos.rglob("*.png"):
        path.write_bytes(b"not a picture")
    error = tinyml("data", "preview", photos, "--json", cwd=tmp_path, code=2).json["error"]
    assert "6 files skipped" in error["what"] and "data check" in error["next_step"]


def test_one_damaged_picture_is_passed_over(tmp_path: Path) -> None:
    photos = _photos(tmp_path / "photos")
    (photos / "cat" / "0.png").write_bytes(b"not a picture")
    assert [item.name for item in varied("vww", photos, 2)] == ["1.png", "0.png"]
