"""What `tinyml monitor` shows: a running count of claps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.text import Text as Styled

from tinyml_cli.console import console
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Detection, Event, Ready, Text, printable
from tinyml_cli.monitor.filters import HEARD
from tinyml_cli.monitor.live import LiveView
from tinyml_cli.monitor.task_monitor import OnEvent
from tinyml_cli.monitor.views import Draw, LineView, View
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.tasks.kws.monitor import SoundMonitor
from tinyml_cli.wording import counted


class ClapLines(LineView):
    """A line for each clap, with their number so far."""

    claps = 0

    def start(self, ready: Ready) -> None:
        self.introduce(ready)
        console.info("Counting claps  (Ctrl-C stops)")

    def event(self, event: Event) -> None:
        if isinstance(event, Detection):
            self.claps += 1
            console.info(f"{counted(self.claps, 'clap')} @{event.t_ms}ms")
        elif not (isinstance(event, Text) and HEARD in event.text):
            super().event(event)

    def clip(self, clip: PlayedClip) -> None:
        truth = "" if clip.expected is None else f" of {clip.expected}"
        console.info(f"{printable(clip.file)}: counted {clip.detected}{truth}")


class ClapView(LiveView, ClapLines):
    """The count in large, in place of the last one."""

    pause_s = 0.0

    def takes(self, event: Event) -> bool:
        self.claps += isinstance(event, Detection)
        return isinstance(event, Detection)

    def state(self) -> Styled:
        return Styled(f"{'👏' * min(self.claps, 20)} {counted(self.claps, 'clap')}", style="bold green")


class ClapMonitor(SoundMonitor):
    """Counts what the board hears. Recordings to replay lie in folders named by their number of claps."""

    def lines(self) -> View:
        return ClapLines(self.board.name)

    def live(self, draw: Draw) -> View:
        return ClapView(self.board, draw)

    def replay(
        self, link: Link, source: Path, ready: Ready, show: OnEvent, stop_at: float | None
    ) -> Iterator[PlayedClip]:
        for clip in super().replay(link, source, ready, show, stop_at):
            folder = Path(clip.file).parent.name
            claps = str(int(folder)) if folder.isdecimal() else None
            found = str(len(clip.detections or []))
            yield clip.model_copy(update={"expected": claps, "detected": found})
