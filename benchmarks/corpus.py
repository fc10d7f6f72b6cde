"""Surveys other people's .tflite files: which open, which engine takes them, and whether bytes equal TFLM's.

python benchmarks/corpus.py DIR… --out corpus.jsonl [--sim] [--inputs 8] [--timeout 120]

Each distinct file (by SHA-256) in the folders is processed in its own process with a time limit, small files
first. It is inspected, reduced to its first signature if it has several, converted from uint8 to int8, and
exported for both engines. What `aot` takes is compiled for this computer, and its outputs are compared with
those of TensorFlow Lite Micro's Python runtime over random inputs, one inference after another. With --sim,
models of one int8 input and output that fit into the emulated Cortex-M4 (4 MiB flash, 256 KiB RAM) also run
there, which gives instructions and flash.

Finished results stay in OUT, one JSON object per line, so an interrupted run resumes. The summary counts:

* tracebacks: exceptions other than TinymlError, and processes ended by a signal outside TFLM's runtime;
* differing bytes, of how many;
* false refusals: models with int8 or int16 operators that TFLM's runtime runs and the engine tflm refuses.

Exits with 1 if one of these is not 0. Uses the build helpers of tests/engines; needs a C compiler.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from profile_models import markdown

from tests.engines import many_networks, network_builds
from tinyml_cli.console import console
from tinyml_cli.engines.aot.ops import LOWERINGS
from tinyml_cli.engines.export import ENGINES, export
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.inspection import report
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.tflite import interpret, write
from tinyml_cli.tflite.graph import Graph, parse

HEAD = [
    "model",
    "kind",
    "aot",
    "tflm",
    "TFLM runs it",
    "differing bytes",
    "instructions",
    "arena B",
    "flash B",
]
SEED = 11
_SIM_INPUTS = 2
_SIM_FLASH, _SIM_RAM = 4 << 20, 256 << 10  # tests/firmware/aot_harness/link.ld
_SIM_REST = 16 << 10  # code in flash; stack and text in RAM
_REASON = 300
_LINES, _ERRORS = "lines", "errors"


def examine(path: Path, inputs: int, sim: bool) -> None:
    """Prints what is known of a model after each stage, a line each: the last one counts."""
    row: dict[str, Any] = {"stage": "inspect"}
    say(row)
    try:
        found = report.inspect(report.find(str(path)))
        row |= {"kind": found.kind, "stage": "bring"}
        signatures = [each.key for each in found.signatures]
        say(row)
        run = open_run(path, signatures[0] if len(signatures) > 1 else None)
        data = run.file(MODEL_INT8).read_bytes()
        graph = parse(data, str(path))
        names = {each.name for each in graph.operators}
        row |= {engine: exported(run, engine) for engine in ENGINES}
        row |= {
            "missing": sorted(names - set(LOWERINGS)),
            "integer": any(graph.tensors[index].dtype in ("int8", "int16") for index in graph.computed),
            "arena_bytes": run.manifest().arena_bytes.get("aot"),
        }
        compare(row, data, graph, inputs, sim)
        row["stage"] = "end"
    except TinymlError as error:
        row["refused"] = error.what[:_REASON]
    except Exception:
        row["traceback"] = traceback.format_exc()
    say(row)


def exported(run: Run, engine: str) -> str:
    """Why an engine refuses a run's model; empty where it takes it."""
    try:
        export(run, engine)
    except TinymlError as error:
        return error.what[:_REASON]
    return ""


def compare(row: dict[str, Any], data: bytes, graph: Graph, inputs: int, sim: bool) -> None:
    """Adds what TFLM's runtime says, and where `aot` takes the model, the bytes that differ from it."""
    rng = np.random.default_rng(SEED)
    samples = [
        [many_networks.random_values(graph.tensors[index], rng, kind) for index in graph.inputs]
        for kind in range(inputs)
    ]
    row |= {"stage": "TFLM", "tflm_runs": False}
    say(row)
    try:
        expected = interpret.run(data, [np.stack(each) for each in zip(*samples, strict=True)], "tflm")
    except (TinymlError, RuntimeError) as error:
        row["tflm_said"] = str(error)[:_REASON]
        return
    row |= {"stage": "aot", "tflm_runs": True}
    say(row)
    if row["aot"]:
        return
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        built = many_networks.build([data], Path(folder))[0]
        answers = [built.run(sample) for sample in samples]
        ours = [np.stack(each) for each in zip(*answers, strict=True)]
        row |= {
            "bytes": sum(each.nbytes for each in expected),
            "differing": sum(differing(mine, theirs) for mine, theirs in zip(ours, expected, strict=True)),
        }
        if sim and is_byte_model(graph) and fits_sim(len(data), row["arena_bytes"]):
            row["stage"] = "sim"
            say(row)
            given = np.stack([sample[0].reshape(-1) for sample in samples[:_SIM_INPUTS]])
            board = network_builds.run_sim(built.network, Path(folder) / "0", given)
            row |= {
                "sim_bytes": board.outputs.size,
                "sim_differing": differing(board.outputs, expected[0][: len(given)]),
                "instructions": board.instructions,
                "flash_bytes": board.flash_bytes,
            }


def differing(ours: np.ndarray, theirs: np.ndarray) -> int:
    """Bytes."""
    left, right = (np.ascontiguousarray(each).reshape(-1).view(np.uint8) for each in (ours, theirs))
    return int(np.count_nonzero(left != right))


def is_byte_model(graph: Graph) -> bool:
    """One int8 input and one int8 output."""
    ends = [graph.tensors[index] for index in (*graph.inputs, *graph.outputs)]
    return len(graph.inputs) == len(graph.outputs) == 1 and all(each.dtype == "int8" for each in ends)


def fits_sim(model_bytes: int, arena_bytes: int) -> bool:
    """Whether the emulated board has memory for a model."""
    return model_bytes + _SIM_REST <= _SIM_FLASH and arena_bytes + _SIM_REST <= _SIM_RAM


def say(row: dict[str, Any]) -> None:
    """One line."""
    print(json.dumps(row), flush=True)


def examined(path: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """What a process of its own found out about a model.

    It is forked where the system can: importing TFLM's and LiteRT's runtimes takes longer than a small model.
    """
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        child = multiprocessing.get_context(method).Process(
            target=examine_alone, args=(path, chosen, Path(folder)), daemon=True
        )
        child.start()
        try:
            child.join(chosen.timeout)
        finally:
            if overdue := child.is_alive():
                end(child.pid or 0)
                child.join()
        lines = Path(folder, _LINES).read_bytes().splitlines(keepends=True)
        said = Path(folder, _ERRORS).read_text(encoding="utf-8", errors="replace")
    # What came before its end is worth having.
    found = [line for line in lines if line.startswith(b"{") and line.endswith(b"\n")]
    row: dict[str, Any] = json.loads(found[-1]) if found else {"stage": "start"}
    if overdue or child.exitcode:
        row["ended"] = f"not done in {chosen.timeout:g} s" if overdue else f"ended with {child.exitcode}"
        row["said"] = said[-_REASON:]
    return row


def import_runtimes() -> None:
    """Imports once, for all forks, what is imported when it is needed."""
    interpret.has_tflm()
    write.schema()
    with contextlib.suppress(ImportError):
        import ai_edge_litert.interpreter  # noqa: F401


def examine_alone(path: Path, chosen: argparse.Namespace, folder: Path) -> None:
    """Examines a model in this process; what it and the runtimes say goes to files in a folder."""
    if hasattr(os, "setsid"):
        os.setsid()  # compilers and emulator end with it
    for number, name in ((1, _LINES), (2, _ERRORS)):
        with Path(folder, name).open("wb") as file:
            os.dup2(file.fileno(), number)
    os.environ["TINYML_RUNS"] = str(folder / "runs")
    examine(path, chosen.inputs, chosen.sim)


def end(process_id: int) -> None:
    """Kills a process and those that it started."""
    if hasattr(os, "killpg"):
        os.killpg(process_id, signal.SIGKILL)
    else:
        os.kill(process_id, signal.SIGTERM)


def counts(row: dict[str, Any]) -> dict[str, bool]:
    """What of the bar a model breaks."""
    crashed = str(row.get("ended", "")).startswith("ended") and row["stage"] != "TFLM"
    return {
        "traceback": "traceback" in row or crashed,
        "differs": bool(row.get("differing") or row.get("sim_differing")),
        "false refusal": bool(row.get("tflm_runs") and row.get("integer") and row.get("tflm")),
    }


def cells(row: dict[str, Any]) -> list[str]:
    """Under HEAD."""
    taken = ["—" if each is None else each or "yes" for each in (row.get("aot"), row.get("tflm"))]
    runs = {None: "", True: "yes", False: row.get("tflm_said") or row.get("ended") or "no"}
    bytes_ = "" if "bytes" not in row else f"{row['differing']} of {row['bytes']:,}"
    if "sim_bytes" in row:
        bytes_ += f"; sim {row['sim_differing']} of {row['sim_bytes']:,}"
    if broken := row.get("refused") or row.get("traceback", "").strip().rpartition("\n")[2]:
        taken[0] = broken
    figures = [row.get(name) for name in ("instructions", "arena_bytes", "flash_bytes")]
    texts = [f"`{row['name']}`", row.get("kind", "—"), *taken, runs[row.get("tflm_runs")], bytes_]
    texts += ["" if each is None else f"{each:,}" for each in figures]
    return [text.replace("|", "\\|").replace("\n", " ") for text in texts]


def summary(rows: list[dict[str, Any]]) -> str:
    """The figures of all models."""
    tallies = {name: sum(counts(row)[name] for row in rows) for name in counts({"stage": ""})}
    compared = [row for row in rows if "bytes" in row]
    emulated = [row for row in rows if "sim_bytes" in row]
    taken = {name: sum(row.get(name) == "" for row in rows) for name in ("aot", "tflm")}
    refusals = Counter(
        name
        for row in rows
        if row.get("aot")
        for name in (row["missing"] or ["type or shape: " + row["kind"]])
    )
    lines = [
        f"{len(rows)} models, {sum('refused' in row for row in rows)} not opened, "
        f"{sum(str(row.get('ended', '')).startswith('not') for row in rows)} over time",
        f"taken by aot: {taken['aot']}, by tflm: {taken['tflm']}, run by TFLM's Python runtime: "
        f"{sum(bool(row.get('tflm_runs')) for row in rows)}",
        f"native: {len(compared)} models, {sum(row['bytes'] for row in compared):,} output bytes, "
        f"{sum(row['differing'] for row in compared)} differ",
        f"sim: {len(emulated)} models, {sum(row['sim_bytes'] for row in emulated):,} output bytes, "
        f"{sum(row['sim_differing'] for row in emulated)} differ",
        f"tracebacks: {tallies['traceback']}, models that differ: {tallies['differs']}, "
        f"false refusals of tflm: {tallies['false refusal']}",
        "kinds: " + listed(Counter(row.get("kind", "not opened") for row in rows)),
        "what aot refuses: " + listed(refusals),
    ]
    return "\n".join(lines)


def listed(counter: Counter[str]) -> str:
    """Most frequent first."""
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())


def known(out: Path) -> dict[str, dict[str, Any]]:
    """Rows of an earlier run by digest."""
    if not out.is_file():
        return {}
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    return {row["sha256"]: row for row in rows}


def main() -> int:
    """0 when nothing breaks the bar, 1 when something does."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="folders with .tflite files")
    parser.add_argument("--out", type=Path, default=Path("corpus.jsonl"), help="the rows, kept")
    parser.add_argument("--inputs", type=int, default=8, help="of each model")
    parser.add_argument("--sim", action="store_true", help="also on the emulated board, instructions counted")
    parser.add_argument("--timeout", type=float, default=120, help="seconds for a model")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the child is ended too
    paths = sorted(path for folder in chosen.folders for path in folder.rglob("*.tflite"))
    models = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in reversed(paths)}
    rows = known(chosen.out)
    options = {"inputs": chosen.inputs, "sim": chosen.sim}
    waiting = [(d, p) for d, p in models.items() if rows.get(d, {}).get("options") != options]
    waiting.sort(key=lambda pair: pair[1].stat().st_size)
    import_runtimes()
    # A line each, not a bar: a bar is a thread, and threads and forks do not mix.
    for number, (digest, path) in enumerate(waiting, 1):
        identity = {"sha256": digest, "name": f"{path.parent.name}/{path.stem}", "options": options}
        row = rows[digest] = identity | examined(path, chosen)
        write_atomic(chosen.out, "".join(json.dumps(row) + "\n" for row in rows.values()))
        broken = [name for name, is_so in counts(row).items() if is_so]
        console.info(f"{number} of {len(waiting)}: {identity['name']} {', '.join(broken)}")
    mine = sorted((rows[digest] for digest in models), key=lambda row: str(row["name"]))
    console.info(markdown(HEAD, [cells(row) for row in mine]) + "\n\n" + summary(mine))
    return int(any(any(counts(row).values()) for row in mine))


if __name__ == "__main__":
    sys.exit(main())
