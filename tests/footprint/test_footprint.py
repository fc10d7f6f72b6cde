"""tinyml footprint: sums of trainings, and inference against them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests import outcomes
from tests.conftest import Tinyml
from tests.model_registry.conftest import MakeRun
from tinyml_cli.documents import load_json
from tinyml_cli.evaluation.frame import METRICS
from tinyml_cli.files import write_atomic
from tinyml_cli.model_registry.store import Store
from tinyml_cli.model_registry.versions import add
from tinyml_cli.run import MODEL, MODEL_INT8, Run


def _trained(run: Run, seconds: float | None, energy_j: float | None = None) -> Run:
    manifest = run.manifest()
    figures = {"seconds": seconds, "energy_j": energy_j}
    manifest.metrics["train"] = {name: value for name, value in figures.items() if value is not None}
    run.file(MODEL).write_bytes(run.path.name.encode())
    run.record(manifest, MODEL, "tinyml train")
    run.save(manifest)
    return run


def test_measured_and_estimated_trainings_add_up(
    tinyml: Tinyml, tmp_path: Path, store: Store, make_run: MakeRun
) -> None:
    _trained(make_run("estimated"), 3600)
    _trained(make_run("measured"), 3600, energy_j=72_000)
    _trained(make_run("unknown"), None)
    gone = _trained(make_run("gone"), 1800)
    add(store, gone, "lamp")
    shutil.rmtree(gone.path)
    run = Run(tmp_path / "runs" / "estimated")
    shutil.copytree(run.path, run.path / "variants" / "pruned")  # no training of its own
    sha256 = run.manifest().artifacts[MODEL_INT8].sha256
    write_atomic(run.file("report/profile.json"), f'{{"model_sha256": "{sha256}", "energy_uj": 36.0}}')
    words = ("footprint", "runs/estimated", "--inferences-per-day", "1e6", "--devices", "10")
    found = tinyml(*words, "--json", cwd=tmp_path).json
    outcomes.check("footprint", found)
    levels = {each["run"]: (each["level"], each["energy_kwh"]) for each in found["trainings"]}
    assert levels == {
        "estimated": ("estimated", pytest.approx(0.065)),
        "measured": ("measured", pytest.approx(0.02)),
        "lamp@1": ("estimated", pytest.approx(0.0325)),
    }
    assert found["unknown"] == ["unknown"] and found["energy_kwh"] == pytest.approx(0.1175)
    assert found["grams_co2e"] == pytest.approx(0.1175 * 480)
    assert found["measured_share"] == pytest.approx(0.02 / 0.1175)
    use = found["inference"]
    assert use["energy_kwh_per_day"] == pytest.approx(1e-4)
    assert use["days_until_training"] == pytest.approx(1175)
    said = tinyml(*words, cwd=tmp_path).out.replace("\n", " ")
    assert "as much as all trainings after 1,175 days" in said and "Of unknown length: unknown" in said


def test_trainings_that_were_replaced_or_removed_count_as_well(
    tinyml: Tinyml, tmp_path: Path, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = _trained(make_run("lamp"), 100)
    model = run.manifest().artifacts[MODEL].sha256
    entries = [
        {"run": "lamp", "model": "", "seconds": 50.0},  # stopped
        {"run": "lamp", "model": model, "seconds": 100.0, "energy_j": 36.0, "energy_source": "RAPL"},
        {"run": "gone", "model": "c" * 64, "seconds": 200.0, "energy_j": 72.0, "energy_is_estimated": True},
    ]
    ledger = "".join(json.dumps({"at": 0, **entry}) + "\n" for entry in entries)
    (tmp_path / "runs" / ".energy.jsonl").write_text(ledger)
    shutil.copytree(run.path, tmp_path / "runs" / "copy")  # the same training
    found = tinyml("footprint", "--json", cwd=tmp_path).json
    rows = {each["run"]: (each["trainings"], each["seconds"], each["level"]) for each in found["trainings"]}
    assert rows == {"lamp": (2, 150, "estimated"), "gone": (1, 200, "estimated")}
    assert found["seconds"] == 350
    assert found["energy_kwh"] == pytest.approx((50 * 65 + 36 + 72) / 3.6e6)
    assert found["measured_share"] == pytest.approx(36 / (50 * 65 + 36 + 72))


def test_without_runs_the_sums_are_nothing(tinyml: Tinyml, tmp_path: Path) -> None:
    found = tinyml("footprint", "--json", cwd=tmp_path).json
    assert found["trainings"] == [] and found["energy_kwh"] == found["measured_share"] == 0


@pytest.mark.parametrize("words", [("nope",), ("--devices", "10")])
def test_a_run_or_devices_without_a_duty_cycle_are_refused(
    tinyml: Tinyml, tmp_path: Path, words: tuple[str, ...]
) -> None:
    answer = tinyml("footprint", *words, cwd=tmp_path, code=2)
    assert "Give --inferences-per-day" in answer.err and not answer.out


def test_inference_needs_a_profile(tinyml: Tinyml, tmp_path: Path, make_run: MakeRun) -> None:
    make_run("one")
    answer = tinyml("footprint", "runs/one", "--inferences-per-day", "5", cwd=tmp_path, code=2)
    assert "tinyml profile runs/one" in answer.err


def test_the_card_says_what_was_measured(tinyml: Tinyml, tmp_path: Path, make_run: MakeRun) -> None:
    _trained(make_run("one"), 3600, energy_j=72_000).file(METRICS).unlink()
    card = tinyml("card", "runs/one", "--json", cwd=tmp_path).json
    assert card["card"]["carbon"]["level"] == "measured" and card["card"]["carbon"]["watts"] == 20
    text = Path(tmp_path, card["markdown"]).read_text()
    assert "energy measured" in text and "a mean of 20 W" in text and "RAPL" in text
    assert load_json(tmp_path / card["json"])["carbon"]["level"] == "measured"
    tinyml("card", "runs/one", "--train-seconds", "60", cwd=tmp_path)
    assert "(estimated): 60 s" in Path(tmp_path, card["markdown"]).read_text()


def test_an_exported_version_is_no_training(
    tinyml: Tinyml, tmp_path: Path, store: Store, make_run: MakeRun
) -> None:
    add(store, _trained(make_run("one"), 60), "a")
    tinyml("registry", "export", "a@1", cwd=tmp_path)
    assert (tmp_path / "runs/a-1").is_dir()
    assert [each["run"] for each in tinyml("footprint", "--json", cwd=tmp_path).json["trainings"]] == ["one"]
