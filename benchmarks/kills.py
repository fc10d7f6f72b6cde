"""Kills pipelines of all four tasks at random moments, and counts what a kill must not leave behind.

python benchmarks/kills.py --out kills/ [--kills 200] [--seed 0]

For each task, a pipeline with tiny settings runs to its end without interruption: the reference. Then the
same pipeline is started again and killed (SIGINT, SIGTERM, SIGHUP or SIGKILL) after a random share of the
reference's time, up to MOST_CUTS times, and then left to finish. Counted:

* invalid manifests: those that do not open;
* artifacts accepted that should not be: a run that counts as trained though its training was not complete, or
  an int8 model other than the reference's that counts as fresh;
* orphans: processes of the pipeline that are alive 3 s after it;
* late: a process that does not end within 2 s of SIGINT, SIGTERM or SIGHUP, or with another exit code;
* temporary files in the run's folder, its cache and TMPDIR after the next command;
* int8 models of interrupted pipelines that differ from the reference.

Finished results stay in OUT/kills.jsonl, so an interrupted benchmark resumes. Linux only: processes are found
in /proc. On a busy computer, `late` includes its waiting times.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli import recipes
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import sha256_file
from tinyml_cli.locks import NAMES as LOCKS
from tinyml_cli.run import MANIFEST, MODEL_INT8, RECIPE, Run
from tinyml_cli.stages import common as stages

TASKS = {
    "wand": ["--labels", "0,1", "--set", "training.epochs=4", "--set", "training.epoch_examples=200"],
    "anomaly": [
        "--method", "autoencoder", "--set", "training.epochs=20", "--set", "simulation.normal_sessions=16",
        "--set", "simulation.fault_sessions=2", "--set", "simulation.session_s=30", "--fpr", "0.05",
    ],
    "vww": [
        "--size", "16", "--model", "micro", "--set", "source=procedural", "--set", "training.epochs=3",
        "--set", "training.batch_size=32", "--set", "model.options.stem_filters=8",
    ],
    "kws": [
        "--words", "yes", "--set", "training.epochs=3", "--set", "synthesis.clips_per_word=120",
        "--set", "synthesis.unknown_clips=120", "--set", "augmentation.copies=1",
        "--set", "model.options={stem_filters: 8, blocks: [[16, 2]]}",
    ],
}  # fmt: skip
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGKILL")
CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129, "SIGKILL": -9}
MOST_CUTS = 10
_MARK = "TINYML_BENCHMARK_MARK"


@dataclass(frozen=True)
class Place:
    """One pipeline and the folders that it writes to."""

    task: str
    folder: Path

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def start(self, mark: str) -> subprocess.Popen[bytes]:
        for name in ("tmp", "cache"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tinyml_cli", "pipeline", self.task, *TASKS[self.task]]
        command += ["--board", "native", "--run", str(self.run), "--no-gate", "--quiet"]
        environment = {
            "TMPDIR": str(self.folder / "tmp"), "TINYML_CACHE": str(self.folder / "cache"), _MARK: mark,
            "TINYML_RUNS": str(self.folder),
        }  # fmt: skip
        log = (self.folder / "log.txt").open("ab")
        return subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)

    def temporary(self) -> list[str]:
        """Files that only a writer in the middle of its work would have there."""
        left = [*(self.folder / "tmp").iterdir(), *(self.folder / "cache").rglob(".tinyml-*")]
        left += [path for path in self.run.rglob(".*") if path.name not in LOCKS]
        return [str(path) for path in left if ".pio" not in path.parts]


def processes(mark: str) -> list[int]:
    """Processes with this mark in their environment, which children inherit."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{_MARK}={mark}".encode() in (folder / "environ").read_bytes():
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                found += [int(folder.name)] if state != "Z" else []
        except OSError:
            continue
    return found


def kill(place: Place, after_s: float, name: str) -> dict[str, Any]:
    """Starts a pipeline, sends it a signal, and looks at what is left."""
    mark = uuid.uuid4().hex
    process = place.start(mark)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    ended_before = process.poll() is not None
    sent = time.monotonic()
    if not ended_before:
        process.send_signal(getattr(signal, name))
    code = process.wait()
    took_s = time.monotonic() - sent
    ended_before |= code == 0  # the signal came after the work, and is ignored then
    time.sleep(3)
    orphans = processes(mark)
    for orphan in orphans:
        os.kill(orphan, signal.SIGKILL)
    return {
        "signal": name,
        "after_s": round(after_s, 2),
        "ended_before": ended_before,
        "seconds": round(took_s, 2),
        "late": not ended_before and name != "SIGKILL" and (took_s > 2 or code != CODES[name]),
        "code": code,
        "orphans": len(orphans),
    }


def wrongs(place: Place, reference: str) -> dict[str, int]:
    """Invalid manifests, and artifacts that a later stage would take though it should not."""
    run, found = Run(place.run), {"invalid": 0, "taken": 0}
    if not run.file(MANIFEST).is_file():
        return found
    try:
        manifest = run.manifest(partial=True)
    except TinymlError:
        return {"invalid": 1, "taken": 0}
    is_trained = stages.is_trained(run, recipes.load(run.file(RECIPE)))
    if is_trained and (not manifest.complete or run.stopped_after() is not None):
        found["taken"] += 1
    if manifest.complete and run.is_fresh(manifest, MODEL_INT8):
        found["taken"] += manifest.artifacts[MODEL_INT8].sha256 != reference
    return found


def whole(place: Place) -> tuple[str, float, list[str]]:
    """Lets a pipeline end: the int8 model's SHA-256, seconds, and temporary files that it left."""
    started = time.monotonic()
    code = place.start(uuid.uuid4().hex).wait()
    if code != 0:
        sys.exit(f"{place.folder}: the pipeline ended with {code}, see log.txt")
    seconds = time.monotonic() - started
    return sha256_file(place.run / MODEL_INT8), seconds, place.temporary()


def reference_of(place: Place) -> dict[str, Any]:
    """An uncut pipeline, twice: the second time with its cache filled, as those are that are cut."""
    shutil.rmtree(place.folder, ignore_errors=True)
    sha256, _, _ = whole(place)
    shutil.rmtree(place.run)
    again, seconds, left = whole(place)
    return {"sha256": sha256, "repeats": sha256 == again, "seconds": seconds, "temporary": left}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The counts over all kills."""
    kills = [row for row in rows if row["kind"] == "kill" and not row["ended_before"]]
    ends = [row for row in rows if row["kind"] == "end"]
    totals = {key: sum(row[key] for row in kills) for key in ("invalid", "taken", "orphans", "late")}
    return {
        "kills": len(kills),
        "by_signal": dict(Counter(row["signal"] for row in kills)),
        "by_task": dict(Counter(row["task"] for row in kills)),
        **totals,
        "slowest_s": max((row["seconds"] for row in kills if row["signal"] != "SIGKILL"), default=None),
        "pipelines": len(ends),
        "temporary": sum(len(row["temporary"]) for row in ends),
        "int8_equal": sum(row["equal"] for row in ends),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tasks", default=",".join(TASKS))
    asked = parser.parse_args()
    # A shell's background job ignores SIGINT, and its children would.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asked.out.mkdir(parents=True, exist_ok=True)
    log = asked.out / "kills.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []

    def note(kind: str, task: str, **row: Any) -> dict[str, Any]:
        entry = {"kind": kind, "task": task, **row}
        rows.append(entry)
        with log.open("a") as stream:
            stream.write(json.dumps(entry) + "\n")
        return entry

    tasks = asked.tasks.split(",")
    references = {row["task"]: row for row in rows if row["kind"] == "reference"}
    number = len(rows)
    while summary(rows)["kills"] < asked.kills:
        chance = random.Random(f"{asked.seed}-{number}")
        task = tasks[number % len(tasks)]
        number += 1
        if task not in references:
            uncut = reference_of(Place(task, asked.out / f"{task}-reference"))
            references[task] = note("reference", task, **uncut)
        reference = references[task]
        place = Place(task, asked.out / f"{task}-cut")
        shutil.rmtree(place.folder, ignore_errors=True)
        shutil.copytree(asked.out / f"{task}-reference" / "cache", place.folder / "cache", symlinks=True)
        for _ in range(chance.randint(1, MOST_CUTS)):
            cut = kill(place, chance.uniform(0.3, 0.9 * reference["seconds"]), chance.choice(SIGNALS))
            note("kill", task, **cut, **wrongs(place, reference["sha256"]))
            if cut["ended_before"]:
                break
        sha256, seconds, left = whole(place)
        note("end", task, equal=sha256 == reference["sha256"], seconds=seconds, temporary=left)
        print(json.dumps(summary(rows)), flush=True)


if __name__ == "__main__":
    main()
