"""Events of a board that learns words."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tinyml_cli.link.protocol.event import Count, Event, HexBytes


class TakeHeard(Event):
    """A word was heard for `learn`; it began and ended so many frames before `t_ms`, the stream's time."""

    event: Literal["take"] = "take"
    word: str
    take: Count
    takes: Count
    first: Count
    last: Count
    t_ms: Count


class Learned(Event):
    """A word is in flash."""

    event: Literal["learned"] = "learned"
    word: str
    takes: Count


class TrainedRows(Event):
    """The rows of words were trained; `rows` of them changed, `erasures` of flash pages there were so far.

    `instructions` of the training are 0 where the device cannot count.
    """

    event: Literal["trained"] = "trained"
    word: str
    takes: Count
    rows: Count
    erasures: Count
    instructions: Count = 0


class NotLearned(Event):
    """Why a word could not be learned; `take` counts from 1, `other` is what it is too near to."""

    event: Literal["not_learned"] = "not_learned"
    word: str
    reason: str
    take: Count = 0
    other: str = ""
    cosine: float = 0.0


class KnownWord(Event):
    """A word that a board knows: vectors int8 as the manifest keeps them."""

    event: Literal["word"] = "word"
    word: str
    takes: Count
    built_in: bool
    trained: bool = False
    prototype: HexBytes
    weights: HexBytes
    bias: Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]
