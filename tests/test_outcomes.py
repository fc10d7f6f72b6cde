"""The models of what commands print with --json, and the schemas made of them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests import outcomes as printed
from tests.conftest import Tinyml
from tinyml_cli import outcomes
from tinyml_cli.link.protocol import Event
from tinyml_cli.main import command_paths
from tinyml_cli.run import MANIFEST

GOLDEN = Path(__file__).parent / "golden" / "manifests" / "v1"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a run of every golden manifest."""
    for path in GOLDEN.glob("*.json"):
        run = tmp_path / "runs" / path.stem
        run.mkdir(parents=True)
        shutil.copyfile(path, run / MANIFEST)
    return tmp_path


def test_every_command_has_a_schema_and_nothing_else() -> None:
    groups = {"data", "data record", "keys", "learn", "container"}  # print nothing themselves
    same = {"train", "pipeline", "federate"}  # for all tasks
    single = {path for path in command_paths() if path.partition(" ")[0] not in same}
    assert set(outcomes.commands()) == (single - groups) | same | {outcomes.ERROR}


@pytest.mark.parametrize("command", outcomes.commands())
def test_every_schema_is_whole(command: str) -> None:
    """All that is referred to is there, nothing else may be added but by a newer board or another package,
    and every object says what it is."""
    schema = outcomes.schema(command)
    names = set(re.findall(r"#/\$defs/(\w+)", outcomes.as_text(schema)))
    assert names == set(schema["$defs"])
    said_by_boards = {model.__name__ for model in outcomes.models(command) if issubclass(model, Event)}
    for name, inner in schema["$defs"].items():
        assert inner["additionalProperties"] is (name in {*said_by_boards, "EvaluatedElsewhere"}), name
        assert inner["description"], name


@pytest.mark.parametrize("command", outcomes.commands())
def test_outcomes_are_frozen(command: str) -> None:
    for model in outcomes.models(command):
        made = model.model_construct()
        with pytest.raises(ValidationError, match="frozen"):
            setattr(made, next(iter(model.model_fields)), 1)


@pytest.mark.parametrize(
    "words",
    [
        ("boards",),
        ("recipes",),
        ("recipes", "show", "wand"),
        ("recipes", "copy", "wand", "mine.yaml"),
        ("runs",),
        *[("runs", "show", path.stem) for path in sorted(GOLDEN.glob("*.json"))],
        ("runs", "rename", "kws_built", "mine"),
        ("runs", "rm", "wand_evaluated", "--yes"),
        ("completion", "bash"),
        ("schema",),
        ("data", "download"),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_what_is_printed_fits_the_schema(tinyml: Tinyml, home: Path, words: tuple[str, ...]) -> None:
    two = " ".join(words[:2])
    document = tinyml(*words, "--json", cwd=home).json
    printed.check(two if two in outcomes.commands() else words[0], document)


@pytest.mark.parametrize("words", [("build", "nowhere"), ("train", "tea"), ("runs", "--sort"), ("nothing",)])
def test_errors_fit_their_schema(tinyml: Tinyml, tmp_path: Path, words: tuple[str, ...]) -> None:
    printed.check(outcomes.ERROR, tinyml(*words, "--json", cwd=tmp_path, code=2).json)


@pytest.mark.parametrize("change", [{"more": 1}, {"folder": 3}, {"runs": None}])
def test_what_does_not_fit_is_found(change: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match=next(iter(change))):
        printed.check("runs", {"folder": "runs", "runs": []} | change)


def test_the_command_prints_the_schema(tinyml: Tinyml, tmp_path: Path) -> None:
    plain = tinyml("schema", "runs", "show", cwd=tmp_path)
    document = tinyml("schema", "runs", "show", "--json", cwd=tmp_path).json
    assert plain.out.rstrip("\n") == outcomes.as_text(document)
    assert document["$schema"].endswith("2020-12/schema")
    assert "in_use_by" in document["$defs"]["RunShown"]["properties"]


def test_every_task_has_the_schema_of_its_group(tinyml: Tinyml, tmp_path: Path) -> None:
    task, group = (
        tinyml("schema", *words, "--json", cwd=tmp_path).json for words in (["train", "kws"], ["train"])
    )
    assert task["$defs"] == group["$defs"]


@pytest.mark.parametrize(("given", "meant"), [("conver", "convert"), ("runs shwo", "runs show")])
def test_an_unknown_command_names_the_nearest(tinyml: Tinyml, tmp_path: Path, given: str, meant: str) -> None:
    answer = tinyml("schema", *given.split(), cwd=tmp_path, code=2)
    assert f"No schema for `{given}`" in answer.err
    assert f"`{meant}`" in answer.err
