"""Training kws from whistles: hard negatives, a teacher, synthetic voices beside recordings, and recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

from tests.corpus import write_corpus
from tinyml_cli import recipes
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import configs_dir
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.speech import espeak
from tinyml_cli.tasks.kws.corpus import load
from tinyml_cli.tasks.kws.task import KWS


def small_recipe(data: Path, **changes: object) -> KwsRecipe:
    return KwsRecipe.model_validate(
        {
            "words": ["up", "down"],
            "data_path": str(data),
            "augmentation": {"copies": 3},
            "training": {"epochs": 4, "learning_rate": 0.01, "batch_size": 16},
            "model": {"options": {"stem_filters": 8, "blocks": [[16, 2], [16, 1]]}},
            **changes,
        }
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "data", speakers=64)


@pytest.fixture(scope="module")
def teacher(whistle_run: Path) -> Run:
    return Run(whistle_run)


def learn(teacher: Run, path: Path) -> dict[str, Any]:
    """What a training with a teacher and hard negatives says of itself."""
    run = Run.create(path)
    changes = {
        "distillation": {"teachers": [str(teacher.path)], "temperature": 2.0},
        "hard_negatives": {"share": 0.5, "threshold": 0.01, "after": 0.25},
    }
    recipe = recipes.load(teacher.file(RECIPE)).model_dump() | changes
    recipe["training"]["epochs"] = 10
    KWS.train(run, KwsRecipe.model_validate(recipe))
    return run.manifest().metrics["train"]


@pytest.fixture(scope="module")
def taught(teacher: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return learn(teacher, tmp_path_factory.mktemp("runs") / "taught")


@pytest.mark.slow
def test_a_teacher_and_hard_negatives_change_the_model(teacher: Run, taught: dict[str, Any]) -> None:
    assert taught["validation_accuracy"] > 0.5
    assert taught["validation_loss"] != teacher.manifest().metrics["train"]["validation_loss"]


@pytest.mark.slow
def test_a_teacher_and_hard_negatives_are_repeatable(
    teacher: Run, taught: dict[str, Any], tmp_path: Path
) -> None:
    again = learn(teacher, tmp_path / "again")
    assert again["validation_loss"] == taught["validation_loss"]


def test_a_teacher_of_other_words_is_refused(teacher: Run, corpus: Path, tmp_path: Path) -> None:
    chosen = small_recipe(corpus, words=["down", "up"], distillation={"teachers": [str(teacher.path)]})
    with pytest.raises(TinymlError, match="not silence, unknown, down, up"):
        KWS.train(Run.create(tmp_path / "run"), chosen)


def test_a_teacher_that_knows_test_speakers_is_refused(teacher: Run, corpus: Path, tmp_path: Path) -> None:
    training = {"epochs": 1, "test_share": 0.5}
    chosen = small_recipe(corpus, training=training, distillation={"teachers": [str(teacher.path)]})
    with pytest.raises(TinymlError, match="speakers that this training holds out"):
        KWS.train(Run.create(tmp_path / "run"), chosen)


@pytest.mark.skipif(not espeak.is_installed(), reason="extra `speech` is not installed")
def test_synthetic_voices_say_their_share(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    chosen = small_recipe(
        corpus,
        augmentation={"recorded": {"synthesis_share": 0.4}},
        synthesis={"clips_per_word": 10, "unknown_clips": 12, "engines": ["espeak"]},
    )
    made = load(chosen)
    synthetic = {str(group) for group in made.clips.groups if str(group).startswith("espeak/")}
    assert all(made.fixed_splits[group] == "train" for group in synthetic)
    for label in ("unknown", "up", "down"):
        clips = made.clips.take(made.clips.labels == label)
        spoken = [str(group) in synthetic for group in clips.groups]
        assert clips.weigh()[spoken].sum() / clips.weigh().sum() == pytest.approx(0.4)


@pytest.mark.parametrize("path", sorted(configs_dir().glob("kws*.yaml")), ids=lambda path: path.name)
def test_the_recipes_that_are_shipped_are_valid(path: Path) -> None:
    assert recipes.resolve("kws", path, [], {}).task == "kws"


def test_a_class_weight_needs_its_label() -> None:
    with pytest.raises(TinymlError, match="unknown label `left`"):
        recipes.resolve("kws", None, ["training.class_weights={left: 2}"], {})
