"""The monitor of an image model: detections scroll by, with the frame and its scores below."""

from __future__ import annotations

import shutil

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Styled

from tinyml_cli.boards.boards import Board
from tinyml_cli.console import console
from tinyml_cli.images.image_folder import NONE
from tinyml_cli.link.frames import half_blocks, pixels_of
from tinyml_cli.link.protocol import Event, Image, Input, Person, Ready, Status, printable
from tinyml_cli.manifest import Manifest
from tinyml_cli.monitor.live import LiveView, clock_of, label_bars, probabilities_of
from tinyml_cli.monitor.views import Draw, LineView, duration
from tinyml_cli.outcomes.monitoring import PlayedClip

_BAR_CHARS = 24
# Lines that are left for what scrolls by and for the figures beneath the frame.
_OTHER_LINES = 8
_SMALLEST_SIDE, _LARGEST_SIDE = 16, 96


class FrameLines(LineView):
    """Plain lines, for people and pipes."""

    def start(self, ready: Ready) -> None:
        self.introduce(ready)
        labels = [label for label in ready.labels if label != NONE]
        console.info(f"Looking for: {', '.join(map(printable, labels))}  (Ctrl-C stops)")

    def clip(self, clip: PlayedClip) -> None:
        console.info(
            f"{printable(clip.file)}: expected {clip.expected or 'anything'}, "
            f"saw {printable(clip.detected or 'nothing')}"
        )


class FrameView(LiveView, FrameLines):
    """Lines as in FrameLines, with the latest frame, its scores and times beneath them.

    Args:
        board: the board.
        manifest: gives the frame's size and the quantisation of input and output.
        draw: shows a renderable in place of the last one.
    """

    def __init__(self, board: Board, manifest: Manifest, draw: Draw) -> None:
        super().__init__(board, draw)
        self._clock = clock_of(board)
        self._manifest = manifest
        self._input: Input | None = None
        self._image: Image | None = None
        self._person: Person | None = None
        self._status: Status | None = None

    def takes(self, event: Event) -> bool:
        if isinstance(event, Input):
            self._input = event
        elif isinstance(event, Image):
            self._image = event
        elif isinstance(event, Person):
            self._person = event
        elif isinstance(event, Status):
            self._status = event
        else:
            return False
        return True

    def clip(self, clip: PlayedClip) -> None:
        self._person = None
        super().clip(clip)

    def state(self) -> RenderableType:
        return Group(self._frame(), self._bars(), self._figures())

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
        labels, quantization = self._manifest.labels, self._manifest.quantization
        output = quantization.output if quantization else None
        shares = probabilities_of(self._image.q if self._image else None, output, len(labels))
        there = self._person.label if self._person is not None and self._person.present else None
        return label_bars(labels, shares, there, "there", _BAR_CHARS, (self._manifest.background,))

    def _figures(self) -> Styled:
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
