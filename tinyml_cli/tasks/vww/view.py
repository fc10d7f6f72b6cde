"""The monitor of an image model: detections scroll by, with the frame and its scores below."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.style import Style
from rich.table import Table
from rich.text import Text as Styled

from tinyml_cli.boards.boards import Board
from tinyml_cli.console import console
from tinyml_cli.engines.settings_parts import label_colors
from tinyml_cli.images.image_folder import NONE
from tinyml_cli.link.frames import half_blocks, pixels_of
from tinyml_cli.link.protocol import Event, Image, Input, Person, Ready, Status, printable
from tinyml_cli.manifest import Manifest
from tinyml_cli.monitor.tally import Summary
from tinyml_cli.monitor.views import LineView, duration

_BAR_CHARS = 24
_REDRAW_S = 0.1
# Lines that are left for what scrolls by and for the figures beneath the frame.
_OTHER_LINES = 8
_SMALLEST_SIDE, _LARGEST_SIDE = 16, 96


class FrameLines(LineView):
    """Plain lines, for people and pipes."""

    def start(self, ready: Ready) -> None:
        self.introduce(ready)
        labels = [label for label in ready.labels if label != NONE]
        console.info(f"Looking for: {', '.join(map(printable, labels))}  (Ctrl-C stops)")

    def clip(self, clip: dict[str, Any]) -> None:
        console.info(
            f"{printable(clip['file'])}: expected {clip['expected'] or 'anything'}, "
            f"saw {printable(clip['detected'] or 'nothing')}"
        )


class FrameView(FrameLines):
    """Lines as in FrameLines, with the latest frame, its scores and times beneath them.

    Args:
        board: the board.
        manifest: gives the frame's size and the quantisation of input and output.
        draw: shows a renderable in place of the last one.
    """

    def __init__(self, board: Board, manifest: Manifest, draw: Callable[[RenderableType], None]) -> None:
        super().__init__(board.name)
        self._clock = "" if board.kind == "usb" else " (emulated)" if board.kind == "virtual" else " (host)"
        self._draw = draw
        self._manifest = manifest
        self._input: Input | None = None
        self._image: Image | None = None
        self._person: Person | None = None
        self._status: Status | None = None
        self._drawn_s = 0.0

    def start(self, ready: Ready) -> None:
        super().start(ready)
        self._redraw(now=True)

    def event(self, event: Event) -> None:
        if isinstance(event, Input):
            self._input = event
        elif isinstance(event, Image):
            self._image = event
        elif isinstance(event, Person):
            self._person = event
        elif isinstance(event, Status):
            self._status = event
        else:
            super().event(event)
        self._redraw()

    def clip(self, clip: dict[str, Any]) -> None:
        super().clip(clip)
        self._person = None
        self._redraw(now=True)

    def end(self, summary: Summary) -> None:
        self._draw("")
        super().end(summary)

    def _redraw(self, now: bool = False) -> None:
        moment = time.monotonic()
        if now or moment - self._drawn_s >= _REDRAW_S:
            self._drawn_s = moment
            self._draw(Group(self._frame(), self._bars(), self._state()))

    def _frame(self) -> RenderableType:
        quantization = self._manifest.quantization
        if self._input is None or self._manifest.image is None or quantization is None:
            return Styled("no frame yet", style="bright_black")
        pixels = pixels_of(self._input.data, self._manifest.image, quantization.input)
        if pixels is None:
            return Styled("a frame of a different size", style="yellow")
        columns, lines = shutil.get_terminal_size()
        side = min(columns, 2 * (lines - _OTHER_LINES), _LARGEST_SIDE)
        return half_blocks(pixels, max(side, _SMALLEST_SIDE))

    def _bars(self) -> Table:
        labels = self._manifest.labels
        table = Table.grid(padding=(0, 1))
        there = self._person.label if self._person is not None and self._person.present else None
        for label, color, share in zip(
            labels, label_colors(labels, (NONE,)), self._probabilities(), strict=True
        ):
            style = Style(color=f"rgb({color[0]},{color[1]},{color[2]})" if any(color) else "bright_black")
            bar = ProgressBar(100, round(100 * share), _BAR_CHARS, complete_style=style, finished_style=style)
            mark = Styled("◀ there", style=style) if label == there else ""
            name = Styled(printable(label), style=style + Style(bold=label == there))
            table.add_row(name, bar, f"{share:4.0%}", mark)
        return table

    def _probabilities(self) -> list[float]:
        labels, quantization = self._manifest.labels, self._manifest.quantization
        output = quantization.output if quantization else None
        if self._image is None or output is None or len(self._image.q) != len(labels):
            return [0.0] * len(labels)
        values = [(q - output.zero_point) * output.scale for q in self._image.q]
        return [min(max(value, 0.0), 1.0) for value in values]

    def _state(self) -> Styled:
        if self._image is None:
            return Styled("")
        parts = [
            f"frame {self._image.frame}",
            f"{self._image.frame_us / 1000:.1f} ms{self._clock}",
            f"inference {self._image.inference_us / 1000:.1f} ms",
        ]
        if self._status is not None:
            parts.append(f"up {duration(self._status.uptime_ms)}")
        return Styled("  ·  ".join(parts), style="bright_black")
