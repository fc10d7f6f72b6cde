"""Displays anomaly scores: as lines, as a sparkline in a terminal, and as a picture."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text as Styled

from tinyml_cli.boards.boards import Board
from tinyml_cli.console import console
from tinyml_cli.link.protocol import Anomaly, Calibrated, Event, Ready, printable
from tinyml_cli.monitor.live import LiveView
from tinyml_cli.monitor.tally import Summary
from tinyml_cli.monitor.views import Draw, LineView
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.wording import counted

_CURVES = (("score", "#2b6cb0", "-"), ("threshold", "#1a202c", "-"), ("level", "#718096", "--"))
_BARS = "▁▂▃▄▅▆▇█"
_SPARK_WINDOWS = 60
_KEPT_WINDOWS = 100_000
_SUSPICIOUS = 2


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
            f"{counted(self.windows, 'window')} in {self.seconds:.1f} s, {self.above} at or above the "
            f"threshold, {counted(self.alarms, 'alarm')}"
        )
        text += "; normal running has shifted: see tinyml drift" if self.drifting else ""
        if not self.n:
            return text
        return (
            f"{text}; {counted(self.n, 'recording')}: {counted(self.hits, 'fault')} found, {self.misses} "
            f"missed, {counted(self.false_accepts, 'false alarm')}, {self.rejections} normal without "
            "alarm"
        )


class History:
    """The scores that came, in order."""

    def __init__(self) -> None:
        self.events: deque[Anomaly] = deque(maxlen=_KEPT_WINDOWS)

    def spark(self, windows: int = _SPARK_WINDOWS) -> str:
        """The latest scores as bars, a line at most; the upper half is at the threshold or above."""
        count = min(windows, _SPARK_WINDOWS)
        return "".join(_bar(event) for event in list(self.events)[-count:]) if count else ""

    def png(self, path: Path, title: str) -> None:
        """Draws score, threshold and level over time; alarms are shaded, drift is underlined.

        A dotted line says that the board began anew, as it does before each recording that is replayed.
        """
        from tinyml_cli.pages import pictures

        figure = pictures.new(9, 3.2)
        axes = figure.subplots()
        seconds, restarts = self._times()
        for name, color, style in _CURVES:
            values = [max(getattr(event, name), 1) for event in self.events]
            axes.plot(seconds, values, color=color, lw=1, ls=style, label=name)
        for name, color, height in (("alarm", "#c05621", 1.0), ("drifting", "#d69e2e", 0.04)):
            for start, end in self._spans(name):
                axes.axvspan(seconds[start], seconds[end], 0, height, color=color, alpha=0.25, label=name)
        for restart in restarts:
            axes.axvline(restart, color="#718096", lw=0.6, ls=":")
        axes.set_yscale("log")
        axes.set_xlabel("seconds")
        axes.set_title(title)
        known = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.legend(known.values(), known.keys(), loc="upper left", fontsize="small")
        pictures.write(path, figure, 120)

    def _times(self) -> tuple[list[float], list[float]]:
        """Seconds of each window, one stream after another; and when each stream but the first began."""
        seconds: list[float] = []
        restarts: list[float] = []
        start_ms = last_ms = 0
        for event in self.events:
            if event.t_ms <= last_ms:
                start_ms += last_ms
                restarts.append(start_ms / 1000)
            last_ms = event.t_ms
            seconds.append((start_ms + last_ms) / 1000)
        return seconds, restarts

    def _spans(self, flag: str) -> list[tuple[int, int]]:
        """First window of each stretch in which a flag is set, and the first one after it."""
        spans: list[tuple[int, int]] = []
        for on, group in itertools.groupby(enumerate(self.events), lambda each: getattr(each[1], flag)):
            indices = [index for index, _ in group]
            if on:
                spans.append((indices[0], min(indices[-1] + 1, len(self.events) - 1)))
        return spans


class AnomalyLines(LineView):
    """Alarms as the board words them; scores are not shown one by one."""

    def start(self, ready: Ready) -> None:
        self.introduce(ready)

    def event(self, event: Event) -> None:
        if isinstance(event, Calibrated):
            console.info(calibration_text(event))
        else:
            super().event(event)

    def clip(self, clip: PlayedClip) -> None:
        said = "alarm" if clip.detected else "no alarm"
        console.info(
            f"{printable(clip.file)}: {printable(clip.expected or 'anything')}, {said} ({clip.alarm_windows} "
            f"of {counted(clip.windows or 0, 'window')})"
        )


class AnomalyLive(LiveView, AnomalyLines):
    """The same, with a sparkline of scores beneath that moves."""

    def __init__(self, board: Board, history: History, draw: Draw) -> None:
        super().__init__(board, draw)
        self._history = history

    def clip(self, clip: PlayedClip) -> None:
        super().clip(clip)
        console.info(self._history.spark(clip.windows or 0))

    def state(self) -> RenderableType:
        if not self._history.events:
            return ""
        newest = self._history.events[-1]
        return Group(Styled(self._history.spark(), style=_style(newest)), _state(newest))


def calibration_text(event: Calibrated) -> str:
    """What came of a calibration, in a sentence."""
    if not event.done:
        return (
            f"Calibration got {counted(event.windows, 'window')} but needs {event.needed}: the threshold "
            "is unchanged."
        )
    kept = "kept at power-off" if event.stored else "lost at power-off"
    text = (
        f"Calibrated on {counted(event.windows, 'window')}: threshold {event.previous} -> "
        f"{event.threshold}, {kept}."
    )
    if event.threshold <= _SUSPICIOUS * event.previous:
        return text
    return f"{text} It rose {event.threshold / max(event.previous, 1):.1f}-fold: was this normal running?"


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
