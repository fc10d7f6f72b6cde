"""Small data sets of anomalies, and runs that were trained on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tinyml_cli import recipes
from tinyml_cli.conversion.convert import convert
from tinyml_cli.run import Run
from tinyml_cli.stages.calibrate import quantize
from tinyml_cli.tasks.anomaly.task import ANOMALY

SIMULATED: dict[str, Any] = {
    "simulation.normal_sessions": 16,
    "simulation.fault_sessions": 2,
    "simulation.session_s": 30,
    "training.epochs": 25,
    "threshold.fpr": 0.05,
}


def train(path: Path, data: Path | None = None, **values: Any) -> Run:
    """A run with both flatbuffers and a threshold."""
    run = Run.create(path)
    keys = {key.replace("__", "."): value for key, value in values.items()}
    merged = {**SIMULATED, **keys, "data_path": None if data is None else str(data)}
    ANOMALY.train(run, recipes.resolve("anomaly", None, [], merged))
    quantize(run)
    convert(run)
    return run


def write_beats(path: Path, faults: int = 30, seed: int = 0) -> Path:
    """Windows as text: two bumps; a fault lacks the second, label 2."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, 40)
    lines = []
    for index in range(160 + faults):
        wave = 3 * np.exp(-(((time - 0.3 - rng.normal(0, 0.01)) / 0.08) ** 2))
        if index < 160:
            wave += rng.normal(1.5, 0.1) * np.exp(-(((time - 0.7) / 0.1) ** 2))
        label = 1 if index < 160 else 2
        noise = np.random.default_rng([seed, index]).normal(0, 0.05, 40)
        lines.append(" ".join(f"{value:.6e}" for value in (label, *(wave + noise))))
    path.mkdir(parents=True, exist_ok=True)
    (path / "beats.txt").write_text("\n".join(lines) + "\n")
    return path


def write_sounds(path: Path) -> Path:
    """A humming machine as WAV files; a fault whines."""
    rng = np.random.default_rng(3)
    time = np.arange(16000) / 16000
    for name, count, whine in (("normal", 16, 0.0), ("anomaly", 4, 0.15)):
        for index in range(count):
            hum = 0.2 * np.sin(2 * np.pi * 220 * time) + 0.1 * np.sin(
                2 * np.pi * 440 * time + rng.uniform(0, 6)
            )
            audio = hum + whine * np.sin(2 * np.pi * 3100 * time) + rng.normal(0, 0.02, len(time))
            path.mkdir(parents=True, exist_ok=True)
            soundfile.write(path / f"{name}_{index:02d}.wav", audio.astype(np.float32), 16000)
    return path
