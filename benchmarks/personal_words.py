"""What training by a few takes of one voice changes: for that voice, for others, for other words.

    python benchmarks/personal_words.py --data speech_commands/ [--units units.npz]

The rows of six words are taught by one take each of ten people, who judge nothing. Then, for every person
with five or more clips of a word, the rows are trained by three of them as a board does it (`tinyml monitor
--train`); the person's other clips, the same word by all others and other words are heard before and after.
A clip is heard if two neighbouring windows of its five reach a mean score of one half. Everything is in the
whole numbers of the board. The shipped body heard these words and people in its training: before and after
share that advantage. --units keeps the unit vectors for a second run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import backbone
from tinyml_cli.statistics.mcnemar import exact_p
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.teaching import row_training
from tinyml_cli.teaching.row_training import RowTraining, practise
from tinyml_cli.tflite import interpret
from tinyml_cli.word_embedding import embedding, head
from tinyml_cli.word_embedding.row import row_of

WORDS = ("yes", "no", "up", "left", "on", "stop")
TEACHERS, TAKES, FEWEST_CLIPS, OTHER_CLIPS = 10, 3, 5, 800

Int8 = NDArray[np.int8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder of Speech Commands' layout")
    parser.add_argument("--units", type=Path, help="file for unit vectors")
    for name in ("epochs", "others-each", "rate-bits"):
        parser.add_argument(f"--{name}", type=int, help="instead of the board's")
    asked = parser.parse_args()
    for name in ("epochs", "others_each", "rate_bits"):
        if getattr(asked, name) is not None:
            setattr(row_training, name.upper(), getattr(asked, name))
    if asked.units is None or not asked.units.is_file():
        made = vectors(asked.data)
        if asked.units is not None:
            np.savez(asked.units, **made)  # type: ignore[arg-type]
    else:
        with np.load(asked.units) as kept:
            made = dict(kept)
    print(json.dumps(measure(made["units"], made["words"], made["groups"]), indent=1))


def vectors(data: Path) -> dict[str, NDArray[Any]]:
    """Units int8 [clips, shifts, values] of the six words and some others, with word and person of each."""
    everyone = backbone.people(data)
    wanted = np.isin(everyone.words, WORDS)
    rest = np.random.default_rng(0).permutation(np.flatnonzero(~wanted))[:OTHER_CLIPS]
    chosen = everyone.take(np.concatenate([np.flatnonzero(wanted), np.sort(rest)]))
    windows = [embedding.heard(clip) for clip in chosen.audio]
    kept = np.array([each is not None for each in windows])
    inputs = np.stack([each for each in windows if each is not None])
    flat = inputs.reshape(-1, *inputs.shape[2:], 1)
    units = interpret.run_int8(head.normalised(embedding.body()), flat, "litert")
    return {
        "units": units.reshape(*inputs.shape[:2], -1),
        "words": np.array(chosen.words)[kept],
        "groups": np.array(chosen.groups)[kept],
    }


def measure(units: Int8, words: NDArray[np.str_], groups: NDArray[np.str_]) -> dict[str, Any]:
    teachers, weights, biases = taught(units, words, groups)
    judged = ~np.isin(groups, sorted(teachers))
    before = heard(units, weights, biases)
    own: list[tuple[bool, bool]] = []
    strangers = np.zeros((0, 2), np.int64)
    other = np.zeros((0, 2), np.int64)
    steps = changed = 0
    pairs = [(w, g) for w in range(len(WORDS)) for g in sorted(set(groups[judged]))]
    for word, person in pairs:
        theirs = np.flatnonzero((words == WORDS[word]) & (groups == person))
        if len(theirs) < FEWEST_CLIPS:
            continue
        training = RowTraining.of(weights, biases)
        takes = units[theirs[:TAKES]].reshape(-1, units.shape[-1])
        usable = ~np.array([WORDS[word] in held for held in embedding.card().other_words])
        practise(training, takes, word, embedding.other_sound(), usable)
        new_weights, new_biases = training.rows()
        after = heard(units, new_weights, new_biases)
        changed += int(((new_weights != weights).any(axis=1) | (new_biases != biases)).sum())
        steps += 1
        own += [(bool(before[row, word]), bool(after[row, word])) for row in theirs[TAKES:]]
        alike = judged & (words == WORDS[word]) & (groups != person)
        unlike = judged & ~np.isin(words, WORDS)
        strangers = np.append(strangers, [[before[alike, word].sum(), after[alike, word].sum()]], axis=0)
        accepted = [each[unlike].any(axis=1).sum() for each in (before, after)]
        other = np.append(other, [accepted], axis=0)
        counts = int(alike.sum()), int(unlike.sum())
    gained = sum(after and not before for before, after in own)
    lost = sum(before and not after for before, after in own)
    return {
        "trainings": steps,
        "rows changed": round(changed / max(1, steps), 2),
        "own clips before": share(sum(before for before, _ in own), len(own)),
        "own clips after": share(sum(after for _, after in own), len(own)),
        "gained, lost, p": (gained, lost, round(exact_p(gained, lost), 5)),
        "strangers' clips of that word": [round(float(v), 3) for v in (strangers.mean(axis=0) / counts[0])],
        "clips of other words heard as one": [round(float(v), 4) for v in other.mean(axis=0) / counts[1]],
        "clips of each": counts,
    }


def taught(
    units: Int8, words: NDArray[np.str_], groups: NDArray[np.str_]
) -> tuple[set[str], Int8, NDArray[np.int32]]:
    """Ten people who said every word, and the rows of one take of each."""
    said = {group: set(words[groups == group]) & set(WORDS) for group in set(groups)}
    ranked = sorted(said, key=lambda group: (-len(said[group]), (groups == group).sum(), group))
    teachers = set(ranked[:TEACHERS])
    rows = []
    for word in WORDS:
        takes = [np.flatnonzero((words == word) & (groups == group))[:1] for group in sorted(teachers)]
        vectors_ = units[np.concatenate(takes)].reshape(-1, units.shape[-1])
        usable = ~np.array([word in held for held in embedding.card().other_words])
        rows.append(row_of(vectors_, embedding.other_sound()[usable], embedding.row_tables()))
    return (
        teachers,
        np.stack([row.weights for row in rows]),
        np.array([row.bias for row in rows], np.int32),
    )


def heard(units: Int8, weights: Int8, biases: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Of each clip and word, bool [clips, words]."""
    sums = units.astype(np.int32) @ weights.T.astype(np.int32) + biases
    logits = np.clip(np.rint(sums / 128) / 16, -8, 8)
    shares = np.exp(logits)
    scores = shares / (1 + shares.sum(axis=2, keepdims=True))
    found: NDArray[np.bool_] = ((scores[:, 1:] + scores[:, :-1]) / 2 >= 0.5).any(axis=1)
    return found


def share(n: int, of: int) -> dict[str, Any]:
    low, high = wilson_interval(n, of)
    return {"heard": round(n / of, 3), "interval": (round(low, 3), round(high, 3)), "n": of}


if __name__ == "__main__":
    main()
