"""The cost of image models: flash and arena of each network, training speed, memory of large sets.

python benchmarks/vww_costs.py sizes --out results/
python benchmarks/vww_costs.py speed
python benchmarks/vww_costs.py memory [--images 100000]

`sizes` runs each network through the pipeline on drawn figures, trained for one epoch: sizes do not depend on
the weights. `speed` extrapolates to COCO 2014, which is an estimate. `memory` reads a sparse cache of this
many images in random order while training, and reports the largest resident set.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from kws_common import tinyml

from tinyml_cli.engines.tflm import arena_bytes
from tinyml_cli.files import write_atomic
from tinyml_cli.images.image_augment import augment
from tinyml_cli.images.image_cache import ImageCache
from tinyml_cli.recipes.vww import ImageTrainingRecipe, VwwRecipe
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.training.image_batches import ImageBatches, ImageSet

NETWORKS = (
    ("mobilenet_v1", "--gray"),
    ("mobilenet_v1", "--rgb"),
    ("mobilenet_v2", "--rgb"),
    ("micro", "--gray"),
)
# train2014 and val2014, less the 8,059 of minival; 10 epochs are 18,000 batches.
COCO_IMAGES, COCO_EPOCHS = 82_783 + 40_504 - 8_059, 10
_SIZE, _BATCH, _STEPS = 96, 64, 12


def sizes(out: Path) -> list[dict[str, Any]]:
    """Model, flash and arenas of each network at 96 pixels."""
    rows = []
    for name, colour in NETWORKS:
        run = out / f"{name}{colour.replace('--', '_')}"
        options = ("--set", "source=procedural", "--set", "training.epochs=1", "--model", name, colour)
        tinyml("train", "vww", *options, "--run", run)
        tinyml("quantize", run)
        tinyml("convert", run)
        tinyml("export-c-array", run)
        built = tinyml("build", run, "--board", "sim")
        model = Run(run).file(MODEL_INT8).read_bytes()
        about = Run(run).manifest().model
        rows.append(
            {
                "network": name,
                "input": colour.removeprefix("--"),
                "parameters": about.parameters if about else None,
                "macs": about.macs if about else None,
                "model_bytes": len(model),
                "arena_aot_bytes": built["arena_bytes"],
                "arena_tflm_bytes": arena_bytes(model),
                "firmware_flash_bytes": built["flash_bytes"],
                "firmware_ram_bytes": built["ram_bytes"],
            }
        )
    return rows


class _Noise:
    """Images in memory."""

    def __init__(self, n: int, channels: int) -> None:
        self._pixels = np.random.default_rng(0).integers(0, 256, (n, _SIZE, _SIZE, channels), np.uint8)

    def rows(self, indices: np.ndarray) -> np.ndarray:
        return self._pixels[indices]


def speed() -> dict[str, Any]:
    """Images that one core trains on and varies in a second, by process time: other work does not count."""
    rows = []
    for name, channels in (("mobilenet_v1", 1), ("mobilenet_v1", 3), ("vww_micro", 1)):
        recipe = VwwRecipe(training=ImageTrainingRecipe(batch_size=_BATCH))
        n = _BATCH * _STEPS
        examples = ImageSet(_Noise(n, channels), np.arange(n), np.arange(n) % 2)
        model = _compiled(name, channels)
        batches = list(ImageBatches(examples, recipe).epoch(0))
        for inputs, targets, weights in batches[:2]:  # traces
            model.train_on_batch(inputs, targets, sample_weight=weights)
        started = time.process_time()
        for inputs, targets, weights in batches[2:]:
            model.train_on_batch(inputs, targets, sample_weight=weights)
        network_s = (time.process_time() - started) / (len(batches) - 2) / _BATCH
        pixels, rng = examples.images(0, _BATCH), np.random.default_rng(1)
        started = time.process_time()
        for _ in range(_STEPS):
            augment(pixels, recipe.augmentation, rng)
        augment_s = (time.process_time() - started) / n
        total = COCO_IMAGES * COCO_EPOCHS
        rows.append(
            {
                "network": name,
                "channels": channels,
                "augmented_per_core_s": round(1 / augment_s),
                "trained_per_core_s": round(1 / (network_s + augment_s), 1),
                "coco_core_hours_estimated": round(total * (network_s + augment_s) / 3600, 1),
                # A GPU takes the network's part to little; one process still varies the images.
                "coco_hours_augmentation_alone": round(total * augment_s / 3600, 1),
            }
        )
    return {"evidence": "host", "images": COCO_IMAGES, "epochs": COCO_EPOCHS, "rows": rows}


def memory(images: int) -> dict[str, Any]:
    """The largest resident set while a sparse cache of so many colour images is read at random."""
    with tempfile.TemporaryDirectory() as folder:
        path, index = Path(folder) / "images.u8", Path(folder) / "images.npz"
        file_bytes = images * _SIZE * _SIZE * 3
        with path.open("wb") as stream:
            stream.truncate(file_bytes)
        names = np.array([f"{n:016x}" for n in range(images)])
        np.savez(index, hashes=names, kept=np.arange(images), skipped="[]", shape=[images, _SIZE, _SIZE, 3])
        cache = ImageCache(path, index)
        model = _compiled("mobilenet_v1", 3)
        examples = ImageSet(cache, np.arange(images), np.arange(images) % 2)
        batches = ImageBatches(examples, VwwRecipe(training=ImageTrainingRecipe(batch_size=_BATCH)))
        for step, (inputs, targets, weights) in enumerate(batches.epoch(0)):
            if step == _STEPS:
                break
            model.train_on_batch(inputs, targets, sample_weight=weights)
        order = np.random.default_rng(0).permutation(images)
        for start in range(0, images, _BATCH):  # the rest of the epoch, read and not learnt
            cache.rows(np.sort(order[start : start + _BATCH]))
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"evidence": "host", "images": images, "file_bytes": file_bytes, "largest_resident_bytes": largest}


def _compiled(name: str, channels: int) -> Any:
    import keras

    from tinyml_cli.models import build_model

    model = build_model(name, (_SIZE, _SIZE, channels), 2, {})
    model.compile(optimizer=keras.optimizers.AdamW(1e-3), loss="categorical_crossentropy")
    return model


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("part", choices=("sizes", "speed", "memory"))
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--images", type=int, default=100_000)
    chosen = parser.parse_args()
    parts = {"sizes": lambda: sizes(chosen.out), "speed": speed, "memory": lambda: memory(chosen.images)}
    text = json.dumps(parts[chosen.part](), indent=2)
    write_atomic(chosen.out / f"vww_{chosen.part}.json", text + "\n")
    print(text)


if __name__ == "__main__":
    main()
