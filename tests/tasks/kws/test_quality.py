"""`--quality` and `--quick`: what they ask for, what they begin with, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tinyml
from tinyml_cli import recipes
from tinyml_cli.commands import kws_options
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.speech import kokoro_files


@pytest.mark.parametrize("has_kokoro", [True, False])
def test_high_quality_has_twenty_hours_twice_and_natural_voices_where_they_are(
    has_kokoro: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kokoro_files, "missing", lambda: "" if has_kokoro else "package onnxruntime")
    values = kws_options.values(words="alexa", quality="high")
    config = values.pop("config")
    assert values.pop("data") is None
    recipe = recipes.resolve("kws", config, ["training.epochs=3"], values)
    assert isinstance(recipe, KwsRecipe)
    assert recipe.streams.hours >= 20 and recipe.operating_point.hours >= 20
    assert recipe.model.name == "stream_ds_cnn" and recipe.training.epochs == 3
    assert ("kokoro" in recipe.synthesis.engines) == has_kokoro
    assert ("pip install" in capsys.readouterr().out) != has_kokoro


def test_standard_quality_leaves_the_recipe_alone() -> None:
    assert kws_options.values(quality="standard") == kws_options.values()


@pytest.mark.parametrize(
    ("options", "network", "hours"),
    [
        ({}, "stream_ds_cnn", 2.0),
        ({"model": "stream_conv"}, "stream_conv", 2.0),
        ({"model": "ds_cnn"}, "ds_cnn", 0.0),
        ({"quick": True}, "ds_cnn", 0.0),
        ({"data": Path("clips")}, "ds_cnn", 0.0),
    ],
)
def test_synthetic_words_are_for_listening_by_hours_and_recordings_are_clips(
    options: dict[str, Any], network: str, hours: float
) -> None:
    values = kws_options.values(words="yes,no", **options)
    config = values.pop("config")
    values.pop("data")
    recipe = recipes.resolve("kws", config, [], values)
    assert isinstance(recipe, KwsRecipe)
    assert recipe.model.name == network and recipe.operating_point.hours == hours


def test_high_quality_and_recordings_exclude_each_other(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    answer = tinyml("train", "kws", "--data", "clips", "--quality", "high", cwd=tmp_path, code=2)
    assert "--add-recordings mixes a few" in answer.err
    answer = tinyml("train", "kws", "--quality", "best", cwd=tmp_path, code=2)
    assert "`best` is not a quality" in answer.err and "quick, standard, high" in answer.err


def test_quick_is_a_quality_and_excludes_what_it_cannot_be(tinyml: Tinyml, tmp_path: Path) -> None:
    values = kws_options.values(words="yes,no", quick=True)
    assert values == kws_options.values(words="yes,no", quality="quick")
    quick, plain = (
        recipes.resolve("kws", None, [], {key: value for key, value in each.items() if "." in key})
        for each in (values, kws_options.values(words="yes,no", model="ds_cnn"))
    )
    assert isinstance(quick, KwsRecipe) and isinstance(plain, KwsRecipe)
    assert quick.training.epochs * quick.synthesis.clips_per_word < plain.training.epochs * 200
    (tmp_path / "clips").mkdir()
    answer = tinyml("train", "kws", "--data", "clips", "--quick", cwd=tmp_path, code=2)
    assert "`quick` is less synthetic speech" in answer.err
    answer = tinyml("train", "kws", "--quick", "--quality", "high", cwd=tmp_path, code=2)
    assert "--quick and --quality are two levels" in answer.err
