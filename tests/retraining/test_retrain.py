"""tinyml retrain: the decision, from the trigger to the promotion."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import outcomes
from tests.conftest import Tinyml
from tests.model_registry.conftest import MakeRun
from tinyml_cli.data import snapshot
from tinyml_cli.model_registry.promote import promote
from tinyml_cli.model_registry.store import Store
from tinyml_cli.model_registry.versions import add
from tinyml_cli.retraining import challenger, data_gate
from tinyml_cli.run import RECIPE, Run

HALF = [True] * 20 + [False] * 20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for label in ("yes", "no"):
        for n in range(4):
            path = tmp_path / "data" / label / f"s{n}_nohash_0.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{label} {n}".encode().ljust(100))
    return tmp_path / "data"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, make_run: MakeRun) -> list[Path]:
    """Every call for a challenger; it comes without a training, its answers as `answers` says."""
    calls: list[Path] = []

    def make(path: Path, recipe: Any, champion: Run | None, limits: Any) -> Run:
        calls.append(path)
        return make_run(path.name, right=answers)

    monkeypatch.setattr(challenger, "make", make)
    monkeypatch.setattr(data_gate, "bad_files", lambda data: [])
    return calls


answers: Sequence[bool] = [True] * 40


@pytest.fixture
def champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Store, make_run: MakeRun, data: Path
) -> Run:
    """The champion of `lamp`, which was trained on `data`."""
    monkeypatch.chdir(tmp_path)
    run = make_run("first")
    run.file(RECIPE).write_text(f"task: kws\ndata_path: {data}\n")
    taken = snapshot.take(data, (0.1, 0.15))
    run.file(snapshot.SNAPSHOT).write_text(taken.text())
    manifest = run.manifest()
    run.record(manifest, snapshot.SNAPSHOT, "tinyml train")
    run.save(manifest)
    add(store, run, "lamp")
    assert promote(store, "lamp").promoted
    return run


def _record(data: Path, n: int) -> None:
    for label in ("yes", "no"):
        for number in range(n):
            (data / label / f"new{number}_nohash_0.wav").write_bytes(
                f"{label} new {number}".encode().ljust(100)
            )


def test_new_data_lead_to_one_training_and_one_promotion(
    tinyml: Tinyml, tmp_path: Path, store: Store, champion: Run, data: Path, made: list[Path]
) -> None:
    words = ("retrain", "lamp", "--when", "new-data", "--json")
    idle = tinyml(*words, cwd=tmp_path).json
    outcomes.check("retrain", idle)
    assert not idle["retrain"] and "0 new, changed or relabelled files" in idle["reason"]
    _record(data, 25)
    planned = tinyml(*words, "--dry-run", cwd=tmp_path).json
    assert planned["retrain"] and planned["dry_run"] and not made
    done = tinyml(*words, cwd=tmp_path).json
    outcomes.check("retrain", done)
    assert done["promoted"] and done["challenger"] == 2 and len(made) == 1
    report = Path(done["report"]).read_text()
    assert "50 new, changed or relabelled files" in report and "| champion |" in report
    assert store.index("lamp").champions == [1, 2]


def test_a_decision_is_not_made_twice(
    tinyml: Tinyml,
    tmp_path: Path,
    store: Store,
    champion: Run,
    made: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(globals(), "answers", HALF)
    words = ("retrain", "--when", "always", "--json")
    first = tinyml(*words, cwd=tmp_path).json
    assert not first["promoted"] and [g["gate"] for g in first["gates"] if g["result"] == "fail"] == [
        "champion"
    ]
    assert tinyml(*words, cwd=tmp_path).json == first
    assert len(made) == 1 and list(store.index("lamp").versions) == [1, 2]
    assert "stays the challenger" in tinyml(*words[:-1], cwd=tmp_path).out


def test_a_challenger_that_passes_can_stay_one(
    tinyml: Tinyml, tmp_path: Path, store: Store, champion: Run, made: list[Path]
) -> None:
    done = tinyml("retrain", "--when", "always", "--no-promote", "--json", cwd=tmp_path).json
    assert not done["promoted"] and store.index("lamp").aliases() == {"champion": 1, "challenger": 2}


def test_strange_data_stop_it_until_somebody_says_why(
    tinyml: Tinyml, tmp_path: Path, champion: Run, data: Path, made: list[Path]
) -> None:
    shutil.copytree(data / "yes", data / "maybe")
    words = ("retrain", "--when", "always")
    stopped = tinyml(*words, "--json", cwd=tmp_path, code=1).json
    outcomes.check("retrain", stopped)
    assert stopped["stopped"] and any("maybe" in fault for fault in stopped["data_faults"]) and not made
    assert "The reason is empty" in tinyml(*words, "--accept-data", " ", cwd=tmp_path, code=2).err
    done = tinyml(*words, "--accept-data", "a third word", "--json", cwd=tmp_path).json
    assert done["accepted"] == "a third word" and len(made) == 1


def test_age_goes_by_the_rules(tinyml: Tinyml, tmp_path: Path, champion: Run, made: list[Path]) -> None:
    words = ("retrain", "--when", "age", "--dry-run", "--json")
    assert not tinyml(*words, cwd=tmp_path).json["retrain"]
    (tmp_path / "retrain.yaml").write_text("age_days: 1.0e-9\n")
    assert tinyml(*words, cwd=tmp_path).json["retrain"]
    # One that fires suffices.
    assert tinyml("retrain", "--when", "new-data", *words[1:], cwd=tmp_path).json["retrain"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--when", "drift"], "--log"),
        (["--when", "weekly"], "drift, new-data, age, metric, always"),
        (["--when", "metric"], "budgets limit no measure"),
        ([], "--when"),
        (["lmap", "--when", "age"], "Did you mean `lamp`"),
    ],
)
def test_what_a_trigger_lacks_is_said(
    tinyml: Tinyml, tmp_path: Path, champion: Run, words: list[str], says: str
) -> None:
    assert says in tinyml("retrain", *words, cwd=tmp_path, code=2).err


def test_without_a_champion_there_is_nothing_to_beat(
    tinyml: Tinyml, tmp_path: Path, store: Store, make_run: MakeRun
) -> None:
    add(store, make_run("one"))
    assert "registry promote one" in tinyml("retrain", "--when", "always", cwd=tmp_path, code=2).err


@pytest.mark.slow
def test_a_real_challenger_starts_from_the_champion_and_is_the_same_again(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    """Trained twice from the same champion and data, in two folders: the same int8 model, byte for byte."""
    pytest.importorskip("tensorflow", reason="extra `train` is not installed")
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    project = tmp_path / "first"
    tinyml("init", "first", "--task", "hello", cwd=tmp_path)
    text = (project / "recipe.yaml").read_text().replace("epochs: 40", "epochs: 12")
    (project / "recipe.yaml").write_text(text)
    tinyml("train", "hello", "--config", "recipe.yaml", "--run", "runs/first", cwd=project)
    for stage in (["quantize"], ["convert"], ["export-c-array"], ["evaluate", "--on", "sim"], ["profile"]):
        tinyml(*stage, cwd=project)
    tinyml("registry", "add", cwd=project)
    tinyml("registry", "promote", "--override", "the first", cwd=project)
    again = shutil.copytree(project, tmp_path / "again" / "first")
    words = ("retrain", "--when", "always", "--json")
    one, two = (tinyml(*words, cwd=folder).json for folder in (project, again))
    outcomes.check("retrain", one)
    assert one["int8_sha256"] == two["int8_sha256"]
    assert {gate["gate"] for gate in one["gates"]} >= {"parity", "champion", "mean_error"}
    recipe = (project / one["run"] / "recipe.yaml").read_text()
    assert "champion.keras" in recipe
    metric = tinyml("retrain", "--when", "metric", "--dry-run", "--json", cwd=project).json
    assert metric["retrain"] is False and "mean_error" in metric["reason"]
    assert json.loads((project / one["run"] / "report" / "retrain.json").read_text()) == one
