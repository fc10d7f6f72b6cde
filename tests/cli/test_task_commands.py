"""`train TASK` and `pipeline TASK` take the same options of the task, and hand each of them to the recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from tests.conftest import Tinyml
from tinyml_cli import main, registry
from tinyml_cli.errors import TinymlError
from tinyml_cli.stages import common as stages

_BOARD = {"--board", "--port", "--engine", "--tflm", "--gate"}


def options(*words: str) -> list[str]:
    command: Any = typer.main.get_command(main.app)
    for word in words:
        command = command.get_command(None, word)
    return [parameter.opts[0] for parameter in command.params]


@pytest.mark.parametrize("task", [*registry.built_in(), "of-another-package"])
def test_a_pipeline_takes_what_the_training_takes(task: str) -> None:
    trained, run = options("train", task), options("pipeline", task)
    assert len(set(run)) == len(run)
    assert set(run) - set(trained) == _BOARD
    assert set(trained) - set(run) <= {"--teacher"}


@pytest.mark.parametrize("verb", ["train", "pipeline"])
@pytest.mark.parametrize(
    ("task", "arguments", "values"),
    [
        ("kws", ("--words", "a, b", "--model", "x"), {"words": ["a", "b"], "model": {"name": "x"}}),
        ("wand", ("--labels", "0,1", "--input", "imu"), {"labels": ["0", "1"], "input": "imu"}),
        ("anomaly", ("--method", "gmm", "--fpr", "0.2"), {"method": "gmm", "threshold.fpr": 0.2}),
        ("mask", ("--classes", "a,b", "--size", "48"), {"image.size": 48}),
        ("of-another-package", (), {}),
    ],
)  # fmt: skip
def test_options_reach_the_recipe(
    tinyml: Tinyml,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    task: str,
    arguments: tuple[str, ...],
    values: dict[str, Any],
) -> None:
    def prepare(name: str, given: dict[str, Any], data: Path | None, config: Path | None, *rest: Any) -> None:
        assert (name, data, config) == (task, tmp_path, None)
        assert rest == (["seed=3"], tmp_path / "run", 7)
        assert {key: given.get(key) for key in values} == values
        assert "data" not in given
        raise TinymlError("reached")

    monkeypatch.setattr(stages, "prepare", prepare)
    common = ("--data", tmp_path, "--set", "seed=3", "--run", tmp_path / "run", "--seed", "7")
    assert "reached" in tinyml(verb, task, *arguments, *common, cwd=tmp_path, code=2).err
