"""What a task adds to `tinyml monitor`: how it shows events, and how it feeds recordings to a board."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tinyml_cli.build.target import BuildTarget
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event, Ready, TraceMode
from tinyml_cli.link.protocol.disclosure import Disclosed
from tinyml_cli.manifest import Manifest
from tinyml_cli.monitor.filters import Filter
from tinyml_cli.monitor.live_feed import Eye
from tinyml_cli.monitor.tally import Summary
from tinyml_cli.monitor.views import Draw, LineView, View
from tinyml_cli.outcomes.monitoring import PlayedClip
from tinyml_cli.run import Run
from tinyml_cli.senses.webcam import Webcam

OnEvent = Callable[[Event], None]


@dataclass(frozen=True)
class MonitorOptions:
    """What to show and for how long.

    Attributes:
        replay: an audio file or folder that the board shall hear.
        duration_s: when to stop; None: not by time.
        as_json: one JSON event a line on stdout, instead of text for people.
        log: a file that every event is appended to, one JSON object a line.
        filters: names of filters, in order.
        trace: what the board shall report besides detections.
        png: a folder for every frame that the board looks at; a picture of the scores of anomalies.
        calibrate_s: seconds of normal running from which a board finds its threshold anew.
        frames: images that a cascade's camera sees, each time its gate opens.
        save_triggers: a new folder for the sound that made the board fire; a real board passes on what its
            microphone hears.
        microphone, camera: True: a virtual board hears or sees by this computer's.
        device: which of them, by number or name; None is the system's default. Of both, the microphone.
    """

    replay: Path | None = None
    duration_s: float | None = None
    as_json: bool = False
    log: Path | None = None
    filters: Sequence[str] = ()
    trace: Sequence[TraceMode] = ()
    save_triggers: Path | None = None
    png: Path | None = None
    calibrate_s: int | None = None
    frames: Path | None = None
    microphone: bool | None = None
    camera: bool | None = None
    device: str | None = None


class TaskMonitor:
    """One session of the monitor, as far as the task is concerned; this one suits any task.

    It is made before the board is opened and refuses then what cannot be done, so a subclass checks its
    options in `check`.

    Attributes:
        sense: what the board perceives with, to say that a virtual board has none.
        live_traces: what the live view needs the board to report.
        needs_feed: whether a virtual board has nothing to work on until recordings are fed; else `drive` it.
        sends: what its firmware tells of what it senses, for the model card; empty where that is not known.
        takes: names of options in `MonitorOptions` that the task knows, of those in `_OPTIONAL`.
    """

    sense: ClassVar[str] = "sensor"
    needs_feed: ClassVar[bool] = True
    live_traces: ClassVar[tuple[TraceMode, ...]] = ()
    sends: ClassVar[tuple[Disclosed, ...]] = ()
    takes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, run: Run, manifest: Manifest, target: BuildTarget, options: MonitorOptions):
        self.run = run
        self.manifest = manifest
        self.target = target
        self.board = target.board
        self.options = options
        self.summary = Summary()
        for name, (option, refusal, advice) in _OPTIONAL.items():
            if getattr(options, name) is not None and (name not in self.takes or not self.perceives(name)):
                raise TinymlError(refusal.format(task=manifest.task), option, advice)
        self._check_live()
        self.check()

    def perceives(self, option: str) -> bool:
        """Whether this run's model has the sense that an option of `takes` needs."""
        return option != "microphone" or self.manifest.features is not None

    def _check_live(self) -> None:
        """A real board perceives by itself, and a virtual one is fed by one thing alone."""
        is_live = self.options.microphone or self.options.camera
        option = "--microphone" if self.options.microphone else "--camera"
        if self.options.device is not None and not is_live:
            what = "--device chooses a microphone or camera"
            raise TinymlError(what, "--device", "Add --microphone or --camera.")
        if is_live and self.target.is_usb:
            what = f"The board `{self.board.name}` has a {self.sense} of its own"
            raise TinymlError(what, option, f"Omit {option}.")
        if is_live and self.options.replay is not None:
            raise TinymlError(f"{option} and --replay exclude each other", option, "Give one of them.")

    def check(self) -> None:
        """Refuses options that cannot be followed, and recordings that cannot be read.

        Raises:
            TinymlError: which, and what to do.
        """

    @property
    def filters(self) -> list[Filter]:
        """Filters of the task, ahead of those that were asked for."""
        return []

    @property
    def traces(self) -> tuple[TraceMode, ...]:
        """What the board has to report besides what was asked for."""
        return ()

    def lines(self) -> View:
        """Shows events as plain lines."""
        return LineView(self.board.name)

    def live(self, draw: Draw) -> View:
        """Shows events as lines, and the latest state in place of the last one, by `draw`."""
        return self.lines()

    def begin(self, link: Link, ready: Ready) -> None:
        """The board has answered."""

    def replay(
        self, link: Link, source: Path, ready: Ready, show: OnEvent, stop_at: float | None
    ) -> Iterator[PlayedClip]:
        """Feeds recordings to the board.

        Args:
            link: an open device.
            source: a file or folder.
            ready: what the device says of itself.
            show: told every event as it comes.
            stop_at: `time.monotonic()` to stop at.

        Yields:
            What became of each recording.
        """
        raise TinymlError(
            f"The task `{self.manifest.task}` has no recordings to feed to a board", "--replay", "Omit it."
        )

    def eye(self, link: Link, camera: Webcam, show: OnEvent) -> Eye:
        """What looks while a virtual board hears, for a task that `takes` microphone and camera together.

        Args: as of `replay`.
        """
        raise NotImplementedError

    def drive(self, link: Link, show: OnEvent, stop_at: float | None) -> None:
        """Has a virtual board work that needs no feed, until `stop_at` or for ever; args as of `replay`."""

    def remaining_s(self, remaining_s: float | None) -> float | None:
        """How long to listen where nothing is replayed; None is for ever."""
        return remaining_s

    def take(self, event: Event) -> bool:
        """Counts an event; False where nobody is to see it."""
        return True

    def is_over(self, event: Event) -> bool:
        """Whether nothing is left to listen for after this event."""
        return False

    def timed_out(self, link: Link) -> None:
        """Listening ended by time.

        Raises:
            TinymlError: what was waited for has not come.
        """

    def end(self) -> None:
        """The session has ended and its summary was shown."""


# Option that only some tasks know -> its name on the command line, refusal and advice of the others.
_OPTIONAL = {
    "png": ("--png", "The model does not look at images", "Omit it, or monitor a run of `vww`."),
    "frames": (
        "--frames",
        "--frames needs a board that listens for a word before it looks",
        "Add --with VWW_RUN and --replay SOUND; for a single image model, give the images to --replay.",
    ),
    "calibrate_s": (
        "--calibrate",
        "A run of `{task}` has no anomaly threshold",
        "Omit it, or monitor a run of `anomaly`.",
    ),
    "microphone": (
        "--microphone",
        "A run of `{task}` does not hear",
        "Omit it; --camera is for models of images.",
    ),
    "camera": (
        "--camera",
        "A run of `{task}` does not see",
        "Omit it; --microphone is for models of sound.",
    ),
    "save_triggers": (
        "--save-triggers",
        "A run of `{task}` detects no words, so there is no audio to save",
        "Omit it, or monitor a run of `kws`; --log FILE keeps every event.",
    ),
}
