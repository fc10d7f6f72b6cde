"""How anomaly scores are shown: as lines, as a sparkline in a terminal, and as a picture."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text as Styled

from tinyml_cli.console import console
from tinyml_cli.device.protocol import Anomaly, Calibrated, Event, Ready, printable
from tinyml_cli.device.tally import Summary
from tinyml_cli.device.views import LineView
from tinyml_cli.files import atomic_path

_BARS = "▁▂▃▄▅▆▇█"
_SPARK_WINDOWS = 60
_KEPT_WINDOWS = 100_000
_REDRAW_S = 0.1


@dataclass
class AnomalySummary(Summary):
    """What came of it; `hits` are recordings of faults with an alarm, `rejections` normal ones without.

    Attributes:
        windows: windows that were scored.
        above: those at the threshold or above.
        alarms: how often the alarm went on.
        drifting: whether normal running had moved at the end.
    """

    windows: int = 0
    above: int = 0
    alarms: int = 0
    drifting: bool = False

    def count(self, expected: str | None, detected: str | None) -> None:
        """Enters one recording."""
        self.n += 1
        if expected == "normal":
            self.false_accepts += detected is not None
            self.rejections += detected is None
        else:
            self.hits += detected is not None
            self.misses += detected is None

    def as_dict(self) -> dict[str, Any]:
        """The `summary` event."""
        return {"event": "summary", **asdict(self)}

    def __str__(self) -> str:
        text = (
            f"{self.windows} windows in {self.seconds:.1f} s, {self.above} at the threshold or above, "
            f"{self.alarms} alarm{'s' * (self.alarms != 1)}"
        )
        text += "; normal running has moved: see tinyml drift" if self.drifting else ""
        if not self.n:
            return text
        return (
            f"{text}; {self.n} recordings: {self.hits} faults found, {self.misses} missed, "
            f"{self.false_accepts} false alarms, {self.rejections} normal without alarm"
        )


class History:
    """The scores that came, in order."""

    def __init__(self) -> None:
        self.events: deque[Anomaly] = deque(maxlen=_KEPT_WINDOWS)

    def spark(self) -> str:
        """The latest scores as bars; the upper half is at the threshold or above."""
        return "".join(_bar(event) for event in list(self.events)[-_SPARK_WINDOWS:])

    def png(self, path: Path, title: str) -> None:
        """Draws score and threshold over the windows, alarms shaded."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 3.2), layout="constrained")
        axes = figure.subplots()
        index = range(len(self.events))
        axes.plot(
            index, [max(event.score, 1) for event in self.events], color="#2b6cb0", lw=0.9, label="score"
        )
        axes.plot(index, [max(e.threshold, 1) for e in self.events], color="#1a202c", lw=1, label="threshold")
        axes.plot(index, [max(e.level, 1) for e in self.events], color="#718096", lw=1, ls=":", label="level")
        for start, end in self._alarms():
            axes.axvspan(start - 0.5, end + 0.5, color="#c05621", alpha=0.2, lw=0)
        axes.set_yscale("log")
        axes.set_xlabel("window")
        axes.set_title(title)
        axes.legend(loc="upper left", fontsize="small")
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=120, format="png")

    def _alarms(self) -> list[tuple[int, int]]:
        """First and last window of each alarm."""
        spans: list[tuple[int, int]] = []
        for index, event in enumerate(self.events):
            if event.alarm:
                going_on = spans and spans[-1][1] == index - 1
                spans[-1:] = [(spans[-1][0], index)] if going_on else [*spans[-1:], (index, index)]
        return spans


class AnomalyLines(LineView):
    """Alarms as the board words them; scores are not shown one by one."""

    def start(self, ready: Ready) -> None:
        console.info(
            f"{self._board}: tinyml {printable(ready.tinyml)}, {printable(ready.app)}, "
            f"engine {printable(ready.engine)}, model {printable(ready.model)}, "
            f"arena {ready.arena_used:,} of {ready.arena_bytes:,} bytes"
        )

    def event(self, event: Event) -> None:
        if isinstance(event, Calibrated):
            console.info(calibration_text(event))
        else:
            super().event(event)

    def clip(self, clip: dict[str, Any]) -> None:
        said = "alarm" if clip["detected"] else "no alarm"
        console.info(
            f"{printable(clip['file'])}: {printable(clip['expected'])}, {said} "
            f"({clip['alarm_windows']} of {clip['windows']} windows)"
        )


class AnomalyLive(AnomalyLines):
    """The same, with a sparkline of scores beneath that moves."""

    def __init__(self, board: str, history: History, draw: Callable[[RenderableType], None]) -> None:
        super().__init__(board)
        self._history = history
        self._draw = draw
        self._drawn_s = 0.0

    def event(self, event: Event) -> None:
        super().event(event)
        if isinstance(event, Anomaly) and time.monotonic() - self._drawn_s >= _REDRAW_S:
            self._drawn_s = time.monotonic()
            self._draw(Group(Styled(self._history.spark(), style=_style(event)), _state(event)))

    def end(self, summary: Summary) -> None:
        self._draw("")
        super().end(summary)


def calibration_text(event: Calibrated) -> str:
    """What came of a calibration, in a sentence."""
    if not event.done:
        return f"Calibration took {event.windows} windows, {event.needed} are needed: the threshold stays."
    kept = "kept when the power goes" if event.stored else "forgotten when the power goes"
    return f"Calibrated on {event.windows} windows: threshold {event.previous} -> {event.threshold}, {kept}."


def _bar(event: Anomaly) -> str:
    share = event.score / max(event.threshold, 1)
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS) / 2))]


def _style(event: Anomaly) -> str:
    return "bold red" if event.alarm else "yellow" if event.drifting else "green"


def _state(event: Anomaly) -> Styled:
    share = event.score / max(event.threshold, 1)
    parts = [
        f"score {event.score:,} ({share:.0%} of the threshold)",
        f"level {event.level / max(event.threshold, 1):.0%}",
        "ALARM" if event.alarm else "normal",
    ]
    parts += ["drifting"] if event.drifting else []
    return Styled("  ·  ".join(parts), style=_style(event))
