"""tinyml retrain: the decision, from the trigger to the promotion."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import outcomes
from tests.conftest import Tinyml
from tests.model_registry.conftest import MakeRun
from tinyml_cli import registry
from tinyml_cli.data import snapshot
from tinyml_cli.drift.columns import reference_of, sound_values
from tinyml_cli.errors import TinymlError
from tinyml_cli.model_registry.promote import promote
from tinyml_cli.model_registry.store import Store
from tinyml_cli.model_registry.versions import add
from tinyml_cli.retraining import challenger, data_gate
from tinyml_cli.retraining import retrain as retrain_module
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.tasks.spec import TaskSpec

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
        return Run(path) if path.exists() else make_run(path.name, right=answers)

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


def _record(data: Path, n: int, length: int = 100) -> None:
    for label in ("yes", "no"):
        for number in range(n):
            (data / label / f"new{number}_nohash_0.wav").write_bytes(
                f"{label} new {number}".encode().ljust(length)
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
    assert tinyml(*words, cwd=tmp_path).json == tinyml(*words, "--dry-run", cwd=tmp_path).json == first
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


def test_files_of_another_size_stop_it(
    tinyml: Tinyml, tmp_path: Path, champion: Run, data: Path, made: list[Path]
) -> None:
    _record(data, 25, length=300)
    stopped = tinyml("retrain", "--when", "new-data", "--json", cwd=tmp_path, code=1).json
    assert stopped["stopped"] and any("other sizes" in fault for fault in stopped["data_faults"]) and not made


@pytest.fixture
def watched(store: Store, champion: Run) -> Run:
    """The champion, which knows what its inputs and scores looked like."""
    manifest = champion.manifest()
    outputs = np.random.default_rng(1).integers(-128, 128, (300, 2)).astype(np.int8)
    frames = np.random.default_rng(2).integers(0, 600, (3000, 8)).astype(np.uint16)
    manifest.reference = reference_of(sound_values(manifest.labels, outputs, frames), "test")
    champion.save(manifest)
    add(store, champion, "lamp")
    assert promote(store, "lamp", override="knows its inputs").promoted
    return champion


def _log(path: Path, low: int, high: int) -> Path:
    """A board's log: features between two limits, scores that are anything."""
    rng = np.random.default_rng(3)
    events: list[dict[str, Any]] = []
    for index in range(300):
        frame = rng.integers(low, high, 8).astype("<u2").tobytes().hex()
        events.append({"event": "scores", "t_ms": index, "q": rng.integers(-128, 128, 2).tolist()})
        events.append({"event": "features", "frame": index, "data": frame})
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def test_drift_in_a_log_leads_to_a_challenger(
    tinyml: Tinyml, tmp_path: Path, store: Store, watched: Run, made: list[Path]
) -> None:
    usual, drifted = _log(tmp_path / "usual.jsonl", 0, 600), _log(tmp_path / "new.jsonl", 200, 800)
    words = ("retrain", "lamp", "--when", "drift", "--json", "--log")
    idle = tinyml(*words, usual, cwd=tmp_path).json
    assert not idle["retrain"] and "drift" in idle["reason"].lower() and not made
    (tmp_path / "retrain.yaml").write_text("psi: 100\nks: 0.99\n")  # a project that takes it easy
    assert not tinyml(*words, drifted, cwd=tmp_path).json["retrain"]
    (tmp_path / "retrain.yaml").unlink()
    planned = tinyml(*words, drifted, "--dry-run", cwd=tmp_path).json
    assert planned["retrain"] and "feature channel" in planned["reason"] and not made
    done = tinyml(*words, drifted, cwd=tmp_path).json
    outcomes.check("retrain", done)
    assert done["promoted"] and len(made) == 1 and store.index("lamp").champion == done["challenger"]
    assert "feature channel" in Path(done["report"]).read_text()
    heard = json.dumps({"time": "2020-01-01T00:00:00.000+00:00", "event": "led"})
    drifted.write_text(f"{drifted.read_text()}{heard}\n")
    again = tinyml(*words, drifted, cwd=tmp_path).json
    assert not again["retrain"] and "log ends before the champion" in again["reason"] and len(made) == 1


@pytest.mark.parametrize("step", ["add", "judge", "promote", "_report"])
@pytest.mark.parametrize("after", [False, True])
def test_a_call_that_is_killed_promotes_wholly_or_not_at_all(
    tinyml: Tinyml,
    tmp_path: Path,
    store: Store,
    champion: Run,
    made: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    after: bool,
) -> None:
    """Before or after each thing that it does when the challenger is trained."""
    whole = getattr(retrain_module, step)

    def killed(*arguments: Any, **options: Any) -> Any:
        if after:
            whole(*arguments, **options)
        raise KeyboardInterrupt

    words = ("retrain", "lamp", "--when", "always", "--json")
    with monkeypatch.context() as patch:
        patch.setattr(retrain_module, step, killed)
        tinyml(*words, cwd=tmp_path, code=130)
    assert tinyml("registry", "verify", cwd=tmp_path).code == 0
    index = store.index("lamp")
    is_promoted = index.champions == [1, 2]
    assert is_promoted == ((step, after) in {("promote", True), ("_report", False), ("_report", True)})
    again = tinyml(*words, cwd=tmp_path).json
    if (step, after) != ("_report", True):  # it goes on where it was
        assert again["promoted"] and (again["champion"], again["challenger"]) == (1, 2)
        assert {path.name for path in made} == {made[0].name}
        assert store.index("lamp").champions == [1, 2]
        assert json.loads(Path(again["report"]).with_suffix(".json").read_text()) == again
    if (step, after) == ("promote", True):  # what was reported late is not reported again
        assert tinyml(*words, cwd=tmp_path).json["champion"] == 2


def test_after_a_rollback_a_decision_is_told_as_the_past(
    tinyml: Tinyml, tmp_path: Path, champion: Run, made: list[Path]
) -> None:
    words = ("retrain", "lamp", "--when", "always")
    tinyml(*words, cwd=tmp_path)
    tinyml("registry", "rollback", "lamp", cwd=tmp_path)
    answer = tinyml(*words, cwd=tmp_path)
    said = " ".join((answer.out + answer.err).split())
    assert "The champion now: lamp@1." in said and "lamp@2 became the champion, instead of 1" in said


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
        (["--when", "weekly"], "drift, fleet, new-data, age, metric, always"),
        (["--when", "metric"], "budgets limit no measure"),
        ([], "--when"),
        (["lmap", "--when", "age"], "Did you mean `lamp`"),
    ],
)
def test_what_a_trigger_lacks_is_said(
    tinyml: Tinyml, tmp_path: Path, champion: Run, words: list[str], says: str
) -> None:
    assert says in tinyml("retrain", *words, cwd=tmp_path, code=2).err


def test_a_task_without_a_drift_rule_is_told_so(tmp_path: Path, champion: Run, tinyml: Tinyml) -> None:
    manifest = champion.manifest()
    champion.save(manifest.model_copy(update={"task": "hello"}))
    (log := tmp_path / "log.jsonl").write_text('{"event": "x"}\n')
    assert "no drift rule" in tinyml("drift", champion.path, log, cwd=tmp_path, code=2).err
    promote(store := Store.open(None), f"lamp@{add(store, champion, 'lamp').number}", override="a test")
    for words in ([], ["--log", log]):
        said = tinyml("retrain", "lamp", "--when", "drift", *words, cwd=tmp_path, code=2).err
        assert "`hello` has no drift rule" in said and "age, metric or always" in said
        assert "tinyml evaluate" not in said and "--log" not in said


def test_every_task_with_quantities_of_drift_says_what_keeps_them() -> None:
    for task in map(registry.task, registry.built_in()):
        has_values = type(task).drift_values is not TaskSpec.drift_values
        assert bool(task.drift_kept_by) == has_values, task.name


def test_data_for_a_task_that_takes_none_are_refused(tmp_path: Path, data: Path) -> None:
    (tmp_path / RECIPE).write_text("task: hello\n")
    with pytest.raises(TinymlError, match="`hello` takes no data"):
        challenger.recipe_of(Run(tmp_path), None, data)
    assert challenger.recipe_of(Run(tmp_path), None, None).task == "hello"


def test_a_champion_of_a_newer_tinyml_is_left_alone(
    tinyml: Tinyml, tmp_path: Path, store: Store, champion: Run, made: list[Path]
) -> None:
    champion.file(RECIPE).write_text(champion.file(RECIPE).read_text() + "novelty: 3\n")
    add(store, champion, "lamp")
    promote(store, "lamp", override="newer")
    answer = tinyml("retrain", "--when", "always", cwd=tmp_path, code=2)
    assert "novelty" in answer.err and "pip install --upgrade" in answer.err
    assert not made and store.index("lamp").champions == [1, 2]


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
    words = ("retrain", "--when", "metric", "--dry-run", "--json")
    metric = tinyml(*words, cwd=project).json
    assert metric["retrain"] is False and "mean_error" in metric["reason"]
    (project / "strict.yaml").write_text("mean_error: 0.0001\n")
    metric = tinyml(*words, "--budgets", "strict.yaml", cwd=project).json
    assert metric["retrain"] is True and "mean_error" in metric["reason"]
    assert json.loads((project / one["run"] / "report" / "retrain.json").read_text()) == one
