"""Tasks by name, and what a task must bring to be trained."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import NoReturn

import pytest

from tinyml_cli import recipes, registry
from tinyml_cli.build import project, target
from tinyml_cli.errors import TinymlError
from tinyml_cli.run import Run
from tinyml_cli.tasks.spec import TaskSpec


class Half(TaskSpec):
    """Can be judged and played to a board, but not trained."""

    name = "half"

    def evaluation(self, *_: object, **__: object) -> NoReturn:
        raise AssertionError

    def write_replay(self, run: Run, items_per_label: int) -> Path:
        return run.path


HALF = Half()


@pytest.mark.parametrize("name", registry.built_in())
def test_every_built_in_task_can_be_trained(name: str) -> None:
    assert registry.trained_task(name).name == name


def test_applications_drive_what_their_tasks_say() -> None:
    driven = {app: target.peripherals(app) for app in project.applications()}
    used = {app: needs for app, needs in driven.items() if needs}
    assert used == {"vww": {"camera"}, "cascade": {"camera"}, "wand": {"bluetooth"}}
    assert {registry.task(name).firmware_app for name in registry.built_in()} <= set(driven)


def test_a_task_without_its_parts_is_refused_by_name_of_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._TRAINED, "half", f"{__name__}:HALF")
    assert registry.task("half") is HALF  # enough to open its runs
    with pytest.raises(TinymlError, match="lacks train, calibration_samples"):
        recipes.resolve("half", None, [], {})


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("no_such_package:TASK", "No module named"),
        (f"{__name__}:NOTHING", "NOTHING"),
        (f"{__name__}:Half", "must extend"),
    ],
)
def test_a_package_that_does_not_work_is_named(
    place: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = metadata.EntryPoint("broken", place, "tinyml.tasks")
    monkeypatch.setattr(registry, "_points", lambda: {"broken": point})
    assert registry.installed() == {"broken": f"A task of {place.partition('.')[0].partition(':')[0]}."}
    with pytest.raises(TinymlError, match=f"`broken`.*{says}"):
        registry.task("broken")


@pytest.mark.parametrize("name", ["cascade", "model"])
def test_what_stands_for_a_task_is_not_trained(name: str, tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match=f"Unknown task `{name}`"):
        registry.trained_task(name)
    with pytest.raises(TinymlError, match=f"`{name}` has no training"):
        registry.task(name).train(Run(tmp_path), None)
