"""What a few takes say about a word, and what speaks against teaching it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest_sections import TaughtWord
from tinyml_cli.teaching.takes import WordTake
from tinyml_cli.word_embedding import embedding, head
from tinyml_cli.word_embedding.prototypes import ONE, cosines, prototype
from tinyml_cli.word_embedding.row import row_of

Int8 = npt.NDArray[np.int8]

# A take that is less like the others than this is another word, or no word. Of 339 takes of 74 words and
# people, 2 % are less like the others of their word; of other words of the same people, 85 % are.
DISAGREES = 0.45
# Two words whose prototypes are so near would be taken for each other.
TOO_NEAR = 0.75
# What the takes reach above chance, as a logit.
LEAST_GAP = round(1.0 / head.BIAS_SCALE)


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
    units = _units(takes)
    each = np.stack([prototype(own) for own in units])
    _check_agreement(takes, each)
    together = units.reshape(-1, units.shape[-1])
    found, row = prototype(together), row_of(together, _without(word), embedding.row_tables())
    if row.gap < LEAST_GAP:
        name, near = others_near(word, found)
        raise TinymlError(
            f"`{word}` cannot be told from other words; the nearest is `{name}` (cosine {near / ONE:.2f})",
            "--word",
            "Give clearer takes, or teach a longer word.",
        )
    return WordLesson(found, row.weights, row.bias)


def _units(takes: Sequence[WordTake]) -> Int8:
    """int8 [takes, shifts, values].

    Raises:
        TinymlError: no word is found in a take.
    """
    heard = [embedding.heard(take.clip) for take in takes]
    for take, windows in zip(takes, heard, strict=True):
        if windows is None:
            raise TinymlError(
                "No word stands out in the take", take.name, "Record it again, nearer or in less noise."
            )
    return embedding.units(np.stack([windows for windows in heard if windows is not None]))


def _check_agreement(takes: Sequence[WordTake], each: Int8) -> None:
    """Each take against the direction of the others."""
    for row, take in enumerate(takes):
        others = prototype(np.delete(each, row, axis=0))
        near = int(cosines(each[row][None], others[None])[0, 0])
        if near < DISAGREES * ONE:
            raise TinymlError(
                f"A take does not sound like the others (cosine {near / ONE:.2f}, at least {DISAGREES})",
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


def kept_row(taught: TaughtWord) -> tuple[Int8, int]:
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
        if near >= TOO_NEAR * ONE:
            raise TinymlError(
                f"`{word}` is too near to `{other}`, which the run knows (cosine {near / ONE:.2f}, below "
                f"{TOO_NEAR} needed)",
                "--word",
                f"Teach another word, or forget `{other}` first.",
            )
