"""What `tinyml attack` is asked for, checked before anything else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli.build.target import BuildTarget
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

SNR_DB = "40,30,20,10"
_LOWEST_DB, _HIGHEST_DB, _MOST_RATIOS = -20.0, 80.0, 12
_STEPS, _ITEMS = 50, 24
_STEPS_BY_SCORES, _ITEMS_BY_SCORES = 100, 4


@dataclass(frozen=True)
class AttackOptions:
    """An attack.

    Attributes:
        target: the label that items are to be taken for; None: any but the true one.
        snr_db: from the quietest to the loudest.
        universal: one perturbation for all items.
        rooms: through random delays and rooms.
        black_box: by scores alone.
        static: noise is changed instead of items.
        item: a file is changed instead of held-out items.
        most_items, most_steps: how many; None takes what the method needs.
        seed: fixes everything.
        board: is given what was made, too.
        defend: trains a variant on attacked inputs, and attacks that too.
        epochs: of that training.
        out: where the example goes.
    """

    target: str | None = None
    snr_db: tuple[float, ...] = (40.0, 30.0, 20.0, 10.0)
    universal: bool = False
    rooms: bool = False
    black_box: bool = False
    static: bool = False
    item: Path | None = None
    most_items: int | None = None
    most_steps: int | None = None
    seed: int = 1
    board: BuildTarget | None = None
    defend: bool = False
    epochs: int = 6
    out: Path | None = None

    @property
    def items(self) -> int:
        """How many items."""
        return self.most_items or (_ITEMS_BY_SCORES if self.black_box else _ITEMS)

    @property
    def steps(self) -> int:
        """Of the descent."""
        return self.most_steps or (_STEPS_BY_SCORES if self.black_box else _STEPS)

    def check(self) -> None:
        """Refuses options that exclude each other, before any model or data are read.

        Raises:
            TinymlError: which ones.
        """
        if self.static and self.item is not None:
            raise TinymlError("Noise and a file exclude each other", "--static --item", "Give one of them.")
        if self.static and self.target is None:
            raise TinymlError("Noise has no label to lose", "--static", "Add --target LABEL.")
        if self.item is not None and (self.universal or self.defend):
            option = "--universal" if self.universal else "--defend"
            raise TinymlError("One item is too few", f"--item {option}", "Omit one of them.")
        if self.static and (self.universal or self.defend):
            option = "--universal" if self.universal else "--defend"
            raise TinymlError("Noise is no item of the data", f"--static {option}", "Omit one of them.")
        if self.black_box and (self.defend or self.rooms):
            option = "--defend" if self.defend else "--rooms"
            raise TinymlError("That needs gradients", f"--black-box {option}", "Omit one of them.")


def ratios(text: str) -> tuple[float, ...]:
    """`40,30,20` in dB, each once, the quietest perturbation first.

    Raises:
        TinymlError: not numbers, too many, or out of range.
    """
    entries = [entry.strip() for entry in text.split(",")]
    found: list[float] = []
    for entry in entries:
        try:
            value = float(entry)
        except ValueError:
            value = math.nan
        if not _LOWEST_DB <= value <= _HIGHEST_DB:
            raise TinymlError(
                f"`{entry}` is no signal-to-noise ratio",
                "--snr",
                f"Give numbers of dB from {_LOWEST_DB:g} to {_HIGHEST_DB:g}, with commas: --snr {SNR_DB}",
            )
        found.append(value)
    if len(set(found)) > _MOST_RATIOS:
        what = f"{counted(len(set(found)), 'ratio')} are too many"
        raise TinymlError(what, "--snr", f"Give {_MOST_RATIOS} at most.")
    return tuple(sorted(set(found), reverse=True))
