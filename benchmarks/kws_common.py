"""Shared by the keyword spotting benchmarks: every stage through the command line, timed."""

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
    """train (or go on with what was cut off), quantize, convert.

    Returns:
        The outcomes of train and convert, and the seconds from start to int8; of the last part
        alone, where it was cut off.
    """
    started = time.monotonic()
    started_before = (run / "logs" / "checkpoint" / "state.json").is_file()
    trained = tinyml("train", "kws", "--run", run, *options, *(["--resume"] if started_before else []))
    tinyml("quantize", run)
    converted = tinyml("convert", run)
    return {"train": trained, "convert": converted, "seconds_to_int8": round(time.monotonic() - started, 1)}
