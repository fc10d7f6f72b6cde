"""The search for a board never settles on a port that is not its own, and errors say what to do."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tinyml_cli.boards.boards import Board, UsbId, load_board
from tinyml_cli.errors import TinymlError
from tinyml_cli.flash.bootloader import BoardOnUsb
from tinyml_cli.link import port_errors, usb
from tinyml_cli.link.port_errors import busy_error, open_error, permission_error, port_users, udev_rule
from tinyml_cli.link.ports import SerialPort, serial_ports
from tinyml_cli.link.usb import UsbPort, choose_port, find_boards, link_url

NANO = load_board("native").model_copy(
    update={
        "name": "nano33ble",
        "kind": "usb",
        "usb_ids": (UsbId(id="2341:805a", role="sketch"), UsbId(id="2341:005a", role="bootloader")),
    }
)
SKETCH = SerialPort("/dev/ttyACM0", "Nano 33 BLE", (0x2341, 0x805A), "E3D4B66F87C02642")
BOOTLOADER = SerialPort("/dev/ttyACM1", "Nano 33 BLE", (0x2341, 0x005A), "0000000000000000E3D4B66F87C02642")
SECOND = SerialPort("/dev/ttyACM2", "Nano 33 BLE", (0x2341, 0x805A), "AB12CD34EF56AB78")
MODEM = SerialPort("/dev/ttyS0", "n/a")
PRINTER = SerialPort("/dev/ttyUSB0", "Label printer", (0x04F9, 0x0001))


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> object:
    """Decides which ports there are: plug(SKETCH, MODEM)."""
    return lambda *ports: monkeypatch.setattr(usb, "serial_ports", lambda: list(ports))


def test_the_board_is_found_by_its_ids_among_others(plug) -> None:  # type: ignore[no-untyped-def]
    plug(MODEM, PRINTER, SKETCH)
    assert choose_port(NANO) == UsbPort("/dev/ttyACM0", "sketch", SKETCH.serial_number)
    plug(BOOTLOADER, MODEM)
    assert choose_port(NANO).role == "bootloader"


def test_no_other_port_is_ever_taken(plug) -> None:  # type: ignore[no-untyped-def]
    plug(MODEM, PRINTER)
    with pytest.raises(TinymlError, match=r"2341:805a, 2341:005a; other .* /dev/ttyS0, /dev/ttyUSB0 \(04f9:"):
        choose_port(NANO)
    plug()
    with pytest.raises(TinymlError, match="not opened: none"):
        choose_port(NANO)


def test_several_boards_need_a_choice(plug) -> None:  # type: ignore[no-untyped-def]
    plug(SKETCH, SECOND)
    with pytest.raises(TinymlError, match=r"2 boards.*ACM0.*E3D4.*ACM2.*AB12") as caught:
        choose_port(NANO)
    assert caught.value.next_step == "Choose one: --port /dev/ttyACM0"
    assert choose_port(NANO, "/dev/ttyACM2").serial_number == "AB12CD34EF56AB78"


def test_a_given_port_has_to_be_the_board(plug) -> None:  # type: ignore[no-untyped-def]
    plug(SKETCH, PRINTER)
    with pytest.raises(TinymlError, match=r"04f9:0001 Label printer\) is not a board `nano33ble`") as caught:
        choose_port(NANO, "/dev/ttyUSB0")
    assert caught.value.next_step.endswith("/dev/ttyACM0.")
    with pytest.raises(TinymlError, match="No serial port `COM9`"):
        choose_port(NANO, "COM9")


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights there")
def test_a_link_to_the_port_is_the_port(plug, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    port, link = tmp_path / "ttyACM0", tmp_path / "by-id"
    port.touch()
    link.symlink_to(port)
    plug(SerialPort(str(port), "Nano", (0x2341, 0x805A)))
    assert choose_port(NANO, str(link)).device == str(port)


@pytest.mark.parametrize(
    ("platform", "given", "device"),
    [("win32", "com5", "COM5"), ("darwin", "/dev/tty.usbmodem101", "/dev/cu.usbmodem101")],
)
def test_a_port_may_have_two_spellings(
    plug,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    given: str,
    device: str,
) -> None:
    plug(SerialPort(device, "Nano", (0x2341, 0x805A)))
    monkeypatch.setattr(sys, "platform", platform)
    assert choose_port(NANO, given).device == device


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("E3D4B66F87C02642", "0000000000000000E3D4B66F87C02642", True),
        ("E3D4B66F87C02642", "e3d4b66f87c02642", True),
        ("03D4B66F87C02642", "3D4B66F87C02642", True),
        ("E3D4B66F87C02642", "AB12CD34EF56AB78", False),
        ("E3D4B66F87C02642", "42", False),
        ("", "AB12CD34EF56AB78", True),
        ("0000", "AB12CD34EF56AB78", True),
    ],
)
def test_a_board_is_known_again_by_its_serial_number(one: str, other: str, same: bool) -> None:
    sketch, bootloader = UsbPort("a", "sketch", one), UsbPort("b", "bootloader", other)
    assert sketch.may_be(bootloader) == bootloader.may_be(sketch) == same


def test_a_board_is_followed_and_no_other_is_taken_for_it(plug) -> None:  # type: ignore[no-untyped-def]
    plug(SKETCH, SECOND, PRINTER)
    board = BoardOnUsb(NANO, choose_port(NANO, SKETCH.device))
    plug(SECOND, PRINTER)
    assert board.find() is None
    stranger = SerialPort("/dev/ttyACM3", "Nano 33 BLE", (0x2341, 0x005A), "00000000000000001111111111111111")
    plug(SECOND, stranger)
    assert board.find("bootloader") is None and board.find() is None
    plug(SECOND, stranger, BOOTLOADER)
    found = board.find("bootloader")
    assert found and found.device == BOOTLOADER.device


def test_boards_without_serial_numbers_are_told_apart_by_elimination(plug) -> None:  # type: ignore[no-untyped-def]
    sketch, other = (SerialPort(f"/dev/ttyACM{i}", "Nano", (0x2341, 0x805A)) for i in range(2))
    bootloader, second = (SerialPort(f"/dev/ttyACM{i}", "Nano", (0x2341, 0x005A)) for i in range(2, 4))
    plug(sketch, other)
    board = BoardOnUsb(NANO, choose_port(NANO, sketch.device))
    plug(other)
    assert board.find() is None
    plug(other, bootloader)
    found = board.find()
    assert found and found.device == bootloader.device
    plug(other, bootloader, second)
    assert board.find("bootloader") is None  # either could be it: none is taken


def test_a_monitor_gets_no_bootloader(plug) -> None:  # type: ignore[no-untyped-def]
    plug(SKETCH)
    assert link_url(NANO) == "/dev/ttyACM0"
    assert link_url(NANO, "socket://127.0.0.1:5") == "socket://127.0.0.1:5"
    plug(BOOTLOADER)
    with pytest.raises(TinymlError, match="in its bootloader and is not running a program") as caught:
        link_url(NANO)
    assert "tinyml flash --board nano33ble" in caught.value.next_step


def test_a_board_without_usb_ids_matches_nothing() -> None:
    assert find_boards(load_board("sim"), [SKETCH, MODEM]) == []


def test_the_systems_ports_can_be_listed() -> None:
    assert all(port.device for port in serial_ports())


def test_a_port_that_vanishes_while_it_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def stumble() -> list[object]:
        calls.append(None)
        if len(calls) < 3:
            int(None)  # type: ignore[call-overload]
        return []

    monkeypatch.setattr("serial.tools.list_ports.comports", stumble)
    assert serial_ports() == [] and len(calls) == 3


def test_an_id_has_one_form() -> None:
    with pytest.raises(ValueError, match="should match pattern"):
        UsbId(id="0x2341:0x805A", role="sketch")
    assert isinstance(NANO, Board) and NANO.usb_ids[0].numbers == (0x2341, 0x805A)


# Ports that cannot be opened


def test_each_reason_has_its_own_words() -> None:
    texts = {
        open_error("/dev/x", OSError(number, os.strerror(number))).what
        for number in (errno.EBUSY, errno.EACCES, errno.ENOENT, errno.EIO)
    }
    assert len(texts) == 4


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="udev and serial groups are Linux's")
def test_permission_names_the_group_or_the_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for group in ("dialout", "uucp"):
        monkeypatch.setattr(port_errors, "_group_of", lambda port, group=group: group)
        monkeypatch.setattr(port_errors, "_own_groups", lambda: {"users"})
        assert f"sudo usermod -a -G {group} $USER" in permission_error("/dev/ttyACM0").next_step
    for own, group in (({"dialout"}, "dialout"), ({"users"}, "root"), (set(), "")):
        monkeypatch.setattr(port_errors, "_group_of", lambda port, group=group: group)
        monkeypatch.setattr(port_errors, "_own_groups", lambda own=own: own)
        advice = permission_error("/dev/ttyACM0").next_step
        assert udev_rule() in advice and "/etc/udev/rules.d/60-tinyml.rules" in advice


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="groups of device files")
def test_the_group_of_a_port_is_read(tmp_path: Path) -> None:
    import grp

    file = tmp_path / "port"
    file.touch()
    assert port_errors._group_of(str(file)) == grp.getgrgid(file.stat().st_gid).gr_name
    assert port_errors._group_of("/dev/nothing") == ""
    assert port_errors._own_groups()


def test_modem_manager_gets_its_own_advice() -> None:
    error = busy_error("/dev/ttyACM0", ["ModemManager (pid 812)"])
    assert "systemctl stop ModemManager" in error.next_step
    assert "systemctl" not in busy_error("/dev/ttyACM0", ["screen (pid 9)"]).next_step


@pytest.mark.skipif(sys.platform == "win32", reason="no list of open files there")
@pytest.mark.parametrize("way", ["proc", "lsof"])
def test_the_users_of_a_port_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    file = tmp_path / "port"
    file.touch()
    if way == "proc" and not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc here")
    if way == "lsof":
        if subprocess.run(["sh", "-c", "command -v lsof"], stdout=subprocess.DEVNULL, check=False).returncode:
            pytest.skip("lsof is not installed")
        monkeypatch.setattr(port_errors, "_users_in_proc", port_errors._users_by_lsof)
    with file.open(), subprocess.Popen(["cat"], stdin=file.open(), stdout=subprocess.PIPE) as own_child:
        own_child.communicate()
        holder = subprocess.Popen(["sleep", "60"], stdin=file.open())
        try:
            assert port_users(str(file)) == [f"sleep (pid {holder.pid})"]  # we ourselves are left out
        finally:
            holder.kill()
            holder.wait()
        assert port_users(str(file)) == []


def test_the_documents_show_the_rule_that_the_error_prints(repository: Path) -> None:
    for name in ("troubleshooting.md", "first-board.md"):
        assert udev_rule() in (repository / "docs" / name).read_text(encoding="utf-8")


def test_every_documented_message_exists(repository: Path) -> None:
    modules = (repository / "tinyml_cli").rglob("*.py")
    source = "".join(path.read_text(encoding="utf-8") for path in modules)
    source = re.sub(r'"\s*\n\s*f?"', "", source).lower()  # a long message is written in pieces
    rows = (repository / "docs" / "troubleshooting.md").read_text(encoding="utf-8").splitlines()
    cells = [row.split("|")[1] for row in rows if row.startswith("| `")]
    messages = [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]
    assert len(messages) > 20
    for message in messages:
        for piece in re.split(r"…|\b\d+\b", message.lower()):
            assert piece.strip(" ,") in source, f"{piece!r} of {message!r}"
