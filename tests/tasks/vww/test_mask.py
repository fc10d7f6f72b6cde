"""The transfer-learning lab as commands: bad files are counted, a killed training is gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Answer, Tinyml

pytest.importorskip("tensorflow", reason="extra `train` is not installed")


def faces(root: Path, count: int = 60) -> Path:
    """Noise, with a bright lower half for a mask; and files that are none."""
    rng = np.random.default_rng(3)
    for name, brightness in (("without_mask", 0), ("with_mask", 90)):
        (root / name).mkdir(parents=True)
        for index in range(count):
            pixels = rng.integers(40, 120, (20, 20, 3), np.uint8)
            pixels[10:] += np.uint8(brightness)
            Image.fromarray(pixels).save(root / name / f"{index}.jpg", quality=95)
    whole = (root / "with_mask" / "0.jpg").read_bytes()
    (root / "with_mask" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (1, 1)).save(root / "without_mask" / "pixel.png")
    Image.fromarray(rng.integers(0, 255, (20, 20, 4), np.uint8), "CMYK").save(
        root / "without_mask" / "print.jpg"
    )
    return root


def backbone(path: Path) -> Path:
    """A small network as somebody may have trained it, for another number of classes."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    body = [
        layers.Conv2D(8, 3, strides=2), layers.BatchNormalization(), layers.ReLU(),
        layers.Conv2D(8, 3), layers.ReLU(), layers.GlobalAveragePooling2D(),
    ]  # fmt: skip
    keras.Sequential([keras.Input((16, 16, 3)), *body, layers.Dense(5, activation="softmax")]).save(path)
    return path


def command(folder: Path) -> list[str]:
    """Trains a mask detector in a folder."""
    sets = (
        "training.epochs=8",
        "training.batch_size=8",
        "training.learning_rate=0.02",
        "model.frozen_epochs=1",
    )
    return [
        "train", "mask", "--data", str(faces(folder / "faces")), "--size", "16",
        "--backbone", str(backbone(folder / "body.h5")), "--run", str(folder / "run"),
        *(part for value in sets for part in ("--set", value)),
    ]  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    return {"TINYML_CACHE": str(folder / "cache"), "TINYML_RUNS": str(folder)}


def check_outcome(answer: Answer, folder: Path) -> None:
    assert answer.json["metrics"]["epochs"] == 8
    assert answer.json["metrics"]["validation_accuracy"] > 0.8
    notes = " ".join(answer.json["notes"])
    assert "cut.jpg" in notes and "pixel.png" in notes and "print.jpg" not in notes
    manifest = json.loads((folder / "run" / "manifest.json").read_text())
    assert manifest["data"]["notes"] == answer.json["notes"]  # the report lists them


def test_masks_are_learnt_and_what_was_left_out_is_told(tinyml: Tinyml, tmp_path: Path) -> None:
    check_outcome(tinyml(*command(tmp_path), "--json", cwd=tmp_path, env=environment(tmp_path)), tmp_path)


@pytest.mark.slow
def test_a_killed_training_goes_on(tinyml: Tinyml, tmp_path: Path) -> None:
    options = command(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "tinyml_cli", *options],
        cwd=tmp_path, env=os.environ | environment(tmp_path),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    state = tmp_path / "run" / "logs" / "checkpoint" / "state.json"
    deadline = time.monotonic() + 120
    while not state.is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    process.wait()
    assert state.is_file()
    assert not (tmp_path / "run" / "manifest.json").exists()
    before = json.loads(state.read_text())["epochs_done"]
    assert before < 8
    answer = tinyml(*options, "--resume", "--json", cwd=tmp_path, env=environment(tmp_path))
    assert f"Resuming after epoch {before}" in answer.err
    check_outcome(answer, tmp_path)


def test_an_empty_class_and_no_data_are_explained(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "faces" / "with_mask").mkdir(parents=True)
    (tmp_path / "faces" / "without_mask").mkdir()
    Image.new("RGB", (20, 20)).save(tmp_path / "faces" / "with_mask" / "a.png")
    answer = tinyml("train", "mask", "--data", tmp_path / "faces", "--json", cwd=tmp_path, code=2)
    assert "without_mask" in answer.json["error"]["what"]
    answer = tinyml("train", "vww", "--json", cwd=tmp_path, code=2)
    assert "tinyml data download vww" in answer.json["error"]["next_step"]
