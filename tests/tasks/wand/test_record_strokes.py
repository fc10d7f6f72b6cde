"""Collecting strokes: what is kept, undone, relabelled and resumed, and what Bluetooth may say."""

from __future__ import annotations

import contextlib
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tinyml_cli.collect import record_strokes, stroke_source
from tinyml_cli.collect.stroke_source import DrawnStroke, StrokeQueue, parse_characteristic
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.data import RecordedStrokes


class Script:
    """A wand, and a keyboard, that do what a list says: a number draws, a letter is a key."""

    name = "script"

    def __init__(self, steps: str) -> None:
        self._steps = list(steps)

    def next(self, timeout_s: float) -> DrawnStroke | None:
        if self._steps and self._steps[0].isdigit():
            size = int(self._steps.pop(0)) + 1
            return DrawnStroke(np.array([[0, 0], [10 * size, 10]], np.int8), is_done=True)
        return None

    def read(self, timeout_s: float | None = None) -> str:
        return self._steps.pop(0) if self._steps else "q"


def collect(folder: Path, steps: str, monkeypatch: pytest.MonkeyPatch, count: int = 2) -> RecordedStrokes:
    script = Script(steps)
    monkeypatch.setattr(record_strokes, "_keys", lambda: _Keys(script))
    monkeypatch.setattr(console, "quiet", True)
    plan = record_strokes.plan_of(("wing", "ring"), "ada", folder, count)
    return record_strokes.record(plan, script)


class _Keys:
    def __init__(self, script: Script) -> None:
        self._script = script

    def __enter__(self) -> Script:
        return self._script

    def __exit__(self, *_: object) -> None:
        pass


def widths(folder: Path, gesture: str) -> list[int]:
    plan = record_strokes.plan_of((gesture,), "ada", folder, 1)
    return [int(stroke.points[1, 0]) // 10 - 1 for stroke in plan.strokes(gesture)]


def test_gestures_are_collected_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = collect(tmp_path, "1234", monkeypatch)
    assert (found.n, found.complete, found.quit) == (4, True, False)
    assert (widths(tmp_path, "wing"), widths(tmp_path, "ring")) == ([1, 2], [3, 4])
    assert (tmp_path / "wing_ada.png").read_bytes().startswith(b"\x89PNG")


def test_a_session_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert collect(tmp_path, "1q", monkeypatch).quit
    assert collect(tmp_path, "234", monkeypatch).complete
    assert (widths(tmp_path, "wing"), widths(tmp_path, "ring")) == ([1, 2], [3, 4])


def test_the_last_take_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = collect(tmp_path, "1u2u34q", monkeypatch)
    assert (found.undone, widths(tmp_path, "wing")) == (2, [3, 4])


def test_an_undone_only_take_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collect(tmp_path, "1uq", monkeypatch)
    assert not list(tmp_path.iterdir())


def test_a_take_is_relabelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = collect(tmp_path, "1l2q", monkeypatch)
    assert (widths(tmp_path, "wing"), widths(tmp_path, "ring")) == ([2], [1])
    assert found.undone == 0


def test_a_gesture_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collect(tmp_path, "s1q", monkeypatch)
    assert (widths(tmp_path, "wing"), widths(tmp_path, "ring")) == ([], [1])


def test_nobody_is_waited_for_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a keyboard nobody could end it."""
    monkeypatch.setattr(record_strokes, "_PATIENCE_S", 0.05)
    plan = record_strokes.plan_of(("wing",), "ada", tmp_path, 3)
    with pytest.raises(TinymlError, match="No stroke arrived"):
        record_strokes.record(plan, Script("12"))
    assert widths(tmp_path, "wing") == [1, 2]


def test_a_gesture_that_stands_there_twice_is_refused() -> None:
    with pytest.raises(TinymlError, match="twice"):
        record_strokes.plan_of(("wing", "wing"), None, None, None)


@pytest.mark.parametrize("name", ["", ".wing", "a/b", "a:b"])
def test_names_that_cannot_be_files_are_refused(name: str) -> None:
    with pytest.raises(TinymlError, match="not a valid file name"):
        record_strokes.plan_of((name,), None, None, None)


def characteristic(state: int, count: int, points: bytes = b"\x01\xff" * 160) -> bytes:
    return struct.pack("<ii", state, count) + points


def test_a_characteristic_is_read() -> None:
    drawing = parse_characteristic(characteristic(2, 3))
    assert drawing is not None and drawing.is_done
    assert drawing.points.tolist() == [[1, -1]] * 3
    under_way = parse_characteristic(characteristic(1, 2))
    assert under_way is not None and not under_way.is_done
    assert parse_characteristic(characteristic(0, 50)) is None
    assert parse_characteristic(characteristic(1, 1)) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00" * 327, b"\x00" * 329, characteristic(3, 1), characteristic(-1, 1), characteristic(2, 161)],
)
def test_hostile_characteristics_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse_characteristic(data)


def test_a_stroke_is_heard_once() -> None:
    """The course's firmware stays in its state until it is moved again."""
    heard = StrokeQueue()
    for state, count in [(2, 9), (2, 9), (0, 0), (1, 4), (2, 5), (2, 5), (2, 6), (1, 3), (2, 7), (2, 7)]:
        heard.add(characteristic(state, count))
    heard.add(b"damaged")
    found = [heard.next(0) for _ in range(3)]
    assert [(len(one.points), one.is_done) for one in found if one] == [(5, True), (7, True)]


def test_only_the_newest_of_a_stroke_under_way_is_drawn() -> None:
    heard = StrokeQueue()
    for count in (2, 3, 4):
        heard.add(characteristic(1, count))
    newest = heard.next(0)
    assert newest is not None and len(newest.points) == 4 and not newest.is_done
    assert heard.next(0) is None


class _Radio:
    """Stands in for bleak and a board near by, whose characteristic can be read and cannot notify."""

    address, name, service_uuids = "aa:bb", "BLESense-1234", (stroke_source.SERVICE_UUID,)
    is_connected = True

    def __init__(self, *states: bytes) -> None:
        self.states = list(states)
        self.BleakScanner = self
        self.BleakClient = lambda device: self

    async def find_device_by_filter(self, is_it: Callable[..., bool], timeout: float) -> _Radio | None:
        return self if is_it(self, self) else None

    async def __aenter__(self) -> _Radio:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def read_gatt_char(self, uuid: str) -> bytearray:
        assert uuid == stroke_source.STROKE_UUID
        return bytearray(self.states.pop(0) if len(self.states) > 1 else self.states[0])


@pytest.mark.parametrize("address", [None, "AA:BB", "blesense"])
def test_a_wand_is_found_and_read(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    radio = _Radio(characteristic(0, 0), characteristic(1, 4), characteristic(2, 6))
    monkeypatch.setitem(sys.modules, "bleak", radio)
    with contextlib.closing(stroke_source.BluetoothWand(address)) as wand:
        found = [wand.next(1.0), wand.next(1.0), wand.next(0.2)]
        assert [len(one.points) for one in found if one and one.is_done] == [6]
        assert wand.name == "wand BLESense-1234"


def test_another_wand_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bleak", _Radio(characteristic(0, 0)))
    with pytest.raises(TinymlError, match="No wand found"):
        stroke_source.BluetoothWand("other")


def test_without_bleak_the_next_step_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bleak", None)
    with pytest.raises(TinymlError, match=r"tinyml-cli\[ble\]"):
        stroke_source.BluetoothWand()


def test_a_board_that_no_hand_can_wave_is_refused(tinyml: Tinyml, tmp_path: Path) -> None:
    command = ("data", "record", "strokes", "--gesture", "wing")
    answer = tinyml(*command, "--board", "sim", "--json", cwd=tmp_path, code=2)
    assert "--replay" in answer.json["error"]["next_step"]
    for option in ("--board", "--port"):
        answer = tinyml(*command, "--ble", "any", option, "nano33ble", "--json", cwd=tmp_path, code=2)
        assert option in answer.json["error"]["next_step"]
    answer = tinyml(*command[:3], "--json", cwd=tmp_path, code=2)
    assert answer.json["error"]["where"] == "--gesture"
    assert not list(tmp_path.iterdir())
