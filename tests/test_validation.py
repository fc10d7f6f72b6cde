"""Wrong values of recipes and manifests, in the words of the tool."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from tinyml_cli import recipes, registry
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.recipes.base import ClassifierRecipe
from tinyml_cli.validation import first_problem

# Openings of pydantic's messages: none may reach a user.
PYDANTIC = re.compile(
    r"Input should|Field required|Extra inputs|valid (string|integer|number|list|dictionary|boolean)|"
    r"Value error|unable to|greater than or equal|less than or equal|pydantic|Assertion failed"
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2,
    10**18,
    1.5,
    -1e300,
    "",
    "x",
    [],
    ["x"],
    [[1]],
    {},
    {"x": 1},
    {1: 2},
)
TASKS = tuple(registry.built_in())


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(document, dict):
        return [path]
    return [path, *(place for key in document for place in _places(document[key], (*path, key)))]


def _with(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    return {**document, path[0]: _with(document[path[0]], path[1:], value)}


def _check(schema: type[BaseModel], document: Any) -> None:
    try:
        schema.model_validate(document)
    except ValidationError as error:
        problem = first_problem(error, schema)
        text = f"{problem.what} {problem.advice}"
        assert not PYDANTIC.search(text), text
        assert "of another type" not in text, (text, error)
        assert "\n" not in text


@pytest.mark.parametrize("task", TASKS)
def test_every_key_of_a_recipe_with_every_kind_of_value(task: str) -> None:
    schema = recipes.schema_of(task)
    document = schema().model_dump(mode="json")
    for path in _places(document):
        for value in VALUES:
            _check(schema, _with(document, path, value))


def test_every_key_of_a_manifest_with_every_kind_of_value() -> None:
    document = Manifest(task="kws", seed=1).model_dump(mode="json")
    for path in _places(document):
        for value in VALUES:
            _check(Manifest, _with(document, path, value))


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["seed=-5"], "`seed` must be from 0 to 4294967295, not -5"),
        (["training.epochs=many"], "`training.epochs` must be a whole number from 1 to 10000, not `many`"),
        (["task=vww"], "`task` is `kws` here, not `vww`"),
        (["training.epochs=1.5"], "`training.epochs` must be a whole number from 1 to 10000, not 1.5"),
        (["synthesis.engines=[espaek]"], "`synthesis.engines.0` must be espeak, flite or kokoro"),
        (["synthesis.engines=[espaek]"], "Did you mean `espeak`?"),
        (["training.epohcs=3"], "Did you mean `epochs`?"),
        (["words=[yes]"], "quote the word"),
        (["training.ema=0.9"], "It is `weight_average` now."),
        (["training.class_weights=true"], "write balanced"),
        (["training.class_weights=false"], "write {}"),
        (["training.class_weights=even"], "`even` is neither `balanced` nor a mapping"),
        (["training.class_weights={unknown: 101}"], "`training.class_weights.unknown` must be at most 100"),
        (["training.class_weights=[1, 2]"], "`training.class_weights` must be a mapping"),
        (["training.learning_rate=.nan"], "not a finite number"),
        (["training.learning_rate=nan"], "must be a number greater than 0 and at most 1"),
    ],
)
def test_what_set_says(overrides: list[str], says: str) -> None:
    with pytest.raises(TinymlError) as caught:
        recipes.resolve("kws", None, overrides, {})
    assert says in str(caught.value)
    assert caught.value.where == "--set"


def test_an_option_is_named_and_not_the_recipe() -> None:
    with pytest.raises(TinymlError, match="`--seed` must be from 0 to 4294967295, not -5") as caught:
        recipes.resolve("kws", None, [], {"seed": -5})
    assert caught.value.where == "--seed"


@pytest.mark.parametrize("task", ["kws", "vww", "mask", "wand"])
def test_the_recipe_of_an_older_run_opens_in_the_words_of_now(task: str, tmp_path: Path) -> None:
    now = recipes.resolve(task, None, ["training.weight_average=0.7", "training.class_weights=balanced"], {})
    assert isinstance(now, ClassifierRecipe)
    document = now.model_dump(mode="json")
    document["training"]["ema"] = document["training"].pop("weight_average")
    path = tmp_path / "recipe.yaml"
    for was, weights in ((True, "balanced"), (False, {})):
        document["training"]["class_weights"] = was
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        training = now.training.model_copy(update={"class_weights": weights})
        assert recipes.load(path) == now.model_copy(update={"training": training})
    with pytest.raises(TinymlError, match="weight_average"):
        recipes.resolve(task, path, ["training.class_weights={}"], {})


@pytest.mark.parametrize("training", [None, [], 3, "x", {"ema": [1]}, {"ema": 0.1, "weight_average": 0.2}])
def test_a_damaged_training_of_an_older_run_is_refused(training: object, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({"task": "vww", "training": training}), encoding="utf-8")
    with pytest.raises(TinymlError, match="training"):
        recipes.load(path)
