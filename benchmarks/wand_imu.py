"""Gestures from raw motion: 15 takes of each for training, the other takes and random motions for testing.

python benchmarks/wand_imu.py --data motion/ --out results/ [--other more_motion/] [--fold last]

Folds: the 10 test takes of each gesture are the `last` recorded, the `first`, or those in the `middle`.
Random motions are generated with other seeds from held-out takes; --other adds recordings of other motion.
A stream of gestures, rests and random motions shows what is detected in it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from kws_common import tinyml
from numpy.typing import NDArray

from tinyml_cli import recipes
from tinyml_cli.features.motion_windows import MotionWindow
from tinyml_cli.files import write_atomic
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.run import MODEL_INT8, RECIPE, Run
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.tasks.wand import other_motion
from tinyml_cli.tasks.wand.evaluate import GestureModel
from tinyml_cli.tasks.wand.motion_file import write_motion
from tinyml_cli.tasks.wand.takes import Take, read_takes
from tinyml_cli.tasks.wand.threshold import answers

FOLDS = {"last": slice(15, 25), "first": slice(0, 10), "middle": slice(8, 18)}
RANDOM_MOTIONS, STREAM_MOTIONS = 200, 60
REST_S = 1.5


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="motion files, 25 takes of each gesture")
    parser.add_argument("--other", type=Path, help="motion that is none of these gestures")
    parser.add_argument("--out", type=Path, required=True, help="folder for runs and a JSON file per fold")
    parser.add_argument("--fold", choices=FOLDS, action="append", help="repeatable; all by default")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as tinyml train")
    chosen = parser.parse_args()
    for fold in chosen.fold or FOLDS:
        told = chosen.out / f"imu-{fold}-{chosen.seed}.json"
        if not told.is_file():
            write_atomic(told, json.dumps(_measure(fold, chosen), indent=2) + "\n")
        print(json.dumps({"fold": fold, **json.loads(told.read_text(encoding="utf-8"))}))


def _measure(fold: str, chosen: argparse.Namespace) -> dict[str, Any]:
    run = Run(chosen.out / "runs" / f"imu-{fold}-{chosen.seed}")
    folders = _write_folds(chosen.data, fold, chosen.out / f"takes-{fold}")
    labels = sorted(path.name for path in folders["train"].iterdir())
    options = ["--input", "imu", "--labels", ",".join(labels), "--data", folders["train"]]
    options += ["--seed", chosen.seed, "--set", "training.test_share=0"]
    options += ["--set", "training.validation_share=0.06"]
    options += [part for key in chosen.set for part in ("--set", key)]
    trained = tinyml("train", "wand", "--run", run.path, *options)
    tinyml("quantize", run.path)
    converted = tinyml("convert", run.path)
    judged = tinyml("evaluate", run.path, "--data", folders["test"])
    at = judged["at_threshold"]["int8"]
    return {
        "evidence": "measured on the host",
        "train_seconds": trained["seconds"],
        "int8_bytes": converted["int8"]["bytes"],
        "threshold": at["threshold"],
        "n": judged["n"],
        "accuracy_without_threshold": judged["int8"]["accuracy"],
        "accuracy": at["accuracy"],
        "ci95": at["ci95"],
        **_random_motions(run, folders["test"], chosen.other),
        "stream": _stream(run, folders["test"]),
    }


def _write_folds(data: Path, fold: str, target: Path) -> dict[str, Path]:
    recorded = read_takes(data, 119.0, 119)
    by_label: dict[str, list[Take]] = {}
    for take in recorded.takes:
        by_label.setdefault(take.label, []).append(take)
    for label, takes in by_label.items():
        judging = range(len(takes))[FOLDS[fold]]
        for number, take in enumerate(takes):
            folder = target / ("test" if number in judging else "train") / label
            write_motion(folder / f"{number + 1:02}.csv", take.samples, recorded.rate_hz)
    return {part: target / part for part in ("train", "test")}


class _Judge:
    """The int8 model of a run, with its threshold."""

    def __init__(self, run: Run) -> None:
        manifest, recipe = run.manifest(), recipes.load(run.file(RECIPE))
        assert isinstance(recipe, WandRecipe) and manifest.gesture is not None
        self.imu, self.labels = recipe.imu, manifest.labels
        self._threshold = manifest.gesture.threshold
        self._model = GestureModel(run.file(MODEL_INT8).read_bytes(), recipe)

    def label(self, windows: NDArray[np.int16]) -> NDArray[np.int64]:
        """The label of each window int16 [n, samples, 6]; 0 is unknown."""
        outputs, _ = self._model.reference(self._model.inputs(windows))
        return answers(self._model.scores(outputs), self._threshold)


def _random_motions(run: Run, folder: Path, other: Path | None) -> dict[str, Any]:
    judge = _Judge(run)
    length = judge.imu.window_samples
    gestures = np.stack([take.samples for take in read_takes(folder, judge.imu.rate_hz, length).takes])
    groups = {"all kinds in turn": other_motion.make(gestures, RANDOM_MOTIONS, np.random.default_rng(77))}
    for kind in other_motion.KINDS:
        groups[kind] = other_motion.make(gestures, RANDOM_MOTIONS, np.random.default_rng(78), (kind,))
    if other is not None:
        groups["recordings"] = _windows_of(other, judge.imu.rate_hz, length)
    accepted = {name: int((judge.label(windows) != 0).sum()) for name, windows in groups.items()}
    return {
        "random_motions_accepted": {
            name: {"n": len(groups[name]), "share": count / len(groups[name]),
                   "ci95": wilson_interval(count, len(groups[name]))}
            for name, count in accepted.items()
        }
    }  # fmt: skip


def _windows_of(folder: Path, rate_hz: float, length: int) -> NDArray[np.int16]:
    """Windows of recordings, brought to the model's rate."""
    recorded = read_takes(folder, rate_hz, length)
    windows = []
    for take in recorded.takes:
        count = round(len(take.samples) * rate_hz / recorded.rate_hz)
        at = np.linspace(0, len(take.samples) - 1, count)
        columns = [np.interp(at, np.arange(len(take.samples)), column) for column in take.samples.T]
        samples = np.rint(np.stack(columns, axis=1)).astype(np.int16)
        windows += [samples[i : i + length] for i in range(0, count - length + 1, length)]
    return np.stack(windows)


def _stream(run: Run, folder: Path) -> dict[str, Any]:
    """Gestures and random motions, each between rests: what the board's rule finds in them."""
    judge = _Judge(run)
    takes = read_takes(folder, judge.imu.rate_hz, judge.imu.window_samples).takes
    gestures = np.stack([take.samples for take in takes])
    rng = np.random.default_rng(79)
    others = other_motion.make(gestures, STREAM_MOTIONS, rng)
    pieces = [(take.samples, judge.labels.index(take.label)) for take in takes]
    pieces += [(motion, 0) for motion in others]
    spotter, at, stream, ends = MotionWindow(judge.imu), 0, [], []
    for index in rng.permutation(len(pieces)):
        samples, label = pieces[index]
        stream += [_rest(samples[0], judge.imu.rate_hz), samples, _rest(samples[-1], judge.imu.rate_hz)]
        at += sum(len(part) for part in stream[-3:])
        ends.append((at, label))
    found = _spot(judge, spotter, np.concatenate(stream))
    hits, wrong = 0, 0
    starts = [0, *(end for end, _ in ends[:-1])]
    for start, (end, label) in zip(starts, ends, strict=True):
        heard = [given for place, given in found if start <= place < end]
        hits += label != 0 and heard[:1] == [label]
        wrong += sum(given != label for given in heard)
    minutes = at / judge.imu.rate_hz / 60
    return {
        "minutes": round(minutes, 2),
        "gestures": len(takes),
        "found": hits,
        "found_ci95": wilson_interval(hits, len(takes)),
        "random_motions": len(others),
        "wrong": wrong,
        "wrong_per_minute": round(wrong / minutes, 2),
    }


def _spot(judge: _Judge, spotter: MotionWindow, samples: NDArray[np.int16]) -> list[tuple[int, int]]:
    found = []
    length = judge.imu.window_samples
    for index, sample in enumerate(samples.tolist()):
        if spotter.push(sample):
            label = int(judge.label(samples[None, index + 1 - length : index + 1])[0])
            if label:
                spotter.accept()
                found.append((index, label))
    return found


def _rest(sample: NDArray[np.int16], rate_hz: float) -> NDArray[np.int16]:
    """The wand held still, as it was held at this sample."""
    up = sample[:3].astype(np.float64)
    up *= 1000 / max(float(np.linalg.norm(up)), 1.0)
    held = np.concatenate([up, np.zeros(3)])
    return np.tile(np.rint(held), (round(REST_S * rate_hz), 1)).astype(np.int16)


if __name__ == "__main__":
    main()
