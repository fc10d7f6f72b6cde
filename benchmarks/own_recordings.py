"""The value of a few recordings of your own: synthetic speech alone, own clips alone, and both.

python benchmarks/own_recordings.py --data speech_commands/ --out results/ [--quick] [--picture FILE.png]

"Own" clips are some of the clips of a few speakers of the data (the team). Every model is tested on other
clips of the same people, used for no training, and on strangers. Finished trainings stay in --out and are
not repeated, so an interrupted benchmark resumes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from kws_common import tinyml, train_to_int8

from tinyml_cli.data.folder import SILENCE_FOLDER
from tinyml_cli.data.speakers import has_speaker, speaker_of
from tinyml_cli.files import atomic_path, write_atomic

COUNTS = (1, 3, 10, 30)
# `--data` takes no fewer: a model cannot be validated on less.
FEWEST_ALONE = 10
# Members of the team, and clips of each word that each of them gives; the others of theirs judge.
TEAM, GIVEN = 15, 2
QUICK = ("synthesis.clips_per_word=150", "synthesis.unknown_clips=600", "training.epochs=12")


def choose_team(data: Path, words: list[str]) -> list[str]:
    """The speakers with the most clips of every word."""
    counts = [Counter(speaker_of(path) for path in _clips(data / word)) for word in words]
    everyone = sorted(set(counts[0]), key=lambda s: (-min(count[s] for count in counts), _hash(s)))
    return sorted(everyone[:TEAM], key=_hash)


def split_team(data: Path, words: list[str], team: list[str]) -> dict[str, tuple[list[Path], list[Path]]]:
    """Word -> (clips that may be trained on, one speaker after another in turn; clips to judge by)."""
    parts = {}
    for word in words:
        clips = sorted(_clips(data / word), key=lambda path: _hash(path.name))
        own = [[path for path in clips if speaker_of(path) == speaker] for speaker in team]
        given = [turns[turn] for turn in range(GIVEN) for turns in own if len(turns) > GIVEN]
        parts[word] = (given, [path for turns in own for path in turns if path not in given])
    return parts


def write_folders(data: Path, words: list[str], out: Path) -> dict[str, Any]:
    """`own_N`, `team` and `strangers` below `out`; returns what is in them."""
    team = choose_team(data, words)
    parts = split_team(data, words, team)
    for count in COUNTS:
        for word in words:
            _copy(parts[word][0][:count], out / f"own_{count}" / word)
    for word in words:
        _copy(parts[word][1], out / "team" / word)
    for folder in sorted(p for p in data.iterdir() if p.is_dir() and not p.name.startswith(("_", "."))):
        clips = _clips(folder)
        if folder.name not in words:
            _copy([p for p in clips if speaker_of(p) in team], out / "team" / folder.name)
        _copy([p for p in clips if speaker_of(p) not in team], out / "strangers" / folder.name)
    for name in ("team", "strangers"):
        _copy(_clips(data / SILENCE_FOLDER), out / name / SILENCE_FOLDER)
    available = {word: len(parts[word][0]) for word in words}
    return {"team": len(team), "own_clips": {n: min(n, *available.values()) for n in COUNTS}}


def measure(name: str, options: list[str | Path], chosen: argparse.Namespace) -> dict[str, Any]:
    """Trains unless that is done, and judges on the team's other clips and on strangers."""
    told = chosen.out / f"{name}.json"
    if told.is_file():
        row: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
        return row
    run = chosen.out / "runs" / name
    settings = [part for key in (QUICK if chosen.quick else ()) for part in ("--set", key)]
    made = train_to_int8(run, "--words", chosen.words, "--seed", str(chosen.seed), *options, *settings)
    row = {"name": name, "seconds_to_int8": made["seconds_to_int8"]}
    for group in ("team", "strangers"):
        outcome = tinyml(
            "evaluate", run, "--data", chosen.out / "clips" / group, "--split", "all", "--no-noise"
        )
        row[group] = {"n": outcome["n"], **outcome["int8"]}
    write_atomic(told, json.dumps(row) + "\n")
    return row


def draw(document: dict[str, Any], path: Path) -> None:
    """The learning curves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.2), layout="constrained")
    for axes, group, title in zip(
        figure.subplots(1, 2, sharey=True),
        ("team", "strangers"),
        ("people who recorded: their other clips", "strangers"),
        strict=True,
    ):
        base = document["synthetic"][group]
        axes.axhline(base["accuracy"], color="#888888", linestyle="--", label="synthetic speech alone")
        for kind, color in (("own alone", "#d95f02"), ("both", "#1b9e77")):
            rows = [row for row in document["rows"] if row["kind"] == kind]
            counts = [row["own_clips"] for row in rows]
            values = [row[group]["accuracy"] for row in rows]
            low = [v - row[group]["ci95"][0] for v, row in zip(values, rows, strict=True)]
            high = [row[group]["ci95"][1] - v for v, row in zip(values, rows, strict=True)]
            axes.errorbar(counts, values, [low, high], color=color, marker="o", capsize=3, label=kind)
        axes.set_xscale("log")
        axes.set_xticks(COUNTS, [str(n) for n in COUNTS])
        axes.set_xlim(0.8, COUNTS[-1] * 1.25)
        axes.set_xlabel("own clips of each word")
        axes.set_title(f"{title} (n = {base['n']})", fontsize=10)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("int8 accuracy, four classes")
    figure.axes[0].legend(loc="lower left", fontsize=9)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def main() -> None:
    """See the module's description."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--words", default="yes,no")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a third of the clips, half of the epochs")
    chosen = parser.parse_args()
    clips = chosen.out / "clips"
    shutil.rmtree(clips, ignore_errors=True)
    about = write_folders(chosen.data, chosen.words.split(","), clips)
    document: dict[str, Any] = {"quick": chosen.quick, "words": chosen.words, **about, "rows": []}
    document["synthetic"] = measure("synthetic", [], chosen)
    for count in sorted(COUNTS, key=lambda n: abs(math.log(n / FEWEST_ALONE))):
        own = clips / f"own_{count}"
        kinds: dict[str, list[str | Path]] = {"both": ["--add-recordings", own]}
        if count >= FEWEST_ALONE:
            kinds["own alone"] = ["--data", own, "--set", "training.test_share=0"]
        for kind, options in kinds.items():
            row = measure(f"{kind.replace(' ', '_')}_{count}", options, chosen)
            row |= {"kind": kind, "own_clips": about["own_clips"][count]}
            print(kind, count, {g: row[g]["accuracy"] for g in ("team", "strangers")}, flush=True)
            document["rows"] = sorted([*document["rows"], row], key=lambda r: (r["kind"], r["own_clips"]))
            write_atomic(chosen.out / "own_recordings.json", json.dumps(document, indent=2) + "\n")
            if chosen.picture:
                draw(document, chosen.picture)


def _clips(folder: Path) -> list[Path]:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [p for p in files if p.is_file() and (has_speaker(p) or folder.name == SILENCE_FOLDER)]


def _copy(clips: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in clips:
        shutil.copyfile(path, folder / path.name)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    main()
