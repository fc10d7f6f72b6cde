"""The page Train: recipes as forms, trainings that start, stop and go on, and what a run's folder tells."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import typer
from starlette.testclient import TestClient

from tinyml_cli import recipes, registry
from tinyml_cli.main import app
from tinyml_cli.recipes import packaged
from tinyml_cli.run import CHECKPOINT, MANIFEST, RECIPE
from tinyml_cli.run_folder import TRAINED_BY
from tinyml_cli.studio import recipe_form, trainings
from tinyml_cli.studio.studio import Studio
from tinyml_cli.training.checkpoint import TrainingProgress


@pytest.fixture
def started(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands that would have been started."""
    found: list[tuple[str, ...]] = []
    monkeypatch.setattr(studio.jobs, "start", lambda *words: found.append(words))
    return found


def stopped_run(studio: Studio, epochs: int = 9) -> Path:
    """A run whose first training was stopped after its second epoch."""
    run = studio.root / "runs" / "run"
    (run / CHECKPOINT).mkdir(parents=True)
    recipe = recipes.resolve("kws", None, ["words=[up, down]"], {}).to_yaml()
    (run / RECIPE).write_text(recipe)
    (run / TRAINED_BY).write_text(recipe)
    measures = {"loss": 1.0, "accuracy": 0.5, "validation_loss": 1.5, "validation_accuracy": 0.25}
    judged = {"confusion": [[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 3, 0], [0, 0, 0, 4]]}
    progress = TrainingProgress("x", epochs, 2, judged=judged, history=[measures, measures])
    (run / CHECKPOINT / "state.json").write_text(json.dumps(asdict(progress)))
    (run / CHECKPOINT / "last-0002.npz").write_bytes(b"")
    return run


@pytest.mark.parametrize("name", packaged.names())
def test_what_the_form_shows_is_the_recipe(name: str) -> None:
    """Every value goes to the page as text and comes back as it was."""
    task = recipes.task_of(Path(name))
    recipe = recipes.resolve(task, Path(name), [], {})
    shown = {each.key: each.value for each in recipe_form.settings(recipe)}
    again = recipes.resolve(task, Path(name), recipe_form.overrides(shown), {})
    assert again == recipe
    assert any(each.first for each in recipe_form.settings(recipe))


@pytest.mark.parametrize("task", registry.built_in())
def test_the_command_has_the_options_of_the_form(task: str) -> None:
    root: Any = typer.main.get_command(app)
    command = root.get_command(None, "train").get_command(None, task)
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    shown = recipe_form.settings(recipes.resolve(task, None, [], {}))
    wanted = {recipe_form.OPTIONS[each.key] for each in shown if each.key in recipe_form.OPTIONS}
    assert wanted <= known


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, ""),
        ({"words": "left, right"}, "--words 'left, right' "),
        ({"training.epochs": "3"}, "--set training.epochs=3 "),
        ({"synthesis.language": "de"}, "--set synthesis.language=de "),
        ({"augmentation.speed": "[1.0, 1.0]"}, "--set 'augmentation.speed=[1.0, 1.0]' "),
    ],
)
def test_it_says_the_command(owner: TestClient, changed: dict[str, str], words: str) -> None:
    if sys.platform == "win32":
        words = words.replace("'", '"')
    told = owner.post("/api/train/check", json={"recipe": "kws", "changed": changed, "run": "mine"})
    assert told.json() == {"run": "mine", "command": f"tinyml train kws --config kws {words}--run runs/mine"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"training.epochs": "0"}, "epochs"),
        ({"training.epochs": "many"}, "epochs"),
        ({"words": "yes,yes"}, "twice"),
        ({"nothing": "1"}, "nothing"),
        ({"augmentation.speed": "[1"}, "speed"),
        ({"data_path": "../other"}, "not a path inside"),
        ({"data_path": "absent"}, "does not exist"),
    ],
)
def test_what_would_fail_is_refused_at_once(owner: TestClient, changed: dict[str, str], said: str) -> None:
    answer = owner.post("/api/train", json={"recipe": "kws", "changed": changed})
    assert answer.status_code in (404, 422)
    assert said in answer.json()["error"]["what"]
    assert owner.get("/api/jobs").json()["jobs"] == []


def test_a_recipe_of_the_folder_comes_first(owner: TestClient, studio: Studio) -> None:
    (studio.root / "mine.yaml").write_text("task: wand\nlabels: [a, b]\n")
    (studio.root / "budgets.yaml").write_text("flash: 1\n")
    (studio.root / "broken.yaml").write_text("task: [\n")
    assert owner.get("/api/recipes").json()["recipes"][0]["name"] == "mine.yaml"
    told = owner.get("/api/recipe", params={"recipe": "mine.yaml"}).json()
    assert told["settings"][0] | {"key": "labels", "value": "a,b"} == told["settings"][0]
    command = owner.post("/api/train/check", json={"recipe": "mine.yaml"}).json()["command"]
    assert command == "tinyml train wand --config mine.yaml --run runs/wand-a-b"


def test_a_new_run_takes_no_name_that_is_there(owner: TestClient, studio: Studio) -> None:
    (studio.root / "runs" / "kws-yes-no").mkdir(parents=True)
    assert owner.post("/api/train/check", json={"recipe": "kws"}).json()["run"] == "kws-yes-no-2"
    wanted = {"recipe": "kws", "run": "kws-yes-no"}
    assert owner.post("/api/train/check", json=wanted).status_code == 409
    for name in ("../x", ".x", "a/b", "latest/x"):
        assert owner.post("/api/train/check", json={"recipe": "kws", "run": name}).status_code == 422


def test_a_stopped_training_is_shown_and_goes_on(
    owner: TestClient, studio: Studio, started: list[tuple[str, ...]]
) -> None:
    """Whoever stopped it, and whichever studio started it: the folder says all."""
    stopped_run(studio)
    told = owner.get("/api/training", params={"run": "run"}).json()
    assert (told["state"], told["epochs_done"], told["epochs"]) == ("stopped", 2, 9)
    assert told["labels"] == ["silence", "unknown", "up", "down"]
    assert told["confusion"][3][3] == 4
    assert len(told["history"]) == 2
    assert told["resume"] == "tinyml train kws --config runs/run/recipe.yaml --run runs/run --resume"
    assert owner.post("/api/training/resume", json={"run": "run"}).status_code == 200
    assert started == [
        ("train", "kws", "--config", "runs/run/logs/recipe.yaml", "--run", "runs/run", "--resume")
    ]


def test_an_ended_training_does_not_go_on(owner: TestClient, studio: Studio) -> None:
    stopped_run(studio, epochs=2)
    assert owner.get("/api/training", params={"run": "run"}).json()["state"] == "done"
    for act in ("resume", "stop"):
        assert owner.post(f"/api/training/{act}", json={"run": "run"}).status_code == 409


@pytest.mark.parametrize("act", ["stop", "resume"])
def test_no_run_outside_of_the_runs(owner: TestClient, studio: Studio, act: str) -> None:
    (studio.root / "elsewhere").mkdir()
    (studio.root / "runs").mkdir()
    for name, status in (("absent", 404), ("../elsewhere", 422), ("latest", 404), (".", 404), ("a\0b", 422)):
        answer = owner.post(f"/api/training/{act}", json={"run": name})
        assert answer.status_code == status, name


def test_a_damaged_state_is_no_training(owner: TestClient, studio: Studio) -> None:
    run = stopped_run(studio)
    (run / CHECKPOINT / "state.json").write_text('{"epochs_done": [')
    assert owner.get("/api/training", params={"run": "run"}).json()["state"] == "none"


def test_each_saved_epoch_is_a_change(studio: Studio) -> None:
    assert trainings._changes() == {}
    run = stopped_run(studio)
    before = trainings._changes()
    assert set(before) == {"run"}
    state = run / CHECKPOINT / "state.json"
    os.utime(state, ns=(1, 1))
    assert trainings._changes() != before


def test_a_run_of_a_newer_tinyml_is_told_as_such(owner: TestClient, studio: Studio) -> None:
    run = stopped_run(studio, epochs=2)
    (run / MANIFEST).write_text('{"schema_version": 99}')
    told = owner.get("/api/training", params={"run": "run"}).json()
    assert "schema 99" in told["problem"]
