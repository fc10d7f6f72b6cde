"""Every network for keyword spotting: size, work and accuracy in one table.

python benchmarks/kws_models.py --data speech_commands/ --out results/ --table docs/models.md

Each is trained by the recipe of `tinyml train kws` and tested on the held-out quarter of the speakers;
without --data, on held-out synthetic voices. A finished model stays in --out and is not trained again, so an
interrupted benchmark resumes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from kws_common import tinyml, train_to_int8

from tinyml_cli.files import write_atomic
from tinyml_cli.run import Run, board_model

MODELS = ("ds_cnn", "tiny_conv", "conv1d_sep", "bc_resnet", "stream_conv")
_JUDGED = 0.25  # share of speakers: the first of four folds
_BEGIN, _END = "<!-- measured by benchmarks/kws_models.py -->", "<!-- end -->"
_COLUMNS = (
    "model", "parameters", "MACs", "int8 B", "float32", "int8 (95 % interval)", "flash B", "RAM B", "arena B",
    "instructions", "per second",
)  # fmt: skip


def measure(name: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """Trains, evaluates and profiles one model."""
    run = chosen.out / "runs" / name
    options: list[str | Path] = ["--words", chosen.words, "--model", name, "--seed", chosen.seed]
    options += [part for key in chosen.set for part in ("--set", key)]
    if chosen.data is None:
        made = train_to_int8(run, *options)
        judged = tinyml("evaluate", run, "--no-noise")
    else:
        made = train_to_int8(run, *options, "--data", chosen.data, "--set", f"training.test_share={_JUDGED}")
        judged = tinyml("evaluate", run, "--data", chosen.data, "--split", "test", "--no-noise")
    return _row(name, Run(run), made, judged, tinyml("profile", run, "--board", "sim"))


def _row(
    name: str, run: Run, made: dict[str, Any], judged: dict[str, Any], profile: dict[str, Any]
) -> dict[str, Any]:
    manifest = run.manifest()
    assert manifest.model is not None and manifest.features is not None
    hop_ms = manifest.recognizer.inference_stride_frames * manifest.features.stride_ms
    memory = profile["memory"]
    return {
        "model": name,
        "parameters": manifest.model.parameters,
        "macs": profile["macs"],
        "int8_bytes": manifest.artifacts[board_model(manifest)].bytes,
        "n": judged["n"],
        "float32_accuracy": judged["float32"]["accuracy"],
        "int8_accuracy": judged["int8"]["accuracy"],
        "int8_ci95": judged["int8"]["ci95"],
        "flash_bytes": memory["flash_bytes"],
        "ram_bytes": memory["ram_bytes"],
        "arena_bytes": memory["arena_bytes"],
        "instructions": profile["instructions"],
        "instructions_per_second": round(profile["instructions"] * 1000 / hop_ms),
        "seconds_to_int8": made["seconds_to_int8"],
        "evidence": {"accuracy": "host", **profile["evidence"]},
    }


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table."""
    lines = [" | ".join(_COLUMNS), "|".join(["---"] + ["---:"] * (len(_COLUMNS) - 1))]
    for row in rows:
        low, high = row["int8_ci95"]
        cells = [
            f"`{row['model']}`",
            f"{row['parameters']:,}",
            f"{row['macs']:,}",
            f"{row['int8_bytes']:,}",
            f"{row['float32_accuracy']:.3f}",
            f"{row['int8_accuracy']:.3f} ({low:.3f}–{high:.3f})",
            *(f"{row[key]:,}" for key in ("flash_bytes", "ram_bytes", "arena_bytes")),
            f"{row['instructions']:,}",
            f"{row['instructions_per_second'] / 1e6:.1f} M",
        ]
        lines.append(" | ".join(cells))
    return "\n".join(f"| {line} |" for line in lines)


def insert(page: Path, rows: list[dict[str, Any]], condition: str) -> None:
    """Puts the table and what it was measured on between the page's two marks."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, found, after = rest.partition(_END)
    if not found:
        raise SystemExit(f"{page} lacks the lines {_BEGIN} and {_END}")
    write_atomic(page, f"{before}{_BEGIN}\n{condition}\n\n{markdown(rows)}\n{_END}{after}")


def _condition(chosen: argparse.Namespace, rows: list[dict[str, Any]]) -> str:
    """What the figures were measured on."""
    changed = f" changed by {', '.join(f'`{key}`' for key in chosen.set)}" if chosen.set else ""
    data = (
        "synthetic speech"
        if chosen.data is None
        else f"three quarters of the speakers of `{chosen.data.name}`"
    )
    judged = "voices kept aside" if chosen.data is None else "the others"
    counts = ", ".join(map(str, sorted({row["n"] for row in rows})))
    return (
        f"Words: {chosen.words}. Trained on {data} by the recipe of `tinyml train kws`{changed}, "
        f"seed {chosen.seed}; tested on {judged}, n = {counts} clips.\n"
        "Accuracy: host. Instructions: emulated (`sim`, engine `aot`). Flash and RAM: linked for `sim`."
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="recordings, Speech Commands layout; else synthetic speech")
    parser.add_argument("--out", type=Path, required=True, help="folder for runs and a JSON file per model")
    parser.add_argument("--table", type=Path, help="a Markdown page to put the table into")
    parser.add_argument("--model", action="append", choices=MODELS, help="repeatable; all by default")
    parser.add_argument("--words", default="yes,no")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as tinyml train")
    chosen = parser.parse_args()
    rows = []
    for name in chosen.model or MODELS:
        told = chosen.out / f"{name}.json"
        if not told.is_file():
            (chosen.out / "runs").mkdir(parents=True, exist_ok=True)
            write_atomic(told, json.dumps(measure(name, chosen)) + "\n")
        rows.append(json.loads(told.read_text(encoding="utf-8")))
        print(json.dumps(rows[-1]), flush=True)
    if chosen.table:
        insert(chosen.table, rows, _condition(chosen, rows))
    else:
        print(markdown(rows))


if __name__ == "__main__":
    main()
