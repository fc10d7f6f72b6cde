"""Training, threshold and evaluation of anomaly detection, on small data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

from tests.conftest import Tinyml
from tests.outcomes import check as check_outcome
from tests.tasks.anomaly import runs
from tinyml_cli import recipes, registry
from tinyml_cli.attack.attack import attack, surface_of
from tinyml_cli.attack.options import AttackOptions
from tinyml_cli.console import console
from tinyml_cli.engines.settings import render
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.evaluate import evaluate
from tinyml_cli.evaluation.fairness import FairnessOptions, fairness
from tinyml_cli.features.anomaly_settings import AnomalyInput
from tinyml_cli.outcomes.fairness import MistakeCosts
from tinyml_cli.run import MODEL, MODEL_INT8, Run
from tinyml_cli.statistics.curves import auc_interval
from tinyml_cli.tasks.anomaly import data as anomaly_data
from tinyml_cli.tasks.anomaly import held_out as anomaly_held_out
from tinyml_cli.tasks.anomaly import threshold as thresholds
from tinyml_cli.tasks.anomaly.model import AnomalyModel
from tinyml_cli.tasks.anomaly.pool import FaultInNormalDataError, FaultRecordings, MachineRecording
from tinyml_cli.tasks.anomaly.replay import read_as_trained
from tinyml_cli.tasks.anomaly.task import ANOMALY
from tinyml_cli.tasks.spec import TaskSpec
from tinyml_cli.tflite.graph import parse


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return runs.train(tmp_path_factory.mktemp("machine") / "run")


@pytest.fixture(scope="module")
def beats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.write_beats(tmp_path_factory.mktemp("beats") / "data")


def test_it_is_a_task() -> None:
    assert isinstance(registry.task("anomaly"), TaskSpec)


def test_faults_of_the_simulated_machine_are_found(machine: Run) -> None:
    outcome = evaluate(machine)
    assert outcome.int8.auc > 0.9
    assert abs(outcome.int8.auc - outcome.float32.auc) < 0.01
    assert {row.fault for row in outcome.faults} >= {"imbalance", "bearing outer race"}
    assert all(row.n > 0 for row in outcome.faults)
    assert json.loads(machine.file("report/metrics.json").read_text())["n"] == outcome.n
    assert machine.file("report/anomaly.png").stat().st_size > 5000
    page = machine.file("report/report.html").read_text(encoding="utf-8")
    assert "By fault" in page and f"{outcome.int8.auc:.4f}" in page


def test_a_threshold_is_chosen_on_other_windows_than_are_reported(machine: Run, tmp_path: Path) -> None:
    run = Run(Path(shutil.copytree(machine.path, tmp_path / "run")))
    manifest = run.manifest()
    assert manifest.anomaly is not None and manifest.anomaly.threshold is not None
    before = manifest.anomaly.threshold
    found = fairness(run, options=FairnessOptions(costs=MistakeCosts(miss=100), apply="single"))
    assert "(normal ones held out for the threshold, and every second recording of a fault)" in found.used
    (machines,) = found.attributes
    single = machines.rules[0].one_threshold
    assert machines.attribute == "machine" and single is not None
    after = run.manifest().anomaly
    assert after is not None and after.threshold is not None and found.applied is not None
    assert after.threshold.score == found.applied.threshold
    assert (after.threshold.windows, after.threshold.level) == (before.windows, before.level)
    assert after.threshold.exceeded == round(after.threshold.rate * before.windows)
    assert single.everything is not None and single.everything.recall == 1.0, (
        "no fault is missed where a miss is that dear"
    )


def test_convolutions_find_missing_bumps(beats: Path, tmp_path: Path) -> None:
    values = {"autoencoder__network": "conv1d", "training__epochs": 30, "training__batch_size": 16}
    run = runs.train(tmp_path / "run", beats, **values)
    assert evaluate(run).int8.auc > 0.95


def test_mlperf_network_has_the_size_of_the_reference() -> None:
    """MLPerf Tiny's model has 269,992 parameters: the batch normalisation's four per unit are counted."""
    from tinyml_cli.models import autoencoders

    model = autoencoders.mlperf_fc(640)
    assert model.output_shape == (None, 640)
    # Their dense layers have biases beside the normalisation, ours have not: 8 x 128 + 8 fewer.
    assert model.count_params() == 269_992 - (8 * 128 + 8)


def test_faults_cannot_change_what_is_learnt(beats: Path, tmp_path: Path) -> None:
    """Other faults, or none: the same clusters, standardisation, threshold and int8 model, byte for byte."""
    learnt = []
    for name, faults in (("many", 30), ("none", 0)):
        data = runs.write_beats(tmp_path / name, faults)
        run = runs.train(tmp_path / f"run-{name}", data, method="kmeans")
        anomaly = run.manifest().anomaly
        assert anomaly is not None
        learnt.append((run.file(MODEL_INT8).read_bytes(), anomaly.model_dump_json()))
    assert learnt[0] == learnt[1]


def test_training_takes_no_faults() -> None:
    fault = MachineRecording("f", np.zeros((8, 1), np.int16), 1.0, "f", "worn", False)
    data = anomaly_data.prepare(recipes.resolve("anomaly", None, [], runs.SIMULATED))  # type: ignore[arg-type]
    with pytest.raises(FaultInNormalDataError):
        data.windows(FaultRecordings([fault]))  # type: ignore[arg-type]


def test_training_is_repeatable_and_resumable(beats: Path, tmp_path: Path) -> None:
    one = runs.train(tmp_path / "one", beats, training__epochs=2)
    two = runs.train(tmp_path / "two", beats, training__epochs=2)
    assert one.file(MODEL_INT8).read_bytes() == two.file(MODEL_INT8).read_bytes()
    recipe = recipes.load(one.file("recipe.yaml"))
    again = ANOMALY.train(one, recipe, resume=True)  # type: ignore[arg-type]
    assert again.metrics["epochs"] == 2


def _choose(scores: np.ndarray, **asked: Any) -> Any:
    anomaly = AnomalyInput.model_construct(confidence=0.95, fpr=None, false_alarms_per_hour=None)
    anomaly = anomaly.model_copy(update=asked)
    return thresholds.choose(scores, scores.astype(float), np.zeros(len(scores), np.int64), 0.5, anomaly)


def test_threshold_keeps_the_share_with_an_exact_limit() -> None:
    scores = np.random.default_rng(0).permutation(1000)
    found = _choose(scores, fpr=0.02)
    assert found.score == 980 and found.exceeded == 20 and found.rate == 0.02
    assert (scores >= found.float_score).sum() == 20
    # Clopper-Pearson, one-sided 95 %, 20 of 1000: 0.02891 (tabulated); none of 299: 0.01 (rule of three).
    assert found.rate_upper == pytest.approx(0.0289, abs=2e-4)
    assert thresholds.binomial_upper(0, 299, 0.95) == pytest.approx(0.00997, abs=1e-5)
    assert thresholds.binomial_upper(5, 5, 0.95) == 1.0


def test_too_little_data_says_how_much_more() -> None:
    with pytest.raises(TinymlError, match="99 normal windows") as caught:
        _choose(np.arange(99), fpr=0.01)
    assert "1 more" in caught.value.next_step
    with pytest.raises(TinymlError, match="per hour") as caught:
        _choose(np.arange(720), false_alarms_per_hour=5.0)
    assert "0.1 more hours" in caught.value.next_step


def test_false_alarms_are_counted_as_the_firmware_counts_them() -> None:
    from tinyml_cli.features.anomaly_settings import Alarm

    scores = np.full(7200 * 2, 10)  # two hours
    for start in (100, 5000, 9000):
        scores[start : start + 4] = 50 + start // 1000
    alarm = Alarm(raise_windows=3, clear_windows=2, hold_windows=0, release_permille=800)
    found = _choose(scores, false_alarms_per_hour=1.0, alarm=alarm)
    assert found.exceeded == 2 and found.rate == 1.0 and found.score == 51
    assert found.rate_upper > 1.0


def test_constant_channels_are_left_out_and_constant_data_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(1)
    for index in range(10):
        rows = [f"{rng.normal():.4f},5.0" for _ in range(300)]
        (tmp_path / f"normal_{index}.csv").write_text("x,stuck\n" + "\n".join(rows))
    values = {"data_path": str(tmp_path), "rate_hz": 50, "method": "kmeans"}
    recipe = recipes.resolve("anomaly", None, [], {**values, "signal.window_samples": 64})
    data = anomaly_data.prepare(recipe)  # type: ignore[arg-type]
    assert "stuck" in capsys.readouterr().err
    features = data.source.features(data.windows(data.splits.train).samples)
    standard = anomaly_data.standard(features, data.source, False)
    names = data.source.feature_names()
    assert all(standard.deviations[i] == 0 for i, name in enumerate(names) if name.startswith("stuck"))
    with pytest.raises(TinymlError, match="is constant"):
        anomaly_data.standard(np.ones((5, len(names)), np.int32), data.source, False)
    with pytest.raises(TinymlError, match="No normal recording is long enough for a window"):
        anomaly_data.standard(np.empty((0, 3), np.int32), data.source, False)


def test_settings_need_a_threshold(machine: Run) -> None:
    manifest = machine.manifest()
    graph = parse(machine.file(MODEL_INT8).read_bytes())
    text = render(manifest, graph, "0" * 64)
    assert manifest.anomaly is not None and manifest.anomaly.threshold is not None
    assert f"#define TRAINED_THRESHOLD {manifest.anomaly.threshold.score}u" in text
    manifest.anomaly.threshold = None
    with pytest.raises(TinymlError, match="no threshold"):
        render(manifest, graph, "0" * 64)


def test_other_data_is_refused(machine: Run, beats: Path) -> None:
    with pytest.raises(TinymlError, match="recordings of value"):
        evaluate(machine, beats)


def test_other_columns_and_sound_are_refused_by_what_plays_them(machine: Run, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal([0, 0, 1, 0, 0, 0], 0.1, (300, 6))
    text = "\n".join(",".join(map(str, (10 * i, *row.round(4)))) for i, row in enumerate(rows))
    (tmp_path / "normal.csv").write_text("t_ms,ax,ay,az,gx_dps,gy_dps,gz_dps\n" + text)
    soundfile.write(tmp_path / "hum.wav", np.zeros(16_000), 16_000)
    for name, said in (("normal.csv", "gz_ddps"), ("hum.wav", "recordings of sound")):
        with pytest.raises(TinymlError, match=f"{said}.*but the model was trained on ax_mg, ay_mg, az_mg"):
            read_as_trained(machine, machine.manifest(), tmp_path / name)


def test_interval_of_an_area() -> None:
    # Hanley and McNeil 1982, table: 0.893 with 51 and 58 cases has a standard error of about 0.032.
    low, high = auc_interval(0.893, 51, 58)
    assert (high - low) / 2 / 1.96 == pytest.approx(0.032, abs=0.002)


def test_held_out_recordings_are_normal_ones_and_faults(machine: Run) -> None:
    kept = anomaly_held_out.load(machine)
    assert sum(each.is_normal for each in kept) == 3 and len({e.condition for e in kept}) == 9
    model = AnomalyModel(machine, machine.manifest())
    assert model.threshold() > 0
    assert machine.file(MODEL).is_file()


def test_command_line(tinyml: Tinyml, beats: Path, tmp_path: Path) -> None:
    options = ("--method", "kmeans", "--data", beats, "--fpr", "0.05", "--run", tmp_path / "run")
    trained = tinyml("train", "anomaly", *options, "--json", cwd=tmp_path).json
    assert trained["n_train"] > 80
    tinyml("quantize", tmp_path / "run", cwd=tmp_path)
    converted = tinyml("convert", tmp_path / "run", "--json", cwd=tmp_path).json
    assert converted["threshold"]["windows"] == 40
    answer = tinyml("evaluate", tmp_path / "run", cwd=tmp_path)
    assert "AUC" in answer.out
    card = tinyml("card", tmp_path / "run", "--json", cwd=tmp_path).json
    text = Path(card["markdown"]).read_text()
    assert "area under the ROC curve, int8" in text and "| sessions | 1 |" in text
    refused = tinyml("train", "anomaly", "--data", beats, "--normal", "7", cwd=tmp_path, code=2)
    assert "--normal" in refused.err
    both = tinyml("train", "anomaly", "--fpr", "0.1", "--false-alarms-per-hour", "1", cwd=tmp_path, code=2)
    assert "not both" in both.err


def test_mlperf_model_scores_files(tinyml: Tinyml, shared: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for index in range(3):
        rng.normal(0, 1, 640 + 3 * 128).astype("<f4").tofile(tmp_path / f"normal_{index}.bin")
        np.save(tmp_path / f"anomaly_{index}.npy", rng.normal(0, 60, (7, 128)).astype(np.float32))
    model = shared / "models" / "ad01_int8.tflite"
    environment = {"TINYML_RUNS": str(tmp_path / "runs")}
    command = ("evaluate", model, "--data", tmp_path, "--json")
    outcome = tinyml(*command, cwd=tmp_path, env=environment).json
    check_outcome("evaluate", outcome)
    assert outcome["auc"] == 1.0 and outcome["n"] == 6
    assert [row["windows"] for row in outcome["files"]] == [3, 3, 3, 4, 4, 4]
    for path in tmp_path.glob("anomaly_*"):
        path.unlink()
    alone = tinyml(*command, cwd=tmp_path, env=environment, code=2)
    assert "normal" in alone.err


def setup_module() -> None:
    console.quiet = True


def test_an_attack_judges_windows_by_the_threshold(machine: Run, tmp_path: Path) -> None:
    surface = surface_of(machine, None)
    reported = surface.reported(surface.items)
    assert (reported == surface.labels).mean() > 0.8 and set(reported.tolist()) == {0, 1}
    scores = surface.scores(surface.items)[:, 0]
    assert ((scores[:, 1] >= 0.5) == reported.astype(bool)).all()
    fault = surface.items[surface.labels == 1][0]
    surface.write(tmp_path / "fault.csv", fault)
    np.testing.assert_allclose(surface.read(tmp_path / "fault.csv")[0], fault, atol=1)
    with pytest.raises(TinymlError, match="no slope to follow"):
        attack(machine, AttackOptions(target="normal"))
    assert not machine.file("report/attack.json").exists()
