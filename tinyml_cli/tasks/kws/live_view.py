"""The monitor in a terminal: detections scroll by, with the board's live state below."""

from __future__ import annotations

import time

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Styled

from tinyml_cli.boards.boards import Board
from tinyml_cli.link.protocol import Detection, Event, Ready, Scores, Status
from tinyml_cli.manifest import Manifest
from tinyml_cli.monitor.live import LiveView, clock_of, label_bars, probabilities_of
from tinyml_cli.monitor.views import QUIETEST_DBFS, Draw, duration, level_dbfs
from tinyml_cli.tasks.kws.sound_level import SoundLevel

_BAR_CHARS = 30
_HEARD_STAYS_S = 2.0


class SoundView(LiveView):
    """Lines, with a panel of the latest scores and the board's state beneath them.

    Args:
        board: the board.
        manifest: gives the output's quantisation, to turn int8 scores into probabilities.
        draw: shows a renderable in place of the last one.
    """

    def __init__(self, board: Board, manifest: Manifest, draw: Draw) -> None:
        super().__init__(board, draw)
        self._clock = clock_of(board)
        self._output = manifest.quantization.output if manifest.quantization else None
        self._labels: list[str] = []
        self._scores: Scores | None = None
        self._status: Status | None = None
        self._level = SoundLevel(manifest.features)
        self._heard: tuple[Detection, float] | None = None

    def start(self, ready: Ready) -> None:
        self._labels = ready.labels
        super().start(ready)

    def takes(self, event: Event) -> bool:
        if isinstance(event, Scores):
            self._scores = event
        elif isinstance(event, Status):
            self._status = event
            self._level.take(event)
        elif isinstance(event, Detection):
            self._heard = (event, time.monotonic())
        else:
            return False
        return True

    def state(self) -> RenderableType:
        return Group(self._bars(), self._figures())

    def _bars(self) -> Table:
        scores = self._scores.q if self._scores else None
        shares = probabilities_of(scores, self._output, len(self._labels))
        heard = self._heard[0].label if self._is_recent() and self._heard else None
        return label_bars(self._labels, shares, heard, "heard", _BAR_CHARS)

    def _is_recent(self) -> bool:
        return self._heard is not None and time.monotonic() - self._heard[1] < _HEARD_STAYS_S

    def _figures(self) -> Styled:
        status = self._status
        if status is None:
            return Styled("no status yet", style="bright_black")
        level, noise = level_dbfs(status.audio_rms), self._level.noise_dbfs
        parts = [
            f"inference {status.inference_us / 1000:.1f} ms{self._clock}",
            f"level {_meter(level)} {level:.0f} dBFS",
            *([] if noise is None else [f"noise {noise:.0f} dBFS"]),
            f"overruns {status.overruns}",
            f"up {duration(status.uptime_ms)}",
        ]
        figures = Styled("  ·  ".join(parts), style="yellow" if status.overruns else "bright_black")
        if trouble := self._level.trouble:
            figures.append(f"\n{trouble}", style="yellow")
        return figures


def _meter(level: float) -> str:
    steps = 10
    full = round(steps * (1 - level / QUIETEST_DBFS))
    return "▮" * full + "▯" * (steps - full)
