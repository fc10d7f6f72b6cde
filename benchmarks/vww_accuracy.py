"""Accuracy of image training: small photographs from scratch, and MLPerf Tiny's network fine-tuned.

python benchmarks/vww_accuracy.py scratch --data natural_images/ --out results/ [--seed 1]
python benchmarks/vww_accuracy.py backbone --coco DIR --h5 vww_96.h5 --judge vww_96_int8.tflite --out DIR

`scratch` trains person against the rest on a folder per class; files are split by their hash. An interrupted
training resumes. `backbone` starts from a trained network, runs the whole pipeline, and
compares our int8 model with another conversion of the same network, image by image.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from kws_common import tinyml
from numpy.typing import NDArray

from tinyml_cli.files import write_atomic
from tinyml_cli.images.image_cache import decode_entry
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.tasks.vww.evaluate import ImageModel
from tinyml_cli.tflite import interpret

# Chosen by the validation accuracy of seed 1: photographs of 30 pixels bear less than those of a camera.
SCRATCH = (
    "augmentation.exposure_stops=[-0.5,0.3]",
    "augmentation.noise_share=0.2",
    "augmentation.noise_steps=4",
    "augmentation.blur_share=0.1",
    "augmentation.rgb565_share=0.2",
    "augmentation.contrast=0.2",
    "augmentation.saturation=0.3",
    "training.epochs=45",
    "training.class_weights={}",
    "training.learning_rate=0.003",
    "model.options.dropout=0.2",
)
BACKBONE = (
    "training.epochs=3",
    "model.frozen_epochs=1",
    "training.learning_rate=0.00002",
    "training.batch_size=16",
    "training.weight_average=0.9",
    "training.label_smoothing=0",
)
_SUFFIXES = (".jpg", ".jpeg", ".png")


def scratch(chosen: argparse.Namespace) -> dict[str, Any]:
    """Trains from scratch and judges the int8 model on the test split."""
    run = chosen.out / f"scratch_{chosen.seed}"
    timed = _train(run, chosen.data, "--size", "32", "--model", "micro", "--alpha", "2", *_sets(SCRATCH),
                   "--seed", str(chosen.seed), "--resume")  # fmt: skip
    outcome = tinyml("evaluate", run)
    kept = ("n", "int8", "float32", "auc", "agreement")
    return {"seed": chosen.seed, **timed, **{key: outcome[key] for key in kept}}


def backbone(chosen: argparse.Namespace) -> dict[str, Any]:
    """Trains a given network on, and compares with a given int8 form of it; as it is, too."""
    images = chosen.out / "coco"
    if not images.is_dir():
        tinyml("data", "build-vww", "--coco", chosen.coco, "--out", images)
    folders = {"coco": [images], "others": chosen.others or []}
    rows: dict[str, Any] = {}
    for name, sets in (("trained on", BACKBONE), ("as it is", ("training.epochs=0",))):
        run = chosen.out / name.replace(" ", "_")
        timed = _train(run, images, "--backbone", chosen.h5, *_sets(sets), "--seed", str(chosen.seed))
        rows[name] = timed | {
            group: _agreement(run, chosen.judge, _pictures(paths))
            for group, paths in folders.items()
            if paths
        }
        rows[name]["int8"] = tinyml("evaluate", run)["int8"]
    return {"seed": chosen.seed, **rows}


def _train(run: Path, data: Path, *options: str | Path) -> dict[str, Any]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    made = tinyml("train", "vww", "--data", data, "--rgb", "--run", run, *options)
    tinyml("quantize", run)
    tinyml("convert", run)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "n_train": made["n_train"],
        "validation": made["metrics"]["validation_accuracy"],
        "seconds_to_int8": round(time.monotonic() - started, 1),
        "cpu_seconds": round(cpu, 1),
    }


def _agreement(run: Path, judge: Path, pictures: list[Path]) -> dict[str, Any]:
    """How often both models give the same answer, with the 95 % Wilson interval."""
    manifest = Run(run).manifest()
    assert manifest.image is not None
    image = manifest.image
    pixels = np.stack([decode_entry(path, image.size, image.channels)[0] for path in pictures])
    ours = ImageModel(Run(run).file(MODEL_INT8).read_bytes(), image)
    mine = ours.run(ours.inputs(pixels))
    theirs = _judged(judge.read_bytes(), pixels)
    same = int((mine.argmax(axis=1) == theirs.argmax(axis=1)).sum())
    steps = np.abs(mine.astype(int) - theirs.astype(int))
    return {
        "n": len(pictures),
        "agreement": same / len(pictures),
        "ci95": list(wilson_interval(same, len(pictures))),
        "mean_difference": float(steps.mean() / 256),
    }


def _judged(model: bytes, pixels: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Outputs of a model whose int8 input is the pixel less 128, as MLPerf Tiny's is."""
    return interpret.run_int8(model, (pixels.astype(np.int16) - 128).astype(np.int8), "litert")


def _pictures(folders: list[Path]) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in _SUFFIXES)


def _sets(values: tuple[str, ...]) -> list[str]:
    return [part for value in values for part in ("--set", value)]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    from_scratch = parts.add_parser("scratch")
    from_scratch.add_argument(
        "--data", type=Path, required=True, help="a folder per class, `person` among them"
    )
    onwards = parts.add_parser("backbone")
    onwards.add_argument("--coco", type=Path, required=True, help="instances_*.json and images")
    onwards.add_argument("--h5", type=Path, required=True)
    onwards.add_argument("--judge", type=Path, required=True, help="another int8 form of the same network")
    onwards.add_argument(
        "--others", type=Path, nargs="*", help="further images to compare on, never trained on"
    )
    for part in (from_scratch, onwards):
        part.add_argument("--out", type=Path, required=True)
        part.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    row = scratch(chosen) if chosen.part == "scratch" else backbone(chosen)
    text = json.dumps(row, indent=2)
    write_atomic(chosen.out / f"vww_{chosen.part}_{chosen.seed}.json", text + "\n")
    print(text)


if __name__ == "__main__":
    main()
