"""The search for a board never touches a port that is not its own."""

from __future__ import annotations

import pytest

from tinyml_cli.device.ports import SerialPort, find_port, serial_ports
from tinyml_cli.errors import TinymlError

NANO = {(0x2341, 0x805A), (0x2341, 0x005A)}
BOARD = SerialPort("/dev/ttyACM0", "Nano 33 BLE", (0x2341, 0x805A), "AB12")
SECOND = SerialPort("/dev/ttyACM1", "Nano 33 BLE", (0x2341, 0x005A), "CD34")
MODEM = SerialPort("/dev/ttyS0", "modem")
PRINTER = SerialPort("/dev/ttyUSB0", "printer", (0x04F9, 0x0001))


def test_a_given_port_wins() -> None:
    assert find_port("nano33ble", NANO, "COM9", [BOARD]) == "COM9"


def test_the_board_is_found_by_its_ids_among_others() -> None:
    assert find_port("nano33ble", NANO, None, [MODEM, PRINTER, BOARD]) == "/dev/ttyACM0"


def test_no_other_port_is_ever_taken() -> None:
    with pytest.raises(TinymlError, match=r"2341:.*other ports: /dev/ttyS0, /dev/ttyUSB0"):
        find_port("nano33ble", NANO, None, [MODEM, PRINTER])


def test_several_boards_need_a_choice() -> None:
    with pytest.raises(TinymlError, match=r"2 boards.*AB12.*CD34"):
        find_port("nano33ble", NANO, None, [BOARD, SECOND])


def test_the_systems_ports_can_be_listed() -> None:
    assert all(port.device for port in serial_ports())
