"""Anomaly detection: every method on heartbeats, on motion and on the simulated machine, by repeated splits.

python benchmarks/anomaly.py --out results/ [--ecg ecg5000/] [--motion imu_motion/] [--boards native,sim]

A split is drawn from the normal recordings alone: some are for training, some set the threshold, some are
tested together with all anomalies. No choice uses test data. Finished results stay in --out and are not
repeated, so an interrupted benchmark resumes.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli import recipes
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.conversion.convert import convert
from tinyml_cli.evaluation.evaluate import evaluate
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.files import write_atomic
from tinyml_cli.run import Run
from tinyml_cli.stages.calibrate import quantize
from tinyml_cli.tasks.anomaly import held_out as anomaly_held_out
from tinyml_cli.tasks.anomaly.alarm import threshold_of
from tinyml_cli.tasks.anomaly.evaluate import score_windows, separated
from tinyml_cli.tasks.anomaly.model import AnomalyModel
from tinyml_cli.tasks.anomaly.task import ANOMALY
from tinyml_cli.tasks.anomaly.training import THRESHOLD_SAMPLE

METHODS: dict[str, dict[str, Any]] = {
    "kmeans": {"method": "kmeans"},
    "gmm": {"method": "gmm"},
    "small_fc": {"autoencoder.network": "small_fc"},
    "mlperf_fc": {"autoencoder.network": "mlperf_fc"},
    "conv1d": {"autoencoder.network": "conv1d", "signal.bands": 0},
}
FALSE_ALARMS = (0.02, 0.05, 0.1)
# Two-sided 95 % quantiles of Student's t by degrees of freedom.
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
FED = 1000


@dataclass(frozen=True)
class Data:
    """One data set and the settings that all methods share on it."""

    name: str
    path: Path | None
    settings: dict[str, Any]
    splits: int


def data_sets(chosen: argparse.Namespace) -> list[Data]:
    """Those that were given; the simulated machine always."""
    sets = [Data("machine", None, {}, min(3, chosen.splits))]
    if chosen.ecg:
        few = {"threshold.fpr": 0.1, "training.epochs": 100, "training.batch_size": 32}
        sets.append(Data("ecg", chosen.ecg, few, chosen.splits))
    if chosen.motion:
        motion = {"normal": ["Idle", "Terrestrial"], "signal.stride_samples": 16, "threshold.fpr": 0.05}
        sets.append(Data("motion", chosen.motion, motion, chosen.splits))
    return sets


def measured(data: Data, method: str, seed: int, out: Path, boards: Iterable[str]) -> dict[str, Any]:
    """Trains and judges one method on one split, unless that is done."""
    name = f"{data.name}-{method}-{seed}"
    told = out / f"{name}.json"
    if told.is_file():
        row: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
        return row
    shutil.rmtree(out / "runs" / name, ignore_errors=True)
    run = Run.create(out / "runs" / name)
    path = None if data.path is None else str(data.path)
    values = {**data.settings, **METHODS[method], "data_path": path, "seed": seed}
    trained = ANOMALY.train(run, recipes.resolve("anomaly", None, [], values))  # type: ignore[arg-type]
    quantize(run)
    convert(run)
    row = evaluate(run).model_dump(mode="json")
    row["seconds"] = trained["seconds"]
    row["parameters"] = run.manifest().model.parameters  # type: ignore[union-attr]
    row["accuracy_at"] = accuracy_at(run)
    options = [EvaluationOptions(target=build_target(board), limit=FED) for board in boards]
    row["device"] = [evaluate(run, options=each).model_dump(mode="json")["device"] for each in options]
    write_atomic(told, json.dumps(row) + "\n")
    return row


def accuracy_at(run: Run) -> dict[str, float | None]:
    """int8 accuracy with thresholds for other shares of false alarms, set on the same normal windows."""
    model = AnomalyModel(run, run.manifest())
    with np.load(run.file(THRESHOLD_SAMPLE)) as archive:
        normal = model.scores(archive["features"]).tolist()
    judged = score_windows(model, anomaly_held_out.load(run))
    found = {share: threshold_of(normal, round(share * 1e6)) for share in FALSE_ALARMS}
    return {
        str(share): None
        if threshold is None
        else separated(judged.scores.astype(float), judged.is_fault, threshold).accuracy
        for share, threshold in found.items()
    }


def interval(values: list[float]) -> str:
    """Mean and 95 % interval of the mean over splits, by Student's t."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.4f}"
    half = STUDENT[len(values) - 1] * statistics.stdev(values) / math.sqrt(len(values))
    return f"{mean:.4f} ± {half:.4f}"


def show(data: Data, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Tables of one data set."""
    first = next(iter(rows.values()))[0]["int8"]
    table = []
    for method, each in rows.items():
        loss = [row["float32"]["auc"] - row["int8"]["auc"] for row in each]
        by_share = [
            f"{statistics.fmean(row['accuracy_at'][str(share)] for row in each):.3f}"
            if all(row["accuracy_at"][str(share)] is not None for row in each)
            else "-"
            for share in FALSE_ALARMS
        ]
        table.append(
            [
                method,
                each[0]["parameters"],
                interval([row["int8"]["auc"] for row in each]),
                f"{min(row['int8']['auc'] for row in each):.4f}",
                interval([row["int8"]["accuracy"] for row in each]),
                f"{statistics.fmean(row['int8']['false_positive_rate'] for row in each):.3f}",
                f"{statistics.fmean(row['int8']['recall'] for row in each):.3f}",
                f"{max(loss):+.4f}",
                *by_share,
            ]
        )
    columns = ["method", "parameters", "AUC", "worst", "accuracy", "false alarms", "found", "AUC loss int8"]
    title = (
        f"{data.name}: {len(next(iter(rows.values())))} splits; first one judged on {first['n_normal']} "
        f"normal, {first['n_anomalous']} anomalous windows"
    )
    console.table(title, columns + [f"accuracy, fpr {share}" for share in FALSE_ALARMS], table)
    kinds = [row["fault"] for row in next(iter(rows.values()))[0]["faults"]]
    console.table(
        f"{data.name}: AUC and share found by kind (int8, means over splits)",
        ["kind", *rows],
        [[kind, *(by_kind(each, kind) for each in rows.values())] for kind in kinds],
    )
    told = [(m, device) for m, each in rows.items() for device in each[0]["device"]]
    console.table(
        f"{data.name}: scores that differ from the host's",
        ["method", "board", "level", "scores", "differ"],
        [[m, d["board"], d["level"], d["n"], d["mismatches"]] for m, d in told],
    )


def by_kind(rows: list[dict[str, Any]], kind: str) -> str:
    """AUC and recall of one kind of anomaly."""
    mine = [each for row in rows for each in row["faults"] if each["fault"] == kind]
    return (
        f"{statistics.fmean(e['auc'] for e in mine):.3f} / {statistics.fmean(e['recall'] for e in mine):.2f}"
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ecg", type=Path, help="ECG5000 as text, label first")
    parser.add_argument("--motion", type=Path, help="motion as JSON, Idle and Terrestrial among it")
    parser.add_argument("--boards", default="native,sim", help="fed with recordings of the first split")
    parser.add_argument("--splits", type=int, default=5, choices=range(1, 11))
    parser.add_argument("--only", help="one data set: machine, ecg or motion")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    boards = [board for board in chosen.boards.split(",") if board]
    for data in data_sets(chosen):
        if chosen.only not in (None, data.name):
            continue
        rows = {
            method: [
                measured(data, method, seed, chosen.out, boards if seed == 1 else ())
                for seed in range(1, data.splits + 1)
            ]
            for method in METHODS
        }
        show(data, rows)


if __name__ == "__main__":
    main()
