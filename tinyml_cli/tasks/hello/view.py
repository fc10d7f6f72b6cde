"""The curve in a terminal: as it grows, or as a wave that scrolls by."""

from __future__ import annotations

from typing import Self

from rich.console import Group, RenderableType
from rich.text import Text as Styled

from tinyml_cli.boards.boards import Board
from tinyml_cli.console import console
from tinyml_cli.link.protocol import Event, Ready, Wave, printable
from tinyml_cli.monitor.live import LiveView
from tinyml_cli.monitor.tally import Summary
from tinyml_cli.monitor.views import Draw, LineView
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.pages import terminal
from tinyml_cli.tasks.hello.curve import PERIOD, CurveModel
from tinyml_cli.wording import counted

_EVERY = 4
_HALF_WIDTH = 20
_BAR = 40


class HelloLines(LineView):
    """A line for every fourth point, in which y moves a dot from left to right."""

    _model: CurveModel

    def showing(self, model: CurveModel) -> Self:
        """With the model whose scales say what x and y are."""
        self._model = model
        return self

    def start(self, ready: Ready) -> None:
        self.introduce(ready)
        console.info("Drawing the model's curve  (Ctrl-C stops)")

    def event(self, event: Event) -> None:
        if not isinstance(event, Wave):
            super().event(event)
        elif event.point % _EVERY == 0:
            x, y = self._model.point(event.x, event.y)
            at = round(min(max(y, -1.0), 1.0) * _HALF_WIDTH) + _HALF_WIDTH
            console.info(f"x {x:4.2f}  y {y:+5.2f}  {' ' * at}●")

    def clip(self, clip: PlayedClip) -> None:
        verdict = "the board drew it" if clip.detected else "the board drew another curve"
        console.info(
            f"{printable(clip.file)}: {verdict}, mean error {clip.mean_error:.3f}; "
            f"{counted(clip.mismatches or 0, 'answer')} of other bytes than this computer's"
        )

    def end(self, summary: Summary) -> None:
        console.info(f"{counted(summary.detections, 'period')} in {summary.seconds:.1f} s")


class HelloLive(LiveView, HelloLines):
    """The period so far, and the light as a bar."""

    def __init__(self, board: Board, draw: Draw) -> None:
        super().__init__(board, draw)
        self._points: list[tuple[float, float]] = []
        self._light = 0

    def takes(self, event: Event) -> bool:
        if not isinstance(event, Wave):
            return False
        if event.point == 0:
            self._points = []
        self._points.append(self._model.point(event.x, event.y))
        self._light = event.light
        return True

    def state(self) -> RenderableType:
        if not self._points:
            return ""
        x, y = zip(*self._points, strict=True)
        drawing = terminal.plot(x, y, marks=[self._points[-1]], limits=((0, PERIOD), (-1, 1)))
        bar = Styled("█" * round(_BAR * self._light / 255), style=f"rgb(0,{self._light},0)")
        return Group(drawing, Styled.assemble("light     ", bar, f" {self._light}"))
