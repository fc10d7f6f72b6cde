"""Cost and gain of int8, pruning, quantisation-aware training and distillation, each with a control.

python benchmarks/compression.py --out results/ [--speech DIR] [--images DIR] [--strokes DIR] [--series DIR]
    [--part kws] [--seeds 1,2,3]

Parts: `kws`, `distillation` (need --speech), `vww` (--images), `wand` (--strokes), `anomaly` (--series), and
`hard` (--speech): a network whose channels have very different scales, with one scale per tensor. The
trainings are short, and shared by methods and controls. Finished results stay in --out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kws_common import tinyml
from scaled_channels import scale_channels

from tinyml_cli.compression.stage import compress
from tinyml_cli.compression.steps import CompressionStep
from tinyml_cli.files import write_atomic
from tinyml_cli.run import Run
from tinyml_cli.training.fine_tune import FineTuneSettings

SHORT_KWS = ("training.epochs=14", "training.test_share=0.3", "augmentation.copies=4")
Part = Callable[[argparse.Namespace, Path, str], dict[str, Any]]


def settings(*pairs: str) -> list[str]:
    """--set options."""
    return [part for pair in pairs for part in ("--set", pair)]


def _base(run: Path, seed: str, *train: str | Path) -> Path:
    """A trained run with its int8 model."""
    if not (run / "model_int8.tflite").is_file():
        tinyml("train", *train, "--run", run, "--seed", seed)
        tinyml("quantize", run, "--no-pictures")
        tinyml("convert", run)
    return run


def _compared(run: Path) -> dict[str, Any]:
    """Quality of every model of a run, by name."""
    found = tinyml("compare", run, "--no-profile")
    return {
        row["name"]: {key: row.get(key) for key in ("measure", "value", "ci95", "n", "bytes")}
        for row in found["models"]
    }


def _qat(run: Path, epochs: int) -> None:
    """Training with rounding, and the same training without it."""
    opened = Run.open(str(run))
    for step in (CompressionStep("qat"), CompressionStep("control")):
        if not (run / "variants" / step.name / "model_int8.tflite").is_file():
            compress(opened, [step], FineTuneSettings(epochs=epochs), on_board=False)


def kws(chosen: argparse.Namespace, run: Path, seed: str) -> dict[str, Any]:
    """PTQ, QAT and half of the channels."""
    _base(run, seed, "kws", "--data", chosen.speech, *settings(*SHORT_KWS))
    _qat(run, 5)
    slim = compress(
        Run.open(str(run)), [CompressionStep("prune", 0.5, structured=True)], FineTuneSettings(epochs=15)
    )
    cost = {side: slim[side]["instructions"] for side in ("before", "after")}
    return _compared(run) | {"instructions": cost}


def distillation(chosen: argparse.Namespace, run: Path, seed: str) -> dict[str, Any]:
    """The course's small network, alone and taught by `ds_cnn`."""
    teacher = run.with_name(f"kws-{seed}")
    _base(teacher, seed, "kws", "--data", chosen.speech, *settings(*SHORT_KWS))
    small = ("kws", "--data", chosen.speech, "--model", "tiny_conv", *settings(*SHORT_KWS))
    _base(run, seed, *small)
    if not (run / "variants" / "distilled" / "model_int8.tflite").is_file():
        tinyml("distill", run, "--teacher", teacher, "--no-profile")
    return _compared(run)


def vww(chosen: argparse.Namespace, run: Path, seed: str) -> dict[str, Any]:
    """Persons among small pictures."""
    short = settings("training.epochs=12", "image.size=32")
    _base(run, seed, "vww", "--data", chosen.images, "--model", "micro", "--rgb", *short)
    _qat(run, 5)
    return _compared(run)


def wand(chosen: argparse.Namespace, run: Path, seed: str) -> dict[str, Any]:
    """Six digits."""
    short = settings("training.epochs=15")
    _base(run, seed, "wand", "--data", chosen.strokes, "--labels", "0,1,2,3,4,5", *short)
    _qat(run, 10)
    return _compared(run)


def anomaly(chosen: argparse.Namespace, run: Path, seed: str) -> dict[str, Any]:
    """Heart beats, by an autoencoder."""
    _base(run, seed, "anomaly", "--method", "autoencoder", "--data", chosen.series, "--fpr", "0.1")
    _qat(run, 10)
    found: dict[str, Any] = {}
    for name, folder in (("", run), ("qat/", run / "variants/qat"), ("control/", run / "variants/control")):
        judged = tinyml("evaluate", folder)
        found |= {f"{name}{model}": judged[model]["auc"] for model in ("float32", "int8")}
    return found


def hard(chosen: argparse.Namespace, run: Path, seed: str) -> dict[str, Any]:
    """`ds_cnn` with scales far apart that compute the same, and one scale for the weights of a layer."""
    base = run.with_name(f"kws-{seed}")
    _base(base, seed, "kws", "--data", chosen.speech, *settings(*SHORT_KWS))
    if not (run / "model_int8.tflite").is_file():
        scale_channels(base, run, int(seed))
        tinyml("quantize", run, "--per-tensor", "--no-pictures")
        tinyml("convert", run)
    tinyml("quantize", run, "--per-tensor", "--equalise", "--as", "equalised", "--no-pictures")
    tinyml(
        "quantize", run, "--per-tensor", "--method", "qat", "--as", "qat", "--epochs", "5", "--no-pictures"
    )
    return _compared(run)


PARTS: dict[str, tuple[Part, str]] = {
    "kws": (kws, "speech"),
    "distillation": (distillation, "speech"),
    "hard": (hard, "speech"),
    "vww": (vww, "images"),
    "wand": (wand, "strokes"),
    "anomaly": (anomaly, "series"),
}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    for data in ("speech", "images", "strokes", "series"):
        parser.add_argument(f"--{data}", type=Path)
    parser.add_argument("--part", choices=PARTS, action="append", help="repeatable; all by default")
    parser.add_argument("--seeds", default="1,2,3")
    chosen = parser.parse_args()
    for name in chosen.part or PARTS:
        part, data = PARTS[name]
        if getattr(chosen, data) is None:
            print(f"{name}: left out, as there is no --{data}")
            continue
        for seed in chosen.seeds.split(","):
            told = chosen.out / f"{name}-{seed}.json"
            if not told.is_file():
                found = part(chosen, chosen.out / "runs" / f"{name}-{seed}", seed)
                write_atomic(told, json.dumps(found, indent=2) + "\n")
            print(json.dumps({"part": name, "seed": seed, **json.loads(told.read_text(encoding="utf-8"))}))


if __name__ == "__main__":
    main()
