"""Listens to a board that runs a run's firmware, or lets it hear recordings, and reports what it says."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyml_cli.console import console
from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.device.boards import load_board
from tinyml_cli.device.link import Link, Reconnected
from tinyml_cli.device.ports import find_port
from tinyml_cli.device.protocol import Ack, Detection, Event, Malformed, Nak, Ready, Text, printable
from tinyml_cli.device.replay import recordings, replay_dir
from tinyml_cli.device.virtual import VirtualDevice
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MODEL_INT8, Run

_HEARD = "Heard "


@dataclass
class Summary:
    """What came of it.

    Attributes:
        n: clips with an expectation; hits + misses + false_accepts + rejections.
        hits: clips of a word that were heard as that word.
        misses: clips of a word that were not.
        false_accepts: clips of no word in which one was heard.
        rejections: clips of no word in which, rightly, none was heard.
        detections: all words that were heard.
    """

    n: int = 0
    hits: int = 0
    misses: int = 0
    false_accepts: int = 0
    rejections: int = 0
    detections: int = 0
    seconds: float = 0.0

    def count(self, expected: str | None, detected: str | None) -> None:
        """Enters one clip."""
        if expected is None:
            return
        self.n += 1
        heard = detected if detected not in (SILENCE, UNKNOWN) else None
        if expected in (SILENCE, UNKNOWN):
            self.false_accepts += heard is not None
            self.rejections += heard is None
        else:
            self.hits += heard == expected
            self.misses += heard != expected

    def as_dict(self) -> dict[str, Any]:
        """The `summary` event."""
        return {"event": "summary", **asdict(self)}


def monitor(
    run: Run,
    board: str,
    port: str | None = None,
    replay: Path | None = None,
    duration_s: float | None = None,
    as_json: bool = False,
) -> dict[str, Any]:
    """Shows a board's events until Ctrl-C, the end of `replay` or of `duration_s`.

    Args:
        run: the run whose firmware the board has to run.
        board: name of a board; a virtual one is started for this.
        port: where to find it: a port name or pyserial URL; None starts or looks for it.
        replay: an audio file or folder that the board shall hear.
        duration_s: when to stop; None: not by time.
        as_json: one JSON event a line on stdout, instead of text for people.

    Returns:
        The summary event: n, hits, misses, false_accepts, rejections, detections, seconds.

    Raises:
        TinymlError: no firmware, another model's firmware, no board, a silent one, or unreadable recordings.
    """
    if replay is not None:
        recordings(replay)
    manifest = run.manifest()
    screen = _Screen(board, as_json)
    stop_at = None if duration_s is None else time.monotonic() + duration_s
    try:
        with open_board(run, board, port) as link:
            ready = link.wait_ready()
            check_firmware(ready, manifest, board)
            screen.header(ready)
            if replay is None:
                _listen(link, screen, stop_at, has_microphone=load_board(board).kind == "usb")
            else:
                for clip in replay_dir(
                    link, replay, manifest.labels, ready.sample_rate_hz, screen.event, stop_at
                ):
                    screen.clip(clip)
    except KeyboardInterrupt:
        pass  # the usual way to end; the summary follows
    except TinymlError:
        if screen.started:
            screen.end()
        raise
    return screen.end()


def banner(run: Run, board: str, port: str | None = None) -> dict[str, Any]:
    """Starts or finds a board and returns its `ready` event, whatever model it runs.

    Raises:
        TinymlError: no firmware, no board, or a silent one.
    """
    with open_board(run, board, port) as link:
        return link.wait_ready().as_dict()


@contextlib.contextmanager
def open_board(run: Run, board: str, port: str | None = None) -> Iterator[Link]:
    """An open link to a board: a virtual one boots the run's firmware, unless `port` names it.

    Raises:
        TinymlError: no firmware, no board, or a port that cannot be opened.
    """
    if port or load_board(board).kind == "usb":
        with Link(find_port(board, (), port)) as link:
            yield link
    else:
        elf = run.path / "firmware" / board / "firmware.elf"
        with VirtualDevice(board, elf) as device, Link(device.url) as link:
            yield link


def check_firmware(ready: Ready, manifest: Manifest, board: str) -> None:
    """Refuses a board whose firmware was made from another model than the run's.

    Raises:
        TinymlError: another model, or other labels.
    """
    model = manifest.artifacts.get(MODEL_INT8)
    if model is None:
        raise TinymlError(f"`{MODEL_INT8}` is missing", "manifest.json", "Run `tinyml convert` first.")
    if not ready.model or not model.sha256.startswith(ready.model):
        raise TinymlError(
            f"Stale firmware: the board runs model {printable(ready.model)[:12]}, "
            f"the run has {model.sha256[:12]}",
            board,
            f"Run `tinyml flash --board {board}`.",
        )
    if ready.labels != manifest.labels:
        raise TinymlError(
            f"The board knows the labels {', '.join(map(printable, ready.labels))}, "
            f"the run has {', '.join(manifest.labels)}",
            board,
            f"Run `tinyml export-c-array`, then `tinyml flash --board {board}`.",
        )


def _listen(link: Link, screen: _Screen, stop_at: float | None, has_microphone: bool) -> None:
    if not has_microphone:
        console.warn("a virtual board has no microphone; it hears what --replay FILE or DIR plays to it")
    remaining_s = None if stop_at is None else max(0.0, stop_at - time.monotonic())
    for event in link.events(remaining_s):
        screen.event(event)


class _Screen:
    """Shows events to a person or, as JSON, to a program, and keeps count."""

    def __init__(self, board: str, as_json: bool) -> None:
        self.summary = Summary()
        self.started = False
        self._start_s = time.monotonic()
        self._board = board
        self._as_json = as_json

    def header(self, ready: Ready) -> None:
        self.started = True
        if self._as_json:
            console.event(ready.as_dict())
            return
        console.info(
            f"{self._board}: tinyml {printable(ready.tinyml)}, {printable(ready.app)}, "
            f"engine {printable(ready.engine)}, model {printable(ready.model)}, "
            f"arena {ready.arena_used:,} of {ready.arena_bytes:,} bytes"
        )
        words = [label for label in ready.labels if label not in (SILENCE, UNKNOWN)]
        console.info(f"Listening for: {', '.join(map(printable, words))}  (Ctrl-C ends)")

    def event(self, event: Event) -> None:
        self.summary.detections += isinstance(event, Detection)
        if self._as_json:
            self._event_as_json(event)
        elif isinstance(event, Text):
            console.info(event.text)
        elif isinstance(event, Ready):
            console.warn("the device booted again")
        elif isinstance(event, Reconnected):
            console.warn("the port had vanished and is back")

    def _event_as_json(self, event: Event) -> None:
        told_twice = isinstance(event, Text) and event.text.startswith(_HEARD)
        if not told_twice and not isinstance(event, Ack | Nak | Malformed):
            console.event(event.as_dict())

    def clip(self, clip: dict[str, Any]) -> None:
        self.summary.count(clip["expected"], clip["detected"])
        if self._as_json:
            console.event(clip)
        else:
            console.info(
                f"{printable(clip['file'])}: expected {clip['expected'] or 'anything'}, "
                f"heard {printable(clip['detected'] or 'nothing')}"
            )

    def end(self) -> dict[str, Any]:
        """Shows the summary and returns it."""
        s = self.summary
        s.seconds = round(time.monotonic() - self._start_s, 2)
        if self._as_json:
            console.event(s.as_dict())
            return s.as_dict()
        console.info(
            f"{s.detections} words heard in {s.seconds:.1f} s"
            + (f"; {s.n} clips: {s.hits} hits, {s.misses} misses, " if s.n else "")
            + (f"{s.false_accepts} false accepts, {s.rejections} rejections" if s.n else "")
        )
        return s.as_dict()
