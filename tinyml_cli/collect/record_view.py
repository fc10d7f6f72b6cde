"""The display while recording: the word to say, a countdown, the level, and the verdict on the take."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.text import Text

from tinyml_cli.data import levels
from tinyml_cli.data.trim import Cut

_QUIETEST_DBFS, _LOUD_DBFS = -60.0, -6.0
_METER_CELLS, _WAVE_CELLS = 40, 60
_REDRAW_S = 0.05
_STEPS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Prompt:
    """The word to say, and how far the session is.

    Attributes:
        word: what to say.
        number: of this clip of the word, from 1.
        count: clips of the word that are wanted.
        left: clips of all words that are still wanted.
        hint: how the word is said.
    """

    word: str
    number: int
    count: int
    left: int
    hint: str = ""


@dataclass
class RecordView:
    """Draws a session at the foot of the terminal.

    Attributes:
        draw: shows a renderable in place of the last one.
        source: name of the microphone.
    """

    draw: Callable[[RenderableType], None]
    source: str
    _heard: float = levels.QUIETEST_DBFS
    _peak: float = levels.QUIETEST_DBFS
    _drawn_s: float = field(default=0.0)

    def ask(self, prompt: Prompt) -> None:
        """Before a word: says which, and the keys."""
        self.draw(
            Group(
                _headline(prompt),
                Text(f"Enter records · s skips the word · q quits      {self.source}", style="bright_black"),
            )
        )

    def countdown(self, prompt: Prompt, number: int) -> None:
        """A step before the take."""
        self.draw(Group(_headline(prompt), Text(f"  {number} …", style="bold yellow")))

    def listen(self, prompt: Prompt) -> None:
        """The take begins."""
        self._heard = self._peak = levels.QUIETEST_DBFS
        self._drawn_s = 0.0
        self.hear(prompt, np.zeros(0, np.int16), 0.0)

    def hear(self, prompt: Prompt, block: NDArray[np.int16], share: float) -> None:
        """A piece of the take has arrived; `share` of the take is over."""
        self._heard = max(levels.rms_dbfs(block), self._heard - 3.0)
        self._peak = max(self._peak, levels.peak_dbfs(block))
        if time.monotonic() - self._drawn_s < _REDRAW_S:
            return
        self._drawn_s = time.monotonic()
        done = round(share * _METER_CELLS)
        line = Text("  ● recording ", style="bold red")
        line.append("━" * done, style="red").append("─" * (_METER_CELLS - done), style="bright_black")
        self.draw(Group(_headline(prompt), line, self._meter()))

    def judge(self, prompt: Prompt, take: NDArray[np.int16], cut: Cut, keeps_itself: bool) -> None:
        """The take is over: how it was, and the keys."""
        lines: list[RenderableType] = [_headline(prompt), _wave(take, cut)]
        if cut.faults:
            lines.append(Text(f"  ✗ {'; '.join(cut.faults)}", style="bold yellow"))
            keys = "Enter or a: again · k keeps it anyway · r rejects it and continues · q quits"
        else:
            room = cut.level_dbfs - cut.floor_dbfs
            lines.append(
                Text(f"  ✓ word {cut.level_dbfs:.0f} dBFS, {room:.0f} dB above the background", style="green")
            )
            keys = "Enter or k keeps it · a: again · r rejects it and continues · q quits"
        lines.append(Text("kept" if keeps_itself else keys, style="bright_black"))
        self.draw(Group(*lines))

    def clear(self) -> None:
        """Leaves the terminal clean."""
        self.draw("")

    def _meter(self) -> Text:
        full = round(_METER_CELLS * (1 - max(self._heard, _QUIETEST_DBFS) / _QUIETEST_DBFS))
        style = "red" if self._peak > -0.5 else "yellow" if self._heard > _LOUD_DBFS else "green"
        line = Text("  level       ").append("█" * full, style=style)
        line.append("·" * (_METER_CELLS - full), style="bright_black")
        return line.append(f" {max(self._heard, _QUIETEST_DBFS):4.0f} dBFS")


def _headline(prompt: Prompt) -> Text:
    line = Text("Say: ").append(prompt.word, style="bold cyan")
    if prompt.hint:
        line.append(f"  {prompt.hint}", style="cyan")
    return line.append(
        f"    clip {prompt.number} of {prompt.count}, {prompt.left} left in total", style="bright_black"
    )


def _wave(take: NDArray[np.int16], cut: Cut) -> Text:
    """The take's level over time, the word in green."""
    line = Text("  ")
    if len(take) == 0:
        return line
    edges = np.linspace(0, len(take), _WAVE_CELLS + 1).astype(int)
    for start, end in itertools.pairwise(edges):
        level = max(levels.rms_dbfs(take[start:end]), _QUIETEST_DBFS)
        step = round((len(_STEPS) - 1) * (1 - level / _QUIETEST_DBFS))
        inside = cut.word_start <= (start + end) // 2 < cut.word_end
        line.append(_STEPS[step], style="green" if inside else "bright_black")
    return line
