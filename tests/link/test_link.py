"""The conversation with a device, against a protocol test double with scripted faults."""

from __future__ import annotations

import io
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.doubles.reference_device import LABELS, ReferenceDevice
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import CommandRefusedError, Link, Reconnected
from tinyml_cli.link.protocol import Ack, Detection, Led, Text
from tinyml_cli.link.transport import DeviceGoneError

Start = Callable[..., str]

pytestmark = pytest.mark.serial

QUIET = np.zeros(320, np.int16)
LOUD = np.full(320, 8000, np.int16)


def test_a_whole_conversation(reference_device: Start) -> None:
    with Link(reference_device()) as link:
        ready = link.wait_ready()
        assert ready.labels == LABELS
        assert link.info() == ready
        link.reset()
        link.trace("features")
        link.feed_pcm(QUIET)
        assert link.take_events() == []
        link.feed_pcm(LOUD)
        text, detection, led = link.take_events()
        assert isinstance(text, Text) and text.text == "Heard yes (94%) @40ms"
        assert isinstance(detection, Detection) and (detection.label, detection.t_ms) == ("yes", 40)
        assert isinstance(led, Led) and led.g == 255
        assert link.resent == link.reboots == 0


def test_sensors_and_light(reference_device: Start) -> None:
    with Link(reference_device()) as link:
        sensors = link.sensors()
        assert (sensors.imu, sensors.ax_mg, sensors.az_mg) == ("lsm9ds1", 20, 1010)
        link.led(255, 0, 128)
        link.trace("status", "scores")
        link.trace("off")
        assert link.resent == 0
        with pytest.raises(ValueError, match="led"):
            link.led(256, 0, 0)


def test_input_longer_than_a_line_arrives_whole(reference_device: Start) -> None:
    values = np.random.default_rng(3).integers(-128, 128, 3000).astype(np.int8)
    with Link(reference_device()) as link:
        link.write_input(values)
        output = link.run_inference()
    assert int.from_bytes(output.data, "little", signed=True) == int(values.sum(dtype=np.int64))
    assert output.instructions == 1234


def test_damaged_lines_are_sent_again(reference_device: Start) -> None:
    with Link(reference_device("--fault", "crc:2")) as link:
        link.feed_pcm(LOUD)
        assert link.resent == 2
        assert [event.event for event in link.take_events()].count("detection") == 1


def test_lost_answers_neither_stop_the_host_nor_feed_twice(reference_device: Start) -> None:
    with Link(reference_device("--fault", "mute:2"), timeout_s=0.2) as link:
        link.feed_pcm(LOUD)
        link.feed_pcm(LOUD)
        assert link.resent == 2
        detections = [event for event in link.take_events() if isinstance(event, Detection)]
        assert [event.t_ms for event in detections] == [20]


def test_noise_before_every_line(reference_device: Start) -> None:
    with Link(reference_device("--fault", "noise"), timeout_s=0.5) as link:
        link.wait_ready()
        for _ in range(50):
            link.feed_pcm(LOUD)
        detections = [event for event in link.take_events() if isinstance(event, Detection)]
        assert len(detections) == 1


def test_a_reboot_in_the_middle_of_an_answer_is_noticed(reference_device: Start) -> None:
    with Link(reference_device("--fault", "reboot:2")) as link:
        link.wait_ready()
        link.feed_pcm(QUIET)
        link.feed_pcm(QUIET)
        assert (link.reboots, link.resent) == (1, 1)
        assert [event.event for event in link.take_events()] == ["ready"]


def test_a_device_that_hangs_up(reference_device: Start) -> None:
    with (
        pytest.raises(DeviceGoneError, match="closed the connection"),
        Link(reference_device("--fault", "hangup:1")) as link,
    ):
        link.feed_pcm(QUIET)
        link.feed_pcm(QUIET)


def test_a_refused_command_says_why(reference_device: Start) -> None:
    with Link(reference_device()) as link, pytest.raises(TinymlError, match="refused `in`: range") as caught:
        link.write_input(np.zeros(3001, np.int8))
    assert "tinyml flash" in caught.value.next_step
    assert link.resent == 0


def test_a_command_that_the_firmware_does_not_know_is_refused(reference_device: Start) -> None:
    with (
        Link(reference_device()) as link,
        pytest.raises(CommandRefusedError, match="refused `fly`: command"),
    ):
        link._command(lambda number: b"fly %d\n" % number, Ack)


def test_a_line_that_is_always_damaged_ends(reference_device: Start) -> None:
    with (
        Link(reference_device("--fault", "crc:99")) as link,
        pytest.raises(TinymlError, match="damaged 4 times"),
    ):
        link.feed_pcm(QUIET)


def test_a_silent_device_is_named(reference_device: Start) -> None:
    url = reference_device("--fault", "mute:99")
    with (
        Link(url, timeout_s=0.05) as link,
        pytest.raises(TinymlError, match="does not answer `reset`") as caught,
    ):
        link.reset()
    assert caught.value.where == url


def _talker(line: bytes) -> str:
    server = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        connection, _ = server.accept()
        with server, connection:
            try:
                for _ in range(50):
                    connection.sendall(line)
                    time.sleep(0.05)
            except OSError:
                return

    threading.Thread(target=talk, daemon=True).start()
    return f"socket://127.0.0.1:{server.getsockname()[1]}"


def test_other_firmware_is_recognised() -> None:
    with (
        Link(_talker(b"Temp 21.5\n")) as link,
        pytest.raises(TinymlError, match=r"does not run tinyml firmware.*Temp 21\.5"),
    ):
        link.wait_ready(timeout_s=0.5)


def test_a_fault_at_boot_is_an_error() -> None:
    url = _talker(b'{"event":"fault","what":"arena too small"}\n')
    with Link(url) as link, pytest.raises(TinymlError, match="arena too small"):
        link.wait_ready(timeout_s=2)


def test_another_protocol_version_is_refused() -> None:
    line = b'{"event":"ready","protocol":2,"tinyml":"9","app":"a","board":"b","engine":"e","model":"m"}\n'
    with Link(_talker(line)) as link, pytest.raises(TinymlError, match="uses protocol 2"):
        link.wait_ready(timeout_s=2)


@pytest.mark.parametrize(
    "url", ["/dev/ttyNoSuchPort", "COM-none", "socket://127.0.0.1:1", "socket://x:y", "zz://1"]
)
def test_a_port_that_cannot_be_opened_says_what_to_do(url: str) -> None:
    with pytest.raises(TinymlError) as caught, Link(url):
        pass
    assert caught.value.where == url and caught.value.next_step


def test_stop_and_wait_over_tcp_is_fast(reference_device: Start) -> None:
    with Link(reference_device()) as link:
        link.wait_ready()
        times_s = []
        for _ in range(50):
            started = time.monotonic()
            link.feed_pcm(QUIET)
            times_s.append(time.monotonic() - started)
        # Nagle's algorithm with delayed acknowledgements would cost each line 40 ms.
        assert sorted(times_s)[len(times_s) // 4] < 0.03


class _Terminal:
    """A reference device behind a pseudo-terminal that can be unplugged and plugged in again."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.plug()

    def plug(self) -> None:
        import pty
        import tty

        try:
            self.master, slave = pty.openpty()
        except OSError as error:
            pytest.skip(f"no pseudo-terminal to be had here: {error}")
        tty.setraw(slave)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(slave))
        self.slave = slave
        threading.Thread(target=self._serve, args=(self.master,), daemon=True).start()

    def _serve(self, master: int) -> None:
        try:
            with io.FileIO(master, "r+", closefd=False) as raw:
                ReferenceDevice(io.BufferedRWPair(raw, raw), {}, "m").serve()
        except (OSError, ValueError):
            return

    def unplug(self) -> None:
        self.link.unlink()
        os.close(self.slave)
        os.close(self.master)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a POSIX feature")
def test_a_serial_port_that_vanishes_and_comes_back(tmp_path: Path) -> None:
    terminal = _Terminal(tmp_path / "ttyBoard")
    with Link(str(terminal.link), timeout_s=1.0, reconnect_s=10.0) as link:
        link.wait_ready()
        link.feed_pcm(QUIET)
        terminal.unplug()
        threading.Timer(0.6, terminal.plug).start()
        link.feed_pcm(QUIET)
        assert any(isinstance(event, Reconnected) for event in link.take_events())


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a POSIX feature")
def test_a_board_that_comes_back_under_another_name(tmp_path: Path) -> None:
    terminal = _Terminal(tmp_path / "ttyACM0")
    lost: list[str] = []

    def locate() -> str:
        if not terminal.link.exists():
            raise TinymlError("No board", "--port", "Plug it in.")
        return str(terminal.link)

    def plug_elsewhere() -> None:
        terminal.link = tmp_path / "ttyACM1"
        terminal.plug()

    link = Link(str(terminal.link), timeout_s=1.0, locate=locate, on_lost=lambda: lost.append("now"))
    with link:
        link.wait_ready()
        terminal.unplug()
        threading.Timer(0.6, plug_elsewhere).start()
        link.feed_pcm(QUIET)
        assert link.url.endswith("ttyACM1") and lost == ["now"]
        assert any(isinstance(event, Reconnected) for event in link.take_events())


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a POSIX feature")
def test_a_serial_port_that_stays_away(tmp_path: Path) -> None:
    terminal = _Terminal(tmp_path / "ttyBoard")
    with Link(str(terminal.link), reconnect_s=0.3) as link:
        link.wait_ready()
        terminal.unplug()
        with pytest.raises(DeviceGoneError, match="did not return"):
            link.feed_pcm(QUIET)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a POSIX feature")
def test_a_busy_serial_port(tmp_path: Path) -> None:
    terminal = _Terminal(tmp_path / "ttyBoard")
    with (
        Link(str(terminal.link)),
        pytest.raises(TinymlError, match="in use by another program"),
        Link(str(terminal.link)),
    ):
        pass


def test_refusals_of_older_noise_are_not_taken_for_answers(reference_device: Start) -> None:
    with Link(reference_device()) as link:
        link._write(b"noise\n" * 20)
        link.feed_pcm(LOUD)
        assert [event.event for event in link.take_events()].count("detection") == 1
        assert link.resent == 0
