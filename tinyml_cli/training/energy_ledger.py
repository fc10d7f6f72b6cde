"""What all trainings of a runs folder took, also those whose run was trained again, stopped or removed.

    runs/.energy.jsonl    a line for each training, fine-tuning included

A training that is killed has no time for its line.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli.documents import UnreadableError, parse_json
from tinyml_cli.files import runs_dir
from tinyml_cli.run_folder import CHECKPOINT
from tinyml_cli.training.energy import EnergyMeter, metered

LEDGER = ".energy.jsonl"

_is_counting = False


@dataclass(frozen=True)
class Spent:
    """One training.

    Attributes:
        run: its name in the runs folder.
        model: SHA-256 of the model that came of it; empty where it was stopped.
        figures: seconds and energy, as `metrics.train` of a manifest names them.
    """

    run: str
    model: str
    figures: Mapping[str, Any]


@contextlib.contextmanager
def spending(run: Path, model: Callable[[], str]) -> Iterator[EnergyMeter]:
    """Around a training: measures it, and enters it, if a run in the runs folder has something of it.

    Args:
        run: its folder.
        model: gives the hash of the model that came of it; "" where a manifest tells nothing of its time.
    """
    global _is_counting
    if _is_counting:  # a part of a training that is counted
        with metered() as meter:
            yield meter
        return
    started, is_done = time.monotonic(), False
    _is_counting = True
    try:
        with metered() as meter:
            yield meter
        is_done = True
    finally:
        _is_counting = False
        if is_done or (run / CHECKPOINT / "state.json").is_file():
            took = {"seconds": round(time.monotonic() - started, 1), **meter.figures()}
            _enter(run, model() if is_done else "", took)


def _enter(run: Path, model: str, figures: Mapping[str, Any]) -> None:
    root = runs_dir().resolve()
    place = run.resolve()
    if not place.is_relative_to(root) or place == root or not place.is_dir():
        return
    entry = {"at": int(time.time()), "run": place.relative_to(root).as_posix(), "model": model, **figures}
    with contextlib.suppress(OSError), (root / LEDGER).open("ab") as stream:
        stream.write(json.dumps(entry).encode() + b"\n")


def read() -> list[Spent]:
    """All trainings, in order; a damaged line is left out."""
    found = []
    with contextlib.suppress(OSError):
        for line in (runs_dir() / LEDGER).read_bytes().splitlines():
            with contextlib.suppress(UnreadableError, UnicodeDecodeError, KeyError, TypeError, ValueError):
                entry = parse_json(line.decode())
                figures = {key: entry[key] for key in entry if key.startswith("energy_")}
                figures["seconds"] = float(entry["seconds"])
                found.append(Spent(str(entry["run"]), str(entry["model"]), figures))
    return found
