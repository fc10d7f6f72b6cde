"""The monitor in a terminal: detections scroll by, with the board's live state below."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.style import Style
from rich.table import Table
from rich.text import Text as Styled

from tinyml_cli.boards.boards import Board
from tinyml_cli.engines.settings_parts import label_colors
from tinyml_cli.link.protocol import Detection, Event, Ready, Scores, Status, printable
from tinyml_cli.manifest import Manifest, TensorQuantization
from tinyml_cli.monitor.tally import Summary
from tinyml_cli.monitor.views import QUIETEST_DBFS, LineView, duration, level_dbfs

_BAR_CHARS = 30
_REDRAW_S = 0.1
_HEARD_STAYS_S = 2.0


class LiveView(LineView):
    """Lines as in LineView, with a panel of the latest scores and the board's state beneath them.

    Args:
        board: the board.
        manifest: gives the output's quantisation, to turn int8 scores into probabilities.
        draw: shows a renderable in place of the last one.
    """

    def __init__(self, board: Board, manifest: Manifest, draw: Callable[[RenderableType], None]) -> None:
        super().__init__(board.name)
        self._clock = "" if board.kind == "usb" else " (emulated)" if board.kind == "virtual" else " (host)"
        self._draw = draw
        self._output = manifest.quantization.output if manifest.quantization else None
        self._labels: list[str] = []
        self._scores: Scores | None = None
        self._status: Status | None = None
        self._heard: tuple[Detection, float] | None = None
        self._drawn_s = 0.0

    def start(self, ready: Ready) -> None:
        super().start(ready)
        self._labels = ready.labels
        self._redraw(now=True)

    def event(self, event: Event) -> None:
        if isinstance(event, Scores):
            self._scores = event
        elif isinstance(event, Status):
            self._status = event
        elif isinstance(event, Detection):
            self._heard = (event, time.monotonic())
        else:
            super().event(event)
        self._redraw()

    def clip(self, clip: dict[str, Any]) -> None:
        super().clip(clip)
        self._redraw(now=True)

    def end(self, summary: Summary) -> None:
        self._draw("")
        super().end(summary)

    def _redraw(self, now: bool = False) -> None:
        moment = time.monotonic()
        if now or moment - self._drawn_s >= _REDRAW_S:
            self._drawn_s = moment
            self._draw(Group(self._bars(), self._state()))

    def _bars(self) -> Table:
        table = Table.grid(padding=(0, 1))
        probabilities = probabilities_of(self._scores, self._output, len(self._labels))
        heard = self._heard[0].label if self._is_recent() and self._heard else None
        for label, color, probability in zip(
            self._labels, label_colors(self._labels), probabilities, strict=True
        ):
            style = Style(color=f"rgb({color[0]},{color[1]},{color[2]})" if any(color) else "bright_black")
            table.add_row(
                Styled(printable(label), style=style + Style(bold=label == heard)),
                ProgressBar(
                    100, round(100 * probability), _BAR_CHARS, complete_style=style, finished_style=style
                ),
                f"{probability:4.0%}",
                Styled("◀ heard", style=style) if label == heard else "",
            )
        return table

    def _is_recent(self) -> bool:
        return self._heard is not None and time.monotonic() - self._heard[1] < _HEARD_STAYS_S

    def _state(self) -> Styled:
        status = self._status
        if status is None:
            return Styled("no status yet", style="bright_black")
        level = level_dbfs(status.audio_rms)
        parts = [
            f"inference {status.inference_us / 1000:.1f} ms{self._clock}",
            f"level {_meter(level)} {level:.0f} dBFS",
            f"overruns {status.overruns}",
            f"up {duration(status.uptime_ms)}",
        ]
        return Styled("  ·  ".join(parts), style="yellow" if status.overruns else "bright_black")


def probabilities_of(
    scores: Scores | None, quantization: TensorQuantization | None, labels: int
) -> list[float]:
    """The scores as probabilities within 0..1; zeros where none fit the labels."""
    if scores is None or quantization is None or len(scores.q) != labels:
        return [0.0] * labels
    values = [(q - quantization.zero_point) * quantization.scale for q in scores.q]
    return [min(max(value, 0.0), 1.0) for value in values]


def _meter(level: float) -> str:
    steps = 10
    full = round(steps * (1 - level / QUIETEST_DBFS))
    return "▮" * full + "▯" * (steps - full)
