"""What a terminal shows beneath the lines of a board: its latest state, drawn in place of the last one."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import ClassVar

from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.style import Style
from rich.table import Table
from rich.text import Text as Styled

from tinyml_cli.boards.boards import Board
from tinyml_cli.engines.settings_parts import DARK_LABELS, label_colors
from tinyml_cli.link.protocol import Event, Ready, printable
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.monitor.tally import Summary
from tinyml_cli.monitor.views import Draw, LineView
from tinyml_cli.outcomes.monitoring import PlayedClip


class LiveView(LineView):
    """Adds a picture of the state to a task's lines: `class GestureView(LiveView, GestureLines)`.

    Args:
        board: the board.
        draw: shows a renderable in place of the last one.

    Attributes:
        pause_s: how long a picture stays at least, so that many events cost little.
    """

    pause_s: ClassVar[float] = 0.1

    def __init__(self, board: Board, draw: Draw) -> None:
        super().__init__(board.name)
        self._draw = draw
        self._drawn_s = 0.0

    def state(self) -> RenderableType:
        """What is drawn."""
        return ""

    def takes(self, event: Event) -> bool:
        """Keeps what is drawn of an event; False where the event is also shown as a line."""
        return False

    def start(self, ready: Ready) -> None:
        super().start(ready)
        self._redraw(now=True)

    def event(self, event: Event) -> None:
        if not self.takes(event):
            super().event(event)
        self._redraw()

    def clip(self, clip: PlayedClip) -> None:
        super().clip(clip)
        self._redraw(now=True)

    def end(self, summary: Summary) -> None:
        self._draw("")
        super().end(summary)

    def _redraw(self, now: bool = False) -> None:
        moment = time.monotonic()
        if now or moment - self._drawn_s >= self.pause_s:
            self._drawn_s = moment
            self._draw(self.state())


def label_bars(
    labels: Sequence[str],
    shares: Sequence[float],
    marked: str | None,
    mark: str,
    chars: int,
    dark: Collection[str | None] = DARK_LABELS,
) -> Table:
    """A bar for each label in the colour that the board's light has for it.

    Args:
        labels: of the model.
        shares: 0..1 for each.
        marked: the label that is pointed out.
        mark: what is written behind it.
        chars: length of a whole bar.
        dark: labels for which the light stays off.
    """
    table = Table.grid(padding=(0, 1))
    for label, color, share in zip(labels, label_colors(list(labels), dark), shares, strict=True):
        style = Style(color=f"rgb({color[0]},{color[1]},{color[2]})" if any(color) else "bright_black")
        table.add_row(
            Styled(printable(label), style=style + Style(bold=label == marked)),
            ProgressBar(100, round(100 * share), chars, complete_style=style, finished_style=style),
            f"{share:4.0%}",
            Styled(f"◀ {mark}", style=style) if label == marked else "",
        )
    return table


def probabilities_of(
    scores: Sequence[int] | None, quantization: TensorQuantization | None, labels: int
) -> list[float]:
    """int8 scores as probabilities within 0..1; zeros where none fit the labels."""
    if scores is None or quantization is None or len(scores) != labels:
        return [0.0] * labels
    values = [(q - quantization.zero_point) * quantization.scale for q in scores]
    return [min(max(value, 0.0), 1.0) for value in values]


def clock_of(board: Board) -> str:
    """What a time by the board's clock is, where that is not a real board's."""
    return "" if board.kind == "usb" else f" ({board.level})"
