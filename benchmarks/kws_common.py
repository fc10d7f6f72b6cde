"""What the keyword spotting benchmarks share: every stage through the command line, timed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def tinyml(*arguments: str | Path) -> Any:
    """Runs one command with --json and returns its object; its messages go to stderr."""
    command = [sys.executable, "-m", "tinyml_cli", *map(str, arguments), "--json"]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed: {process.stdout}")
    return json.loads(process.stdout)


def train_to_int8(run: Path, *options: str | Path) -> dict[str, Any]:
    """train, quantize, convert.

    Returns:
        The outcomes of train and convert, and the seconds from start to int8.
    """
    started = time.monotonic()
    trained = tinyml("train", "kws", "--run", run, *options)
    tinyml("quantize", run)
    converted = tinyml("convert", run)
    return {"train": trained, "convert": converted, "seconds_to_int8": round(time.monotonic() - started, 1)}


def report(made: dict[str, Any], judged: dict[str, Any]) -> None:
    """Prints the figures that the README quotes, one JSON object."""
    int8, float32 = judged["int8"], judged["float32"]
    figures = {
        "evidence": "measured on the host",
        "n": judged["n"],
        "labels": judged["labels"],
        "int8_accuracy": int8["accuracy"],
        "int8_ci95": int8["ci95"],
        "float32_accuracy": float32["accuracy"],
        "int8_confusion": int8["confusion"],
        "int8_bytes": made["convert"]["int8"]["bytes"],
        "n_train": made["train"]["n_train"],
        "seconds_to_int8": made["seconds_to_int8"],
        "note": judged.get("note"),
    }
    print(json.dumps(figures, indent=2))
