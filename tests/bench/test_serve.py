"""A virtual board as a serial port, opened and closed by pyserial; and pyserial's list of ports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from tests.bench.conftest import Firmware
from tinyml_cli.bench import launch_runner
from tinyml_cli.bench.serve import SerialBridge
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.virtual import VirtualDevice

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


@pytest.fixture
def bridge(firmware: Firmware) -> Iterator[tuple[VirtualDevice, SerialBridge]]:
    with VirtualDevice("native", firmware("kws", "native")) as device, SerialBridge(device.url) as bridge:
        yield device, bridge


def greeted(port: serial.Serial) -> None:
    """Reads the greeting, which is lost where the board was faster than the port."""
    port.timeout = 0.5
    port.read_until(b"m-ready\r\n")
    port.timeout = 10


def ask(port: serial.Serial, text: str) -> list[str]:
    port.write(text.encode())
    return port.read_until(b"m-ready\r\n").decode().split("\r\n")


def test_the_port_outlives_those_who_open_it(bridge: tuple[VirtualDevice, SerialBridge]) -> None:
    for baud in (9600, 115_200, 921_600):
        with serial.Serial(bridge[1].port, baud, timeout=10) as port:
            if baud == 9600:
                greeted(port)
            assert ask(port, "name%") == ["m-name-dut-[native]", "m-ready", ""]


def test_every_byte_gets_through(bridge: tuple[VirtualDevice, SerialBridge]) -> None:
    """Control characters too: the terminal must neither echo nor translate."""
    with serial.Serial(bridge[1].port, timeout=10) as port:
        greeted(port)
        odd = bytes(set(range(256)) - {ord("%"), ord("\n")})
        port.write(odd + b"%")
        assert port.read_until(b"m-ready\r\n") == b"e-[unknown command]\r\nm-ready\r\n"
        assert ask(port, "db load 490%")[0] == "m-[expecting 490 bytes]"
        assert ask(port, f"db {bytes(490).hex()}%")[0] == "m-load-done"


def test_it_ends_with_the_device(bridge: tuple[VirtualDevice, SerialBridge]) -> None:
    device, served = bridge
    device._stop()
    served.wait()


def test_nobody_listens() -> None:
    with pytest.raises(TinymlError, match="Cannot reach"), SerialBridge("socket://127.0.0.1:1"):
        pass


def test_launcher_adds_a_port_and_becomes_the_program(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("NAME = 'beside main.py'\n")
    (tmp_path / "main.py").write_text(
        "import sys, helper\n"
        "from serial.tools import list_ports\n"
        "port = list_ports.comports(True)[-1]\n"
        "print(__name__, helper.NAME, sys.argv[1:], port.device, hex(port.vid), hex(port.pid))\n"
    )
    command = [
        sys.executable,
        launch_runner.__file__,
        "/dev/pts/7",
        "1209:000a",
        tmp_path / "main.py",
        "-m",
        "a",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "__main__ beside main.py ['-m', 'a'] /dev/pts/7 0x1209 0xa\n"
