"""Accuracy of keyword spotting on held-out speakers, and false accepts of other words.

python benchmarks/kws_accuracy.py --data speech_commands/ --out results/ [--suite four] [--only 1,3]

Suites: `four` (silence, unknown, yes, no; at most 20 kB), `twelve` (ten commands; at most 54 kB) and
`default` (the recipe without options), trained on recordings, each fold of the speakers in turn;
`synthetic`, `synthetic_left_right` and `synthetic_stop_go`, trained without recordings and tested on the
same folds. Finished trainings stay in --out and are not repeated; an interrupted one resumes where it
stopped.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from kws_common import tinyml, train_to_int8
from kws_folds import split_folder
from numpy.typing import NDArray

from tinyml_cli import recipes
from tinyml_cli.data import folder
from tinyml_cli.data.clips import UNKNOWN
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.features.audio_frontend import extract_batch
from tinyml_cli.files import configs_dir, write_atomic
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.statistics.metrics import wilson_interval

COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")


@dataclass(frozen=True)
class Suite:
    """What is trained and how it is judged.

    Attributes:
        words: the targets.
        config: file in configs/.
        recall: share of spoken targets to be heard where false accepts of other commands are counted.
        recorded: whether it is trained on recordings, fold by fold.
    """

    words: tuple[str, ...]
    config: str
    recall: float
    recorded: bool = True


SUITES = {
    "four": Suite(("yes", "no"), "kws_small.yaml", 0.94),
    "twelve": Suite(COMMANDS, "kws12.yaml", 0.94),
    "default": Suite(("yes", "no"), "kws.yaml", 0.94),
    "synthetic": Suite(("yes", "no"), "kws.yaml", 0.85, recorded=False),
    "synthetic_left_right": Suite(("left", "right"), "kws.yaml", 0.85, recorded=False),
    "synthetic_stop_go": Suite(("stop", "go"), "kws.yaml", 0.85, recorded=False),
}


def run_recorded(name: str, suite: Suite, chosen: argparse.Namespace, fold: int) -> list[dict[str, Any]]:
    """Trains on all speakers outside a fold and judges by the fold."""
    trained, judged = _parts(chosen, fold)
    # Training and folds place a speaker by the same number, and validation takes the lowest.
    recipe = recipes.load(configs_dir() / suite.config)
    validation = recipe.training.validation_share + (1 / chosen.folds if fold == 0 else 0)
    shares = ("--set", "training.test_share=0", "--set", f"training.validation_share={validation}")
    run, made = _train(name, suite, chosen, str(fold), ("--data", trained, *shares))
    return [_judge(suite, run, made, judged, "test", fold)]


def run_synthetic(
    name: str, suite: Suite, chosen: argparse.Namespace, folds: list[int]
) -> list[dict[str, Any]]:
    """Trains without recordings and judges by each fold."""
    run, made = _train(name, suite, chosen, "all", ())
    return [_judge(suite, run, made, _parts(chosen, fold)[1], "all", fold) for fold in folds]


def _parts(chosen: argparse.Namespace, fold: int) -> tuple[Path, Path]:
    """The folders of a fold, always in the same place: a training that was cut off finds its data again."""
    return split_folder(chosen.data, fold, chosen.folds, chosen.out / "clips" / str(fold))


def _train(
    name: str, suite: Suite, chosen: argparse.Namespace, part: str, more: Sequence[str | Path]
) -> tuple[Path, dict[str, Any]]:
    """A run of the suite, trained and converted unless it is there already, and what was told of it."""
    run = chosen.out / "runs" / f"{name}-{part}"
    told = run.with_suffix(".json")
    if not told.is_file():
        options: list[str | Path] = ["--words", ",".join(suite.words), "--seed", chosen.seed]
        options += ["--config", configs_dir() / suite.config, *more]
        options += [part for key in chosen.set for part in ("--set", key)]
        write_atomic(told, json.dumps(train_to_int8(run, *options)) + "\n")
    return run, json.loads(told.read_text(encoding="utf-8"))


def _judge(
    suite: Suite, run: Path, made: dict[str, Any], judged: Path, split: str, fold: int
) -> dict[str, Any]:
    outcome = tinyml("evaluate", run, "--data", judged, "--split", split)
    return {
        "evidence": "measured on the host",
        "fold": fold,
        "n": outcome["n"],
        "int8_accuracy": outcome["int8"]["accuracy"],
        "float32_accuracy": outcome["float32"]["accuracy"],
        "int8_recall": outcome["int8"]["recall"],
        "int8_bytes": made["convert"]["int8"]["bytes"],
        "seconds_to_int8": made["seconds_to_int8"],
        **_scores(Run.open(run), judged, suite.words),
    }


def _scores(run: Run, judged: Path, words: tuple[str, ...]) -> dict[str, Any]:
    """The score of the right target (0 where another target has more), and of any for other commands.

    Returns:
        target_scores and other_scores, a number per clip, and mistaken: command -> share taken for a target.
    """
    manifest = run.manifest()
    assert manifest.features is not None
    rate_hz = manifest.features.sample_rate_hz
    model = Int8Model(run.require(manifest, MODEL_INT8).read_bytes())
    recordings = [r for r in folder.list_recordings(judged, words) if r.word in COMMANDS]
    clips = folder.read_recordings(recordings, rate_hz, manifest.clip_ms * rate_hz // 1000)
    scores = model.scores(model.run(model.inputs(extract_batch(clips.audio, manifest.features))))
    place = {label: index for index, label in enumerate(manifest.labels)}
    truth = np.array([place.get(str(label), -1) for label in clips.labels])
    spoken = clips.labels != UNKNOWN
    best = scores[:, 2:].argmax(axis=1) + 2
    score = scores[:, 2:].max(axis=1)
    heard = np.where(best == truth, score, 0.0)[spoken]
    wrong = score[~spoken]
    named = (scores.argmax(axis=1) >= 2)[~spoken]
    said = clips.words[~spoken]
    return {
        "target_scores": heard.round(4).tolist(),
        "other_scores": wrong.round(4).tolist(),
        "mistaken": {word: float(named[said == word].mean()) for word in np.unique(said).tolist()},
    }


def summarise(rows: list[dict[str, Any]], recall: float) -> dict[str, Any]:
    """All folds together, with 95 % Wilson intervals."""
    n = sum(row["n"] for row in rows)
    right = {m: round(sum(row["n"] * row[f"{m}_accuracy"] for row in rows)) for m in ("int8", "float32")}
    targets = np.concatenate([row["target_scores"] for row in rows])
    others = np.concatenate([row["other_scores"] for row in rows])
    return {
        "evidence": "measured on the host",
        "folds": [row["fold"] for row in rows],
        "n": n,
        "int8_accuracy": right["int8"] / n,
        "int8_ci95": wilson_interval(right["int8"], n),
        "float32_accuracy": right["float32"] / n,
        "int8_bytes": max(row["int8_bytes"] for row in rows),
        "seconds_to_int8": [row["seconds_to_int8"] for row in rows],
        "at_one_half": _point(targets, others, 0.5),
        f"at_recall_{recall}": _point(targets, others, _threshold(targets, recall)),
    }


def _threshold(targets: NDArray[np.float64], recall: float) -> float:
    """The highest threshold at which this share of targets is still heard."""
    kept = int(np.ceil(recall * len(targets)))
    return float(np.sort(targets)[::-1][kept - 1])


def _point(targets: NDArray[np.float64], others: NDArray[np.float64], threshold: float) -> dict[str, Any]:
    """Recall of targets and the share of other commands taken for one, at a threshold."""
    heard, wrong = int((targets >= threshold).sum()), int((others >= threshold).sum())
    return {
        "threshold": threshold,
        "recall": heard / len(targets),
        "n_targets": len(targets),
        "false_accepts": wrong / len(others) if len(others) else None,
        "n_others": len(others),
        "false_accepts_ci95": wilson_interval(wrong, len(others)) if len(others) else None,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="real clips, Speech Commands layout")
    parser.add_argument("--out", type=Path, required=True, help="folder for a JSON file per training")
    parser.add_argument("--suite", choices=SUITES, action="append", help="repeatable; all by default")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--only", help="some folds, separated by commas")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as tinyml train")
    chosen = parser.parse_args()
    wanted = [int(k) for k in chosen.only.split(",")] if chosen.only else list(range(chosen.folds))
    (chosen.out / "runs").mkdir(parents=True, exist_ok=True)
    for name in chosen.suite or SUITES:
        suite = SUITES[name]
        rows = []
        for part in [[fold] for fold in wanted] if suite.recorded else [wanted]:
            path = chosen.out / f"{name}-{'-'.join(map(str, part))}.json"
            if not path.is_file():
                if suite.recorded:
                    made = run_recorded(name, suite, chosen, part[0])
                else:
                    made = run_synthetic(name, suite, chosen, part)
                write_atomic(path, json.dumps(made) + "\n")
            rows += json.loads(path.read_text(encoding="utf-8"))
        print(json.dumps({"suite": name, **summarise(rows, suite.recall)}), flush=True)


if __name__ == "__main__":
    main()
