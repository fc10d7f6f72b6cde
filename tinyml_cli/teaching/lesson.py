"""What a few takes say about a word, and what speaks against teaching it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest_sections import TaughtWord
from tinyml_cli.teaching import embedding, head
from tinyml_cli.teaching.prototypes import ONE, cosines, prototype
from tinyml_cli.teaching.takes import WordTake

Int8 = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]

# A take that is less like the others than this is another word, or no word. Of 339 takes of 74 words and
# people, 2 % are less like the others of their word; of other words of the same people, 85 % are.
_DISAGREES = 0.45
# Two words whose prototypes are so near would be taken for each other.
_TOO_NEAR = 0.75
# Of the other sound, the share whose logits count as chance; the limit lies between these and the takes'.
_CHANCE = 0.001
_LEAST_GAP = 1.0
_STEPS, _MOMENTUM, _RATE, _DECAY = 300, 0.9, 8.0, 1e-4


@dataclass(frozen=True)
class WordLesson:
    """A word's prototype, int8 [values] in 1/128, and its row of the last layer; see `head`."""

    prototype: Int8
    weights: Int8
    bias: int


def learn(word: str, takes: Sequence[WordTake]) -> WordLesson:
    """The lesson of takes of a word.

    Raises:
        TinymlError: a take that is unlike the others, or takes that are no nearer to each other than to
            other words.
    """
    units = embedding.units(np.stack([take.clip for take in takes]))
    alone = units[:, : len(embedding.SHIFTS_MS)]
    each = np.stack([prototype(own) for own in alone])
    _check_agreement(takes, each)
    found = prototype(alone.reshape(-1, alone.shape[-1]))
    of_word, others = _real(units.reshape(-1, units.shape[-1])), _real(_without(word))
    weights, bias = _fitted(of_word, others)
    chance = float(np.quantile(others @ weights + bias, 1 - _CHANCE))
    middle = float(np.median(of_word @ weights + bias))
    if middle - chance < _LEAST_GAP:
        name, near = others_near(word, found)
        raise TinymlError(
            f"`{word}` cannot be told from other words; the nearest is `{name}` (cosine {near / ONE:.2f})",
            "--word",
            "Give clearer takes, or teach a longer word.",
        )
    return WordLesson(found, *_row(weights, bias - (chance + middle) / 2))


def _real(vectors: Int8) -> Floats:
    return np.asarray(vectors, np.float64) / 128


def _fitted(of_word: Floats, others: Floats) -> tuple[Floats, float]:
    """Logistic regression, both sides of equal weight, by gradient descent with momentum.

    Args:
        of_word: [n, values].
        others: [m, values].
    """
    inputs = np.concatenate([of_word, others])
    inputs = np.column_stack([inputs, np.ones(len(inputs))])
    wanted = np.arange(len(inputs)) < len(of_word)
    share = np.where(wanted, 0.5 / len(of_word), 0.5 / len(others))
    decay = np.full(inputs.shape[1], _DECAY)
    decay[-1] = 0
    row, step = np.zeros(inputs.shape[1]), np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        wrong = (1 / (1 + np.exp(-(inputs @ row))) - wanted) * share
        step = _MOMENTUM * step - _RATE * (inputs.T @ wrong + decay * row)
        row = row + step
    return row[:-1], float(row[-1])


def _row(weights: Floats, bias: float) -> tuple[Int8, int]:
    """In the scales of `head`; what does not fit is scaled down, which leaves the sign of every logit."""
    factor = min(1.0, 127 * head.WEIGHT_SCALE / float(np.abs(weights).max()))
    rounded = np.rint(weights * factor / head.WEIGHT_SCALE).astype(np.int8)
    return rounded, round(bias * factor / head.BIAS_SCALE)


def _check_agreement(takes: Sequence[WordTake], each: Int8) -> None:
    """Each take against the direction of the others."""
    for row, take in enumerate(takes):
        others = prototype(np.delete(each, row, axis=0))
        near = int(cosines(each[row][None], others[None])[0, 0])
        if near < _DISAGREES * ONE:
            raise TinymlError(
                f"A take does not sound like the others (cosine {near / ONE:.2f}, at least {_DISAGREES})",
                take.name,
                "Listen to it, and record it again if it is another word or has noise in it.",
            )


def others_near(word: str, vector: Int8) -> tuple[str, int]:
    """The nearest other word and its cosine in 1/16384."""
    known = [
        words[0] for words, kept in zip(embedding.card().other_words, _others(word), strict=True) if kept
    ]
    near = cosines(vector[None], _without(word))[0]
    return known[int(near.argmax())], int(near.max())


def _without(word: str) -> Int8:
    """Other sound in which nobody says the word."""
    return embedding.other_sound()[_others(word)]


def _others(word: str) -> npt.NDArray[np.bool_]:
    held = [word.casefold() in map(str.casefold, words) for words in embedding.card().other_words]
    return ~np.array(held)


def vector_of(taught: TaughtWord) -> Int8:
    """The prototype as the manifest keeps it."""
    return np.frombuffer(bytes.fromhex(taught.prototype), np.int8)


def row_of(taught: TaughtWord) -> tuple[Int8, int]:
    """The row of the last layer as the manifest keeps it."""
    return np.frombuffer(bytes.fromhex(taught.weights), np.int8), taught.bias


def entry(lesson: WordLesson, names: Sequence[str]) -> TaughtWord:
    """What the manifest keeps, with the names of the takes in the run."""
    return TaughtWord(
        prototype=lesson.prototype.tobytes().hex(),
        weights=lesson.weights.tobytes().hex(),
        bias=lesson.bias,
        takes=list(names),
    )


def check_apart(word: str, lesson: WordLesson, known: Mapping[str, TaughtWord]) -> None:
    """Refuses a word that another of the run would be taken for.

    Raises:
        TinymlError: with the other word and its distance.
    """
    for other, taught in known.items():
        near = int(cosines(lesson.prototype[None], vector_of(taught)[None])[0, 0])
        if near >= _TOO_NEAR * ONE:
            raise TinymlError(
                f"`{word}` is too near to `{other}`, which the run knows (cosine {near / ONE:.2f}, below "
                f"{_TOO_NEAR} needed)",
                "--word",
                f"Teach another word, or forget `{other}` first.",
            )
