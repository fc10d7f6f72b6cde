"""tinyml init: a project that works at once."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Tinyml
from tinyml_cli import recipes, registry
from tinyml_cli.card import answers
from tinyml_cli.files import configs_dir
from tinyml_cli.project import budgets, rules, scaffold


@pytest.mark.parametrize(("task", "ci"), zip(registry.built_in(), itertools.cycle(["github", "gitlab"])))
def test_every_file_of_a_project_can_be_read(tmp_path: Path, task: str, ci: str) -> None:
    project = tmp_path / "a-1_b.c"
    made = scaffold.make_project(project, task, ci)
    assert set(made.files) == {
        path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()
    }
    assert recipes.load(project / "recipe.yaml").task == task
    assert any(line.lstrip().startswith("#") for line in (project / "recipe.yaml").open())
    limits = budgets.load(project / "budgets.yaml").model_dump(exclude_none=True)
    assert limits.items() >= dict(registry.task(task).budgets).items()
    assert ("--data" in (project / "Makefile").read_text()) == recipes.schema_of(task).takes_data
    assert rules.load(project / "retrain.yaml") == rules.RetrainRules()
    assert len(answers.open_questions(answers.read(project / "card.md"))) == len(answers.QUESTIONS)
    for path in [*project.rglob("*.y*ml")]:
        assert isinstance(yaml.safe_load(path.read_text()), dict)


def test_a_project_begins_with_the_recipe_that_train_begins_with(tmp_path: Path) -> None:
    scaffold.make_project(tmp_path / "lamp", "kws", None)
    assert (tmp_path / "lamp" / "recipe.yaml").read_text() == (configs_dir() / "kws_stream.yaml").read_text()


def test_ci_runs_what_people_run(tmp_path: Path) -> None:
    for ci in ("github", "gitlab"):
        project = tmp_path / ci
        scaffold.make_project(project, "kws", ci)
        assert script_of(project, ci) == ["make"]
        texts = (project / scaffold.CI_FILES[ci]).read_text()
        assert f"runs/{ci}/report/" in texts and "<<" not in texts


@pytest.mark.slow
@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_the_lines_of_the_ci_file_train_measure_and_check(tinyml: Tinyml, tmp_path: Path, ci: str) -> None:
    """In a fresh clone, without a network, as the CI's own shell runs them."""
    _require_tools()
    tinyml("init", "first", "--task", "hello", "--ci", ci, cwd=tmp_path)
    clone, environment = _cloned(tmp_path)

    def run_script() -> str:
        return _run_script(clone, ci, environment)

    said = run_script()
    assert "passes all 7 gates" in said and "tinyml train hello" in said
    assert (clone / "runs" / "first" / "report" / "report.html").is_file()
    again = run_script()
    assert "tinyml check" in again and "tinyml train" not in again and "tinyml evaluate" not in again
    # A budget that cannot be kept stops Make, and so the CI.
    limits = clone / "budgets.yaml"
    limits.write_text(limits.read_text().replace("mean_error: 0.05", "mean_error: 0.0001"))
    stopped = subprocess.run(["make"], cwd=clone, env=environment, capture_output=True, text=True)
    assert stopped.returncode and "mean_error" in stopped.stdout + stopped.stderr


_IMAGES = {"stem_filters": 8, "blocks": [[16, 2], [32, 2], [32, 1]]}
# What makes a training of each task short.
_SHORT: dict[str, dict[str, Any]] = {
    "kws": {
        "words": ["up", "down"],
        "model.options": {"stem_filters": 16, "blocks": [[32, 2, 3], [32, 1, 3]]},
        "training.epochs": 12,
        "training.learning_rate": 0.004,
        "training.batch_size": 32,
        "augmentation.copies": 4,
    },
    "vww": {
        "image.size": 16,
        "model.name": "vww_micro",
        "model.options": _IMAGES,
        "training.epochs": 6,
        "training.batch_size": 32,
        "training.weight_average": 0.9,
        "training.learning_rate": 0.01,
    },
    "wand": {"stroke.generated_per_label": 60, "training.epochs": 6, "training.epoch_examples": 640},
    "anomaly": {"simulation.session_s": 30, "training.epochs": 25, "threshold.fpr": 0.05},
}


@pytest.mark.nightly
@pytest.mark.parametrize(("task", "ci"), zip(_SHORT, itertools.cycle(["gitlab", "github"])))
def test_the_lines_of_the_ci_file_do_for_every_task(
    tinyml: Tinyml, tmp_path: Path, corpus: Path, task: str, ci: str
) -> None:
    """As above; keyword spotting on data of one's own, which Git ignores."""
    _require_tools()
    tinyml("init", "first", "--task", task, "--ci", ci, cwd=tmp_path)
    recipe = tmp_path / "first" / "recipe.yaml"
    document = yaml.safe_load(recipe.read_text())
    for key, value in _SHORT[task].items():
        *parents, leaf = key.split(".")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = value
    recipe.write_text(yaml.safe_dump(document))
    limits = tmp_path / "first" / "budgets.yaml"
    limits.write_text(
        re.sub(r"^(accuracy|worst_recall|auc): 0.\d+", r"\1: 0.5", limits.read_text(), flags=re.M)
    )
    clone, environment = _cloned(tmp_path)
    if task == "kws":
        for folder in corpus.iterdir():
            shutil.copytree(folder, clone / "data" / folder.name)
    said = _run_script(clone, ci, environment)
    assert "passes all" in said and f"tinyml train {task}" in said
    assert (clone / "data-snapshot.json").is_file() == (task == "kws")
    assert (clone / "runs" / "first" / "report" / "report.html").is_file()


def _require_tools() -> None:
    needed = ("make", "git", "arm-none-eabi-gcc", "qemu-system-arm")
    if missing := [tool for tool in needed if shutil.which(tool) is None]:
        pytest.skip(f"needs {', '.join(missing)}")


def _cloned(folder: Path) -> tuple[Path, dict[str, str]]:
    """A clone of the project `first`, and an environment in which its scripts find this tinyml."""
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "Begin"]):
        subprocess.run(["git", *words], cwd=folder / "first", check=True)
    subprocess.run(["git", "clone", "-q", "first", "clone"], cwd=folder, check=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return folder / "clone", {**os.environ, "PATH": path, "TF_NUM_INTRAOP_THREADS": "1"}


def _run_script(clone: Path, ci: str, environment: dict[str, str]) -> str:
    """What the lines of the CI's file print."""
    lines = "\n".join(["set -eo pipefail", *script_of(clone, ci)])
    done = subprocess.run(["bash", "-c", lines], cwd=clone, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def script_of(project: Path, ci: str) -> list[str]:
    """The lines that the CI runs after the installation."""
    document: Any = yaml.safe_load((project / scaffold.CI_FILES[ci]).read_text())
    if ci == "gitlab":
        script: list[str] = document["model"]["script"]
        return script
    steps = document["jobs"]["model"]["steps"]
    runs = [step["run"] for step in steps if "run" in step and step.get("name") != "Install"]
    return [line for run in runs for line in run.splitlines()]


@pytest.mark.parametrize("name", ["two words", "a$b", "-a", "a:b", "a#b", ".hidden", "con", "a%b", "x" * 80])
def test_a_name_that_make_cannot_take_is_refused(tinyml: Tinyml, tmp_path: Path, name: str) -> None:
    answer = tinyml("init", "--task", "hello", "--json", "--", name, cwd=tmp_path, code=2)
    assert answer.json["error"]["where"] == "NAME"
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_left_alone(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear")
    (tmp_path / "file").write_text("text")
    for name in ("mine", "file"):
        answer = tinyml("init", name, "--task", "hello", cwd=tmp_path, code=2)
        assert "nothing was written" in answer.err and "Choose another name" in answer.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["diary.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine"]


def test_the_folder_that_one_is_in_will_do(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    before = (tmp_path / "here").stat().st_ino
    tinyml("init", ".", "--task", "hello", cwd=tmp_path / "here")
    assert (tmp_path / "here").stat().st_ino == before
    assert "runs/here" in (tmp_path / "here" / "Makefile").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here"]


def test_an_empty_folder_will_do(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    made = tinyml("init", "new", "--task", "wand", "--json", cwd=tmp_path).json
    assert made["task"] == "wand" and "Makefile" in made["files"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--task", "kwz"], "kws"), (["--task", "hello", "--ci", "gitub"], "github"), ([], "--task")],
)
def test_a_mistyped_option_is_answered(
    tinyml: Tinyml, tmp_path: Path, arguments: list[str], says: str
) -> None:
    assert says in tinyml("init", "a", *arguments, cwd=tmp_path, code=2).err
    assert list(tmp_path.iterdir()) == []
