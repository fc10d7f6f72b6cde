"""tinyml check: budgets and gates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import outcomes
from tests.conftest import Tinyml
from tests.project.conftest import measured_on_board
from tinyml_cli.project import budgets, gates
from tinyml_cli.run import MODEL_INT8, Run


def test_a_run_that_keeps_every_budget_passes(tinyml: Tinyml, project: Path, run: Run) -> None:
    measured_on_board(run)
    answer = tinyml("check", "runs/first", "--json", cwd=project)
    outcomes.check("check", answer.json)
    assert answer.json["passed"] and {gate["result"] for gate in answer.json["gates"]} == {"pass"}
    assert "passes all" in tinyml("check", "runs/first", cwd=project).out


def test_what_was_not_measured_does_not_pass(tinyml: Tinyml, project: Path) -> None:
    answer = tinyml("check", "runs/first", "--json", cwd=project, code=1)
    results = {gate["gate"]: gate["result"] for gate in answer.json["gates"]}
    missing = {name for name, result in results.items() if result == "not measured"}
    assert missing == {"parity", "flash_bytes", "ram_bytes", "inference_ms"}
    assert "tinyml evaluate runs/first --on sim" in str(answer.json["gates"])


_FIGURES = {"flash_bytes": 15_368, "ram_bytes": 13_336, "arena_bytes": 32, "inference_ms": 0.04}


@pytest.mark.parametrize("name", sorted(_FIGURES))
def test_a_budget_is_kept_up_to_the_limit_and_no_further(project: Path, run: Run, name: str) -> None:
    measured_on_board(run)
    for limit, result in ((_FIGURES[name], "pass"), (_FIGURES[name] - 0.01, "fail")):
        if isinstance(limit, float) and name.endswith("bytes"):
            limit = _FIGURES[name] - 1
        limits = budgets.Budgets.model_validate({name: limit})
        found = {gate.gate: gate for gate in gates.judge_run(run, limits)}[name]
        assert (found.result, found.limit) == (result, limit)
        assert bool(found.reason) == (result == "fail")


def test_every_budget_can_be_set_and_is_judged(run: Run) -> None:
    names = {name for name, field in budgets.Budgets.model_fields.items() if field.default is None}
    assert names == set(gates.BUDGET_KINDS)
    limits = budgets.Budgets.model_validate(dict.fromkeys(names, 1))
    found = [gate.gate for gate in gates.judge_run(run, limits)]
    assert names <= set(found) and len(found) == len(set(found))


def test_a_budget_that_the_task_cannot_have_is_told_as_such(run: Run) -> None:
    names = ("auc", "accuracy", "worst_recall", "worst_group", "fairness_gap", "false_accepts_per_hour")
    found = gates.judge_run(run, budgets.Budgets.model_validate(dict.fromkeys(names, 1)))
    told = {gate.gate: gate.reason for gate in found if "no such figure: remove the line" in gate.reason}
    assert set(told) == set(names) and "`hello`" in told["auc"]


def test_bytes_that_differ_on_the_board_fail(project: Path, run: Run) -> None:
    measured_on_board(run, mismatches=3)
    found = {gate.gate: gate for gate in gates.judge_run(run, budgets.load(project / "budgets.yaml"))}
    assert found["parity"].result == "fail" and "3 of 100" in found["parity"].reason


def test_figures_of_an_older_model_do_not_count(tinyml: Tinyml, project: Path, run: Run) -> None:
    measured_on_board(run)
    run.file(MODEL_INT8).write_bytes(run.file(MODEL_INT8).read_bytes() + b"\0")
    manifest = run.manifest()
    run.record(manifest, MODEL_INT8, "tinyml convert")
    run.save(manifest)
    gates_found = tinyml("check", "runs/first", "--json", cwd=project, code=1).json["gates"]
    results = {gate["gate"]: gate["result"] for gate in gates_found}
    assert results["mean_error"] == results["flash_bytes"] == results["inference_ms"] == "not measured"


def test_a_changed_model_fails_by_name(tinyml: Tinyml, project: Path, run: Run) -> None:
    measured_on_board(run)
    run.file(MODEL_INT8).write_bytes(b"another")
    answer = tinyml("check", "runs/first", cwd=project, code=1)
    assert f"model: `{MODEL_INT8}` is not the file" in answer.out.replace("\n", " ")


def test_another_recipe_than_the_runs_fails(tinyml: Tinyml, project: Path, run: Run) -> None:
    measured_on_board(run)
    text = (project / "recipe.yaml").read_text()
    (project / "recipe.yaml").write_text(text.replace("seed: 1", "seed: 2"))
    answer = tinyml("check", "runs/first", "--json", cwd=project, code=1)
    failed = [gate for gate in answer.json["gates"] if gate["result"] != "pass"]
    assert [gate["gate"] for gate in failed] == ["recipe"]
    assert ". Run tinyml train hello" in failed[0]["reason"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("accuracy: high", "`accuracy` must be a number from 0 to 1, not `high`"),
        ("accuracy: 95", "from 0 to 1"),
        ("accuracy:", "`accuracy` has no value"),
        ("accuracy: .nan", "finite"),
        ("flash_bytes: -1", "flash_bytes"),
        ("flash_bytes: 1.5", "flash_bytes"),
        ("acuracy: 0.9", "Did you mean `accuracy`?"),
        ("version: 2", "pip install --upgrade"),
        ("version: 2\nnew_budget: 3", "pip install --upgrade"),
        ("board: nano", "nano33ble"),
        ("- accuracy", "not a mapping"),
        ("accuracy: 0.9\naccuracy: 0.8", "twice"),
        ("a: [", "Cannot read"),
        ("", "it is empty"),
        (" \n", "it is empty"),
    ],
)
def test_a_budget_that_is_none_is_refused(tinyml: Tinyml, project: Path, text: str, says: str) -> None:
    (project / "budgets.yaml").write_text(text)
    answer = tinyml("check", "runs/first", "--json", cwd=project, code=2)
    assert says in json.dumps(answer.json["error"], ensure_ascii=False)


def test_without_budgets_the_way_to_them_is_said(tinyml: Tinyml, project: Path) -> None:
    assert "tinyml init" in tinyml("check", "runs/first", "--budgets", "none.yaml", cwd=project, code=2).err
