"""Accuracy of the magic wand on strokes that people drew.

python benchmarks/wand.py --data strokes/ --out results/ [--suite recorded] [--held-out 6,7]

Suites: `recorded` trains on the strokes of all labels but the held-out ones and is judged by strokes that
it never met, those of the held-out labels among them, which it has to refuse; `generated` trains on strokes
that a model of a hand drew, and is judged by all recorded ones.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from kws_common import tinyml

from tinyml_cli.data.wand.strokes import read_folder, write_strokes
from tinyml_cli.files import write_atomic

SUITES = ("recorded", "generated")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="stroke files")
    parser.add_argument("--out", type=Path, required=True, help="folder for runs and a JSON file per suite")
    parser.add_argument("--suite", choices=SUITES, action="append", help="repeatable; both by default")
    parser.add_argument("--held-out", default="6,7", help="labels that training never meets")
    parser.add_argument("--seeds", default="1", help="separated by commas")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as tinyml train")
    chosen = parser.parse_args()
    for suite in chosen.suite or SUITES:
        for seed in chosen.seeds.split(","):
            told = chosen.out / f"{suite}-{seed}.json"
            if not told.is_file():
                write_atomic(told, json.dumps(_measure(suite, seed, chosen), indent=2) + "\n")
            print(json.dumps({"suite": suite, "seed": seed, **json.loads(told.read_text(encoding="utf-8"))}))


def _measure(suite: str, seed: str, chosen: argparse.Namespace) -> dict[str, Any]:
    strokes = read_folder(chosen.data)
    held_out = chosen.held_out.split(",") if suite == "recorded" else []
    labels = sorted({stroke.label for stroke in strokes} - set(held_out))
    run = chosen.out / "runs" / f"{suite}-{seed}"
    options: list[str | Path] = ["--labels", ",".join(labels), "--seed", seed]
    options += [part for key in chosen.set for part in ("--set", key)]
    with tempfile.TemporaryDirectory(prefix="tinyml-benchmark-") as folder:
        if suite == "recorded":
            write_strokes(Path(folder) / "known.json", [s for s in strokes if s.label in labels])
            options += ["--data", folder]
        trained = tinyml("train", "wand", "--run", run, *options)
        tinyml("quantize", run)
        converted = tinyml("convert", run)
        judged = tinyml(
            "evaluate", run, "--data", chosen.data, "--split", "test" if suite == "recorded" else "all"
        )
    return {
        "evidence": "measured on the host",
        "note": judged["note"],
        "train_seconds": trained["seconds"],
        "int8_bytes": converted["int8"]["bytes"],
        "n": judged["n"],
        "without_threshold": {m: judged[m]["accuracy"] for m in ("int8", "float32")},
        "at_threshold": judged["at_threshold"],
    }


if __name__ == "__main__":
    main()
