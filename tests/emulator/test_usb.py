"""The modelled USB device with a program of ours: enumeration, bytes both ways, the touch at 1200 baud."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.emulator.desk import desk


def test_the_host_learns_what_the_descriptors_say(program: Callable[[str], Path]) -> None:
    board = desk(program("echo"))
    board.run(0.05)
    (identity,) = board.identities
    assert (identity.vendor, identity.product) == (0x2341, 0x805A)
    assert identity.serial_number == "6F87C02642E3D4B6"


def test_bytes_come_back_unchanged(program: Callable[[str], Path]) -> None:
    board = desk(program("echo"))
    board.run(0.05)
    for count in (1, 63, 64, 65, 128, 1000):
        sent = bytes(7 * n & 0xFF for n in range(count))
        board.received.clear()
        board.host.send(sent)
        board.run(0.03)
        assert board.received == sent, count


def test_nothing_is_taken_while_the_port_is_closed(program: Callable[[str], Path]) -> None:
    board = desk(program("echo"))
    board.run(0.05)
    board.host.close()
    board.run(0.01)
    board.host.send(b"lost")
    board.run(0.05)
    assert not board.received


def test_a_touch_at_1200_baud_leads_into_the_bootloader(program: Callable[[str], Path]) -> None:
    board = desk(program("echo"))
    board.run(0.05)
    board.host.open(1200)
    board.run(0.01)
    assert not board.board.in_bootloader
    board.host.close()
    board.run(0.01)
    assert board.board.in_bootloader
    assert board.identities[1:] == [None]
