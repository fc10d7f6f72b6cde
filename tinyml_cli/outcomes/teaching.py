"""What `tinyml teach` prints."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import File, Outcome


class TaughtWordFigures(Outcome):
    """A word that the run hears."""

    word: str
    takes: list[str] = Field(description="files in the run")
    nearest: str = Field(description="the other word of the run or of the stored ones that is most like it")
    nearest_cosine: float


class WordsTaught(Outcome):
    """The words of a run after the command."""

    run: str = Field(description="path")
    taught: str | None = Field(default=None, description="the word that was added")
    forgotten: str | None = Field(default=None, description="the word that was removed")
    words: list[TaughtWordFigures]
    int8: File | None = Field(default=None, description="the run's model; null where no word is left")


class WordLearned(Outcome):
    """What a board learned by its own ears (`tinyml monitor --teach` and `--train`)."""

    run: str = Field(description="path")
    board: str
    word: str
    takes: list[str] = Field(description="recordings of them in the run")
    words: list[str] = Field(description="all that the board hears now")
    trained_rows: int | None = Field(default=None, description="rows of words that `--train` changed")
    erasures: int | None = Field(default=None, description="of flash pages for words so far, after `--train`")
