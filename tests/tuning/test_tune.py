"""A search keeps its limits, shares its study, and loses no trial to a kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna", reason="the extra `tune` is not installed")

from tests.conftest import REPOSITORY
from tests.tracking.conftest import Kept
from tests.tuning.tunable_patterns import TunablePatterns
from tinyml_cli import recipes, registry
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import configs_dir
from tinyml_cli.profile.budget import parse_budget
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.recipes.vww import VwwRecipe
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tasks.kws.task import KWS
from tinyml_cli.tracking import seam
from tinyml_cli.tuning import helpers, outcome, study, worker
from tinyml_cli.tuning.tune import limits_of, tune

needs_sim = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None or shutil.which("arm-none-eabi-gcc") is None,
    reason="no QEMU or no Arm compiler here",
)
LIMIT = "instructions=400k"


def _recipe(epochs: int = 1) -> KwsRecipe:
    recipe = KwsRecipe(task="kws", seed=5).model_copy(update={"task": "patterns"})
    return worker.with_values(recipe, {"training.epochs": epochs, "model.options": {"filters": 4}})


@needs_sim
def test_a_search_keeps_its_limits_and_ends_in_a_run(tmp_path: Path, unsent: Kept) -> None:
    seam.want(dict)
    found = tune(_recipe(), parse_budget(LIMIT), 2, tmp_path / "study.log")
    assert found.counts.complete >= 2
    assert all(row.instructions <= 400_000 for row in found.trials)
    assert any(row.front for row in found.trials)
    best = Run(Path(found.run))
    manifest = best.manifest()
    best.require(manifest, MODEL_INT8)
    assert manifest.metrics["tune"]["value"] == max(row.value for row in found.trials)
    assert Path(found.picture).stat().st_size > 1000
    assert found.spent is not None and found.spent.level == "estimated"
    assert "estimated with" in outcome.sentence(found)
    seam.command_ended(0)
    search, *trials = sorted(unsent(), key=lambda events: events[0]["parent"])
    assert search[0]["title"] == "tune patterns" and len(trials) >= 2
    for events in trials:
        assert events[0]["parent"] == search[0]["id"] and events[0]["title"].startswith("trial ")
        told = [event for event in events if event["event"] == "metrics"]
        assert any("trial/instructions" in event["metrics"] for event in told)
        assert events[-1]["status"] == "FINISHED"
    opened = study.open_study(
        tmp_path / "study.log", worker.Search(_recipe(), parse_budget(LIMIT), 2, tmp_path).about
    )
    for trial in opened.get_trials(deepcopy=False):
        assert ("over" in trial.user_attrs) == (trial.user_attrs["instructions"] > 400_000)
        assert ("over" in trial.user_attrs) != bool(trial.user_attrs.get(study.TRAINED))


@needs_sim
@pytest.mark.slow
def test_what_no_network_keeps_is_said_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_CANDIDATES_PER_TRIAL", 1)
    monkeypatch.setattr(worker, "_trained", lambda *_: pytest.fail("trained"))
    with pytest.raises(TinymlError, match="Loosen the limits"):
        tune(_recipe(), parse_budget("instructions=1k"), 1, tmp_path / "study.log")


_CHILD = """
import sys
from pathlib import Path
from tinyml_cli import registry; registry._TRAINED["patterns"] = "tests.tuning.tunable_patterns:TASK"
from tests.tuning import test_tune
from tinyml_cli.profile.budget import parse_budget
from tinyml_cli.tuning.tune import tune
tune(test_tune._recipe(), parse_budget(test_tune.LIMIT), 1, Path(sys.argv[1]), only_work=True)
"""


@pytest.mark.slow
@needs_sim
@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_killed_worker_loses_no_trial(tmp_path: Path) -> None:
    marker, journal = tmp_path / "marker", tmp_path / "study.log"
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(journal)],
        cwd=REPOSITORY,
        env={**os.environ, "PATTERNS_TAKE_LONG": str(marker)},
    )
    try:
        deadline = time.monotonic() + 240
        while not marker.exists():
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        child.send_signal(signal.SIGKILL)
        child.wait()
        search = worker.Search(_recipe(), parse_budget(LIMIT), 1, tmp_path / "study-trials")
        opened = study.open_study(journal, search.about)
        (lost,) = [t for t in opened.get_trials(deepcopy=False) if t.state.name == "RUNNING"]
        worker.work(search, opened)
    finally:
        if child.poll() is None:
            child.kill()
    done = [t for t in opened.get_trials(deepcopy=False) if t.state.name == "COMPLETE"]
    assert [trial.params for trial in done] == [lost.params]
    assert outcome.counts(opened).as_dict() | {"over_limits": 0} == {
        "complete": 1, "over_limits": 0, "stopped_early": 0, "taken_up_again": 1, "running": 0,
    }  # fmt: skip


def test_another_search_cannot_join(tmp_path: Path) -> None:
    study.open_study(tmp_path / "study.log", {"recipe": "a", "limits": {}})
    study.open_study(tmp_path / "study.log", {"recipe": "a", "limits": {}})
    with pytest.raises(TinymlError, match=r"different options \(limits\)"):
        study.open_study(tmp_path / "study.log", {"recipe": "a", "limits": {"ram": 1}})


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / "study.log").write_bytes(b"\x00\xff not a journal\n" * 5)
    with pytest.raises(TinymlError, match=r"study\.log.*--study"):
        study.open_study(tmp_path / "study.log", {})


def test_a_living_process_keeps_its_trial(tmp_path: Path) -> None:
    opened = study.open_study(tmp_path / "study.log", {})
    trial = opened.ask()
    opened._storage.set_trial_user_attr(trial._trial_id, "worker", f"elsewhere:{os.getpid()}")
    opened._storage.set_trial_user_attr(trial._trial_id, "beat", time.time())
    assert study.revive(opened) == 0
    opened._storage.set_trial_user_attr(trial._trial_id, "beat", time.time() - 1000)
    assert study.revive(opened) == 1


def test_poor_short_trainings_are_stopped(tmp_path: Path) -> None:
    opened = study.open_study(tmp_path / "study.log", {})
    for value in (0.5, 0.6, 0.7, 0.8):
        opened.ask().set_user_attr("short", value)
    assert worker._is_poor(0.6, opened)
    assert not worker._is_poor(0.7, opened)


def test_limits_are_read_as_sizes() -> None:
    assert {limit.name: limit.most for limit in limits_of("60k", "40k", "150")} == {
        "flash": 61440, "ram": 40960, "ms": 150,
    }  # fmt: skip
    assert limits_of(None, None, None) == []
    with pytest.raises(TinymlError, match="ram"):
        limits_of(None, "much", None)


@pytest.mark.parametrize("place", ["local", "ray"])
def test_workers_are_started_where_they_are_wanted(
    place: helpers.Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == "ray":
        pytest.importorskip("ray", reason="the extra `ray` is not installed")
    monkeypatch.chdir(tmp_path)
    script = "import os, pathlib; pathlib.Path(str(os.getpid())).touch()"
    started = helpers.start([sys.executable, "-c", script], 2, place)
    for helper in started:
        helper.wait()
    assert len([path for path in tmp_path.iterdir() if path.name.isdigit()]) == 2


def test_without_ray_the_next_step_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(TinymlError, match=r"tinyml-cli\[ray\]"):
        helpers.start([sys.executable], 1, "ray")


class _Lowest:
    """Suggests the first of everything."""

    name = "kws"

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        return low

    def suggest_categorical(self, name: str, choices: list[str]) -> str:
        return choices[0]

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        return low


@pytest.mark.parametrize("recipe", [KwsRecipe(), VwwRecipe(), WandRecipe()])
def test_what_a_task_varies_is_a_valid_recipe(recipe: BaseRecipe) -> None:
    task = registry.task(recipe.task)
    changed = worker.with_values(recipe, task.search_space(_Lowest(), recipe))
    assert type(changed) is type(recipe) and changed != recipe


@pytest.mark.parametrize("name", ["kws", "kws_stream"])
def test_a_search_starts_at_the_network_it_has_to_beat(tmp_path: Path, name: str) -> None:
    recipe = recipes.load_as(configs_dir() / f"{name}.yaml", KwsRecipe)
    opened = study.open_study(tmp_path / "study.log", {}, KWS.search_start(recipe))
    first = worker.with_values(recipe, KWS.search_space(opened.ask(), recipe))
    assert isinstance(first, KwsRecipe)
    assert first.model == recipe.model
    assert first.training.learning_rate == recipe.training.learning_rate
    again = study.open_study(tmp_path / "study.log", {}, KWS.search_start(recipe))
    assert again.ask().params == {}, "another worker suggests networks of its own"


@needs_sim
@pytest.mark.slow
def test_a_network_that_answers_the_same_to_everything_is_measured() -> None:
    class Untrained(TunablePatterns):
        def build_model(self, recipe: Any) -> Any:
            model = super().build_model(recipe)
            for weight in model.trainable_weights:
                weight.assign(0 * weight)
            return model

    figures, over = worker.feasible(Untrained(), _recipe(), parse_budget(LIMIT))
    assert figures["instructions"] > 1000 and not over


def test_workers_suggest_different_networks_and_a_seed_the_same_again(tmp_path: Path) -> None:
    space = KWS.search_space

    def searched(name: str) -> list[dict[str, Any]]:
        """Two workers that ask in turn, and one that goes on after them."""
        workers = [study.open_study(tmp_path / name, {}) for _ in range(2)]
        trials = [study.ask(workers[turn % 2], 7) for turn in range(6)]
        trials.append(study.ask(study.open_study(tmp_path / name, {}), 7))
        return [space(trial, KwsRecipe()) for trial in trials]

    first = searched("a.log")
    assert len({str(values) for values in first}) == 7
    assert searched("b.log") == first


def test_a_network_of_another_kind_starts_nothing() -> None:
    assert KWS.search_start(KwsRecipe.model_validate({"model": {"name": "tiny_conv"}})) == {}


def test_a_task_without_a_space_says_so() -> None:
    with pytest.raises(TinymlError, match="`anomaly` has no search space"):
        registry.task("anomaly").search_space(_Lowest(), None)
