"""Trains on recordings and judges by speakers that training never met: each quarter of them in turn.

python benchmarks/kws_real.py --data speech_commands/ [--folds 4] [--only 1,3]
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from kws_common import tinyml, train_to_int8

from tinyml_cli.data.audio_file import AUDIO_SUFFIXES
from tinyml_cli.data.folder import BACKGROUND_FOLDER
from tinyml_cli.data.speakers import speaker_of
from tinyml_cli.data.splits import position
from tinyml_cli.evaluation.metrics import wilson_interval


def split_folder(data: Path, fold: int, folds: int, target: Path) -> tuple[Path, Path]:
    """Copies the clips of the fold into `judged`, all others and the noise recordings into `trained`."""
    trained, judged = target / "trained", target / "judged"
    for clip in data.rglob("*"):
        if clip.suffix.lower() in AUDIO_SUFFIXES:
            chosen = int(position(speaker_of(clip)) * folds) == fold
            side = judged if chosen and clip.parent.name != BACKGROUND_FOLDER else trained
            (side / clip.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(clip, side / clip.parent.name)
    return trained, judged


def run_fold(chosen: argparse.Namespace, fold: int) -> dict[str, Any]:
    """One training and its judgement by the speakers of the fold."""
    with tempfile.TemporaryDirectory(prefix="tinyml-benchmark-") as folder:
        trained, judged = split_folder(chosen.data, fold, chosen.folds, Path(folder))
        run = Path(folder) / "run"
        options = ("--words", chosen.words, "--seed", chosen.seed, "--set", "training.test_share=0")
        made = train_to_int8(run, *options, "--data", trained)
        outcome = tinyml("evaluate", run, "--data", judged, "--split", "test")
        return {
            "fold": fold,
            "n": outcome["n"],
            "int8_accuracy": outcome["int8"]["accuracy"],
            "float32_accuracy": outcome["float32"]["accuracy"],
            "int8_recall": outcome["int8"]["recall"],
            "int8_bytes": made["convert"]["int8"]["bytes"],
            "n_train": made["train"]["n_train"],
            "seconds_to_int8": made["seconds_to_int8"],
        }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="real clips, Speech Commands layout")
    parser.add_argument("--words", default="yes,no")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--only", help="some folds, separated by commas")
    chosen = parser.parse_args()
    wanted = [int(k) for k in chosen.only.split(",")] if chosen.only else range(chosen.folds)
    rows = []
    for fold in wanted:
        rows.append(run_fold(chosen, fold))
        print(json.dumps(rows[-1]), flush=True)
    n = sum(row["n"] for row in rows)
    right = round(float(np.sum([row["n"] * row["int8_accuracy"] for row in rows])))
    figures = {"evidence": "measured on the host", "n": n, "int8_accuracy": right / n}
    print(json.dumps({**figures, "int8_ci95": wilson_interval(right, n)}))


if __name__ == "__main__":
    main()
