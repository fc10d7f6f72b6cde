"""Sources of strokes while recording: a board's serial port, or Bluetooth."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tinyml_cli.boards.boards import load_board
from tinyml_cli.connect import open_port
from tinyml_cli.errors import TinymlError
from tinyml_cli.link import protocol
from tinyml_cli.link.link import Link
from tinyml_cli.tasks.wand.strokes import MAX_POINTS, Points
from tinyml_cli.wording import counted

SERVICE_UUID = "4798e0f2-0000-4d68-af64-8a8f5258404e"
"""Of the course's magic wand; its browser page and this tool read the same firmware."""

STROKE_UUID = "4798e0f2-300a-4d68-af64-8a8f5258404e"
_HEADER = struct.Struct("<ii")
_CHARACTERISTIC_BYTES = _HEADER.size + 2 * MAX_POINTS
_DONE = 2
_SEARCH_S = 10.0
_READ_EVERY_S = 0.05
_CONNECT_S = 3 * _SEARCH_S
_ASK_AFTER_S = 10.0


@dataclass(frozen=True)
class DrawnStroke:
    """A stroke, as far as it is drawn.

    Attributes:
        points: int8 [n, 2].
        is_done: the wand has come to rest.
    """

    points: Points
    is_done: bool


class StrokeWand(Protocol):
    """Something that is waved."""

    name: str

    def next(self, timeout_s: float) -> DrawnStroke | None:
        """The newest drawing, None if nothing comes in time.

        Raises:
            TinymlError: the connection broke.
        """


class BoardWand:
    """A board on its serial port.

    Args:
        link: an open link.
        ready: the board's banner.

    Raises:
        TinymlError: firmware that draws no strokes.
    """

    def __init__(self, link: Link, ready: protocol.Ready) -> None:
        if ready.app != "wand":
            raise TinymlError(
                f"The board runs the application `{ready.app}`, which draws no strokes",
                link.url,
                "Flash any wand: tinyml pipeline wand --labels 0,1,2 --board BOARD",
            )
        self.name = f"wand on {ready.board}"
        self._link = link
        self._heard_s = time.monotonic()

    def next(self, timeout_s: float) -> DrawnStroke | None:
        """The next stroke: the serial protocol sends whole ones. A silent board is asked if it is there."""
        for event in self._link.events(timeout_s):
            self._heard_s = time.monotonic()
            if isinstance(event, protocol.Stroke):
                pairs = event.points[: len(event.points) // 2 * 2]
                return DrawnStroke(np.frombuffer(pairs, np.int8).reshape(-1, 2), is_done=True)
        if time.monotonic() - self._heard_s >= _ASK_AFTER_S:
            self._link.info()
            self._heard_s = time.monotonic()
        return None


class StrokeQueue:
    """What is read from a wand, each stroke once.

    The wand says "done" until it moves again; also of a stroke that was drawn before anybody listened,
    which is nobody's take.
    """

    def __init__(self) -> None:
        self._drawings: queue.Queue[DrawnStroke] = queue.Queue()
        self._was_done = True

    def add(self, data: bytes) -> None:
        """Takes a value of the stroke characteristic; damaged ones are left out."""
        try:
            drawing = parse_characteristic(data)
        except ValueError:
            return
        is_done = _HEADER.unpack_from(data)[0] == _DONE
        if drawing is not None and not (is_done and self._was_done):
            self._drawings.put(drawing)
        self._was_done = is_done

    def next(self, timeout_s: float) -> DrawnStroke | None:
        """The next finished stroke, or the newest state of one that is under way; None if nothing comes."""
        drawing = None
        with contextlib.suppress(queue.Empty):
            drawing = self._drawings.get(timeout=timeout_s)
            while not drawing.is_done:
                drawing = self._drawings.get_nowait()
        return drawing


class BluetoothWand:
    """A board with the course's stroke service. What it says arrives on a thread of its own.

    Args:
        address: of the board, or part of its name; None takes the first wand that is found.

    Raises:
        TinymlError: bleak is missing, no Bluetooth, no wand.
    """

    def __init__(self, address: str | None = None) -> None:
        self.name = f"wand {address}" if address else "wand over Bluetooth"
        self._heard = StrokeQueue()
        self._failure: TinymlError | None = None
        self._ready, self._end = threading.Event(), threading.Event()
        bleak = _bleak()
        self._thread = threading.Thread(target=self._run, args=(bleak, address), daemon=True)
        self._thread.start()
        is_ready = self._ready.wait(_CONNECT_S)
        if self._failure is not None:
            raise self._failure
        if not is_ready:
            self._end.set()
            raise TinymlError("The wand does not answer", self.name, "Reset the board, and start again.")

    def next(self, timeout_s: float) -> DrawnStroke | None:
        """The newest drawing, also of a stroke that is under way."""
        if drawing := self._heard.next(timeout_s):
            return drawing
        if self._failure is not None:
            raise self._failure
        return None

    def close(self) -> None:
        """Lets go of the board."""
        self._end.set()
        self._thread.join(_SEARCH_S)

    def _run(self, bleak: Any, address: str | None) -> None:
        try:
            asyncio.run(self._listen(bleak, address))
        except TinymlError as error:
            self._failure = error
        except Exception as error:  # bleak raises what each system's Bluetooth raises
            self._failure = TinymlError(
                f"Bluetooth failed: {error}", self.name, "Turn it on, and reset the board."
            )
        finally:
            self._ready.set()

    async def _listen(self, bleak: Any, address: str | None) -> None:
        def is_it(device: Any, advertisement: Any) -> bool:
            if address is None:
                return SERVICE_UUID in advertisement.service_uuids
            wanted = address.lower()
            return wanted == device.address.lower() or wanted in (device.name or "").lower()

        device = await bleak.BleakScanner.find_device_by_filter(is_it, timeout=_SEARCH_S)
        if device is None:
            raise TinymlError(
                "No wand found", self.name, "Power the board, and disconnect it from other computers."
            )
        async with bleak.BleakClient(device) as client:
            self.name = f"wand {device.name or device.address}"
            while not self._end.is_set():
                if not client.is_connected:
                    raise TinymlError(
                        "The connection to the wand was lost", self.name, "Move closer to it and start again."
                    )
                # The course's firmware lets it be read only: a notification is too short for a stroke.
                self._heard.add(bytes(await client.read_gatt_char(STROKE_UUID)))
                self._ready.set()
                await asyncio.sleep(_READ_EVERY_S)


def parse_characteristic(data: bytes) -> DrawnStroke | None:
    """A value of the stroke characteristic: state and length as int32, then pairs of int8, little endian.

    Returns:
        None while the wand rests or has drawn fewer than two points.

    Raises:
        ValueError: of another length, or a state or number of points that there cannot be.
    """
    if len(data) != _CHARACTERISTIC_BYTES:
        raise ValueError(f"{len(data)} bytes, not {_CHARACTERISTIC_BYTES}")
    state, count = _HEADER.unpack_from(data)
    if not 0 <= state <= _DONE or not 0 <= count <= MAX_POINTS:
        raise ValueError(f"state {state}, {counted(count, 'point')}")
    if state == 0 or count < 2:
        return None
    points = np.frombuffer(data, np.int8, 2 * count, _HEADER.size).reshape(-1, 2)
    return DrawnStroke(points.copy(), is_done=state == _DONE)


@contextlib.contextmanager
def open_wand(board: str | None, port: str | None, ble: str | None) -> Iterator[StrokeWand]:
    """A wand on a board's serial port, or over Bluetooth.

    Args:
        board: its name.
        port: where it is, if it cannot be found by itself.
        ble: address or name of the board, "any" for the first that is found; None: the serial port.

    Raises:
        TinymlError: cable and Bluetooth at once, no such wand, one that no hand can wave, other firmware,
            or a package is missing.
    """
    if ble is not None:
        for name, value in (("--board", board), ("--port", port)):
            if value is not None:
                what = "A wand is reached by cable or over Bluetooth, not both"
                raise TinymlError(what, "--ble", f"Omit {name} or --ble.")
        with contextlib.closing(BluetoothWand(None if ble == "any" else ble)) as wand:
            yield wand
        return
    target = load_board(board or "nano33ble")
    if target.kind != "usb" and port is None:
        raise TinymlError(
            f"`{target.name}` is not a device that can be waved",
            "--board",
            "Connect a board, or use --ble. To replay recorded strokes: tinyml monitor --board sim "
            "--replay DIR",
        )
    with open_port(target, port) as link:
        yield BoardWand(link, link.wait_ready())


def _bleak() -> Any:
    """The package.

    Raises:
        TinymlError: it is missing.
    """
    try:
        import bleak
    except ImportError as error:
        raise TinymlError(
            f"Bluetooth needs the package bleak ({error})",
            "--ble",
            'Install it: pip install "tinyml-cli[ble]", or use the board\'s cable: --board nano33ble',
        ) from error
    return bleak
